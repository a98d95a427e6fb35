package org.javisor.interpreter;

import java.util.Map;

/**
 * What runs a processor's 64-bit code in the interpreter's stead, as long as nothing has to be
 * looked at between instructions. The interpreter stays the owner of the processor: it takes
 * events, delivers exceptions, steps for debuggers, and carries out what the runner hands back.
 *
 * <p>All methods are called by the processor's own thread, but for {@link #attention}.
 */
public interface CodeRunner {
    /** The interpreter runs everything itself. */
    CodeRunner NONE = new None();

    /**
     * Runs from the processor's state on, in 64-bit code, until {@link
     * GuestProcessor#demandsAttention}; the state is complete again when this returns or throws.
     *
     * @throws RuntimeException what {@link GuestProcessor} throws for an exception of the guest,
     *     passed on with RIP at the instruction that is to blame
     */
    void run();

    /** Tells, from any thread, that an event was posted: {@link #run} is to look soon. */
    void attention();

    /** All translations of addresses are void. */
    void flushAll();

    /** All translations of addresses are void but those of global pages. */
    void flushNonGlobal();

    /**
     * The guest goes to another address space, or loads the same anew; CR4.PCIDE is set. What is
     * known of the one it leaves, by its identifier, holds until it comes back.
     *
     * @param from process-context identifier, 0 to 4095
     * @param keep whether what is known of the new one still holds
     */
    void changeAddressSpace(int from, int to, boolean keep);

    /** Those of the page that holds a linear address are void, however large the page is. */
    void flushPage(long linear);

    /** Guest instructions carried out here. */
    long instructions();

    /** Adds its figures to those of the machine. */
    void count(Map<String, Long> counters);

    /** See {@link #NONE}. */
    final class None implements CodeRunner {
        private None() {}

        @Override
        public void run() {
            throw new IllegalStateException("There is no runner");
        }

        @Override
        public void attention() {}

        @Override
        public void flushAll() {}

        @Override
        public void flushNonGlobal() {}

        @Override
        public void changeAddressSpace(int from, int to, boolean keep) {}

        @Override
        public void flushPage(long linear) {}

        @Override
        public long instructions() {
            return 0;
        }

        @Override
        public void count(Map<String, Long> counters) {}
    }
}
