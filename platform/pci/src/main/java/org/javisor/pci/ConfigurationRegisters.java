package org.javisor.pci;

/**
 * A block of a function's configuration space with behaviour of its own: a capability's structure,
 * or registers that the device defines. The contents live in the function's configuration space,
 * and with it in its snapshot; this says what they are after a reset, which bits the guest can
 * change, and what reading and writing does besides.
 */
public final class ConfigurationRegisters {
    /** The block's contents. Offsets count from its start; values have {@code size} bytes. */
    public interface View {
        /**
         * @param size 1 to 4 bytes
         */
        int get(int offset, int size);

        /** Changes the contents, whether or not the guest could. */
        void set(int offset, int size, int value);
    }

    /**
     * What a block does. Accesses lie within an aligned doubleword, otherwise they have any offset
     * and size a guest likes, and may reach into neighbouring blocks: offset and size are those of
     * the part that lies in this one. Called with the configuration space's lock held.
     */
    public interface Behaviour {
        /** Stores what is written and does nothing. */
        Behaviour NONE = new Behaviour() {};

        /** A read is about to return the contents, which may be brought up to date now. */
        default void beforeRead(View view, int offset, int size) {}

        /**
         * A write is about to change the contents.
         *
         * @return what to store in the bits that can be written
         */
        default int filter(View view, int offset, int size, int value) {
            return value;
        }

        /** A write has changed the contents. */
        default void afterWrite(View view, int offset, int size) {}

        /** Reset, or restored from a snapshot. */
        default void loaded(View view) {}
    }

    private final byte[] initial;
    private final byte[] writable;
    private final Behaviour behaviour;

    private ConfigurationRegisters(byte[] initial, byte[] writable, Behaviour behaviour) {
        this.initial = initial;
        this.writable = writable;
        this.behaviour = behaviour;
    }

    /**
     * @param length bytes, a multiple of 4
     */
    public static Builder builder(int length) {
        return new Builder(length);
    }

    int length() {
        return initial.length;
    }

    byte[] initial() {
        return initial;
    }

    byte[] writable() {
        return writable;
    }

    Behaviour behaviour() {
        return behaviour;
    }

    /** Describes a block; what is not named is 0 and read-only. */
    public static final class Builder {
        private final byte[] initial;
        private final byte[] writable;

        private Builder(int length) {
            if (length <= 0 || length > 0xc0 || length % 4 != 0) {
                throw new IllegalArgumentException(
                        "No such block of configuration registers: %d bytes".formatted(length));
            }
            initial = new byte[length];
            writable = new byte[length];
        }

        /**
         * A register that the guest can only read, or whose value after a reset this is.
         *
         * @param size 1 to 4 bytes
         */
        public Builder value(int offset, int size, int value) {
            put(initial, offset, size, value);
            return this;
        }

        /**
         * Lets the guest change the bits of {@code mask}.
         *
         * @param size 1 to 4 bytes
         */
        public Builder writable(int offset, int size, int mask) {
            put(writable, offset, size, mask);
            return this;
        }

        private static void put(byte[] to, int offset, int size, int value) {
            for (int i = 0; i < size; i++) {
                to[offset + i] = (byte) (value >>> 8 * i);
            }
        }

        /** Registers that are contents only. */
        public ConfigurationRegisters build() {
            return build(Behaviour.NONE);
        }

        public ConfigurationRegisters build(Behaviour behaviour) {
            return new ConfigurationRegisters(initial.clone(), writable.clone(), behaviour);
        }
    }
}
