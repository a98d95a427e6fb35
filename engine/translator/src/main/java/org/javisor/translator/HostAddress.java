package org.javisor.translator;

/**
 * Where a memory operand lies on the host.
 *
 * @param base host register
 * @param index host register to add, or {@link Assembler#NONE}
 * @param displacement to add, in bytes
 */
record HostAddress(int base, int index, int displacement) {
    /** A displacement from {@link Gpr#ADDRESS}. */
    static HostAddress whole(int displacement) {
        return new HostAddress(Gpr.ADDRESS, Assembler.NONE, displacement);
    }

    /** Sets it up as the memory operand of the next instruction. */
    void set(Assembler a) {
        a.mem(base, index, 0, displacement);
    }
}
