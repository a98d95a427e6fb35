package org.javisor.translator;

/** A linear address that is needed, and how to get at it without touching flags. */
sealed interface LinearAddress {
    int NO_FIELD = -1;

    /** Puts it into {@link Gpr#ADDRESS}, perhaps using {@link Gpr#SCRATCH}. */
    void compute();

    /** Sees to it that it lies {@link #displacement} from {@link #register}. */
    default void load() {
        compute();
    }

    default int register() {
        return Gpr.ADDRESS;
    }

    default int displacement() {
        return 0;
    }

    /** Whether {@link #load} leaves nothing to be added. */
    default boolean isWhole() {
        return true;
    }

    /** Whether the register is the guest's, and so stays what it is. */
    default boolean stays() {
        return false;
    }

    /** Whether it is known that bytes from there on lie on one page, and how aligned. */
    default boolean placed(int size, int alignment) {
        return false;
    }

    /** It takes a computation. */
    record Computed(Runnable computation) implements LinearAddress {
        @Override
        public void compute() {
            computation.run();
        }
    }

    /**
     * It lies a displacement from what a host register holds.
     *
     * @param field of the processor block that has to be loaded to the register, {@link
     *     Gpr#ADDRESS}, before, or {@link #NO_FIELD}
     */
    record Near(Assembler a, int register, int displacement, int field) implements LinearAddress {
        private static final int PAGE_SIZE = 4096;

        @Override
        public void compute() {
            load();
            if (displacement != 0) {
                a.lea(Gpr.ADDRESS, register, displacement);
            } else if (register != Gpr.ADDRESS) {
                a.mov(Gpr.ADDRESS, register); // which processors do by renaming
            }
        }

        @Override
        public void load() {
            if (field != NO_FIELD) {
                a.loadState(register, field);
            }
        }

        @Override
        public boolean isWhole() {
            return false;
        }

        @Override
        public boolean stays() {
            return field == NO_FIELD;
        }

        @Override
        public boolean placed(int size, int alignment) {
            int offset = displacement & PAGE_SIZE - 1;
            return field == ProcessorBlock.PAGE
                    && offset + size <= PAGE_SIZE
                    && (offset & alignment - 1) == 0;
        }
    }
}
