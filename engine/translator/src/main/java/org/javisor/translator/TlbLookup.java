package org.javisor.translator;

/**
 * A look into the TLB's tables by the linear address in {@link Gpr#ADDRESS}, which becomes a host
 * address. As {@link MemoryProbe} in two forms, one of which does without flags.
 *
 * @param alignment 1, 16 or 32
 */
record TlbLookup(Assembler a, int context, int size, boolean write, int alignment) {
    private int table() {
        return ProcessorBlock.tlb(context);
    }

    private int tag() {
        return table() + (write ? ProcessorBlock.TLB_WRITE : ProcessorBlock.TLB_READ);
    }

    /**
     * Leaves the offset in the page in {@link Gpr#ADDRESS} and the entry's number in {@link
     * Gpr#SCRATCH}, for {@link #addHost} or {@link #distance}.
     *
     * @return the displacement of the jump for an access that may not take place
     */
    int withFlags() {
        index();
        a.memState(Gpr.SCRATCH, 3, tag());
        a.opMem(true, 0x03, Gpr.ADDRESS); // add
        if (alignment > 1) {
            a.testImm(true, Gpr.ADDRESS, -4096 | alignment - 1);
            return a.jccAhead(5);
        }
        a.aluImm(true, 7, Gpr.ADDRESS, 4096 - size);
        return a.jccAhead(7);
    }

    /** Makes an offset a host address. */
    void addHost() {
        a.memState(Gpr.SCRATCH, 3, table() + ProcessorBlock.TLB_HOST);
        a.opMem(true, 0x03, Gpr.ADDRESS);
    }

    /** Puts into {@link Gpr#SCRATCH} how far the host address is from the linear one. */
    void distance() {
        a.memState(Gpr.SCRATCH, 3, table() + ProcessorBlock.TLB_DISTANCE);
        a.loadMem(Gpr.SCRATCH);
    }

    /** The same without touching flags; {@link #distance} has been done afterwards. */
    int withoutFlags() {
        index();
        a.memState(Gpr.SCRATCH, 3, tag());
        a.loadMem(Gpr.SCRATCH);
        int miss = missUnlessInside(Gpr.ADDRESS, 0);
        index();
        distance();
        return miss;
    }

    /**
     * The same of an address that need not be computed; what {@link Gpr#ADDRESS} held is lost.
     *
     * @param register that it lies a displacement from
     */
    int withoutFlags(int register, int displacement) {
        int from = register;
        if (displacement != 0) {
            a.lea(Gpr.ADDRESS, register, displacement);
            from = Gpr.ADDRESS;
        }
        emitIndex(a, Gpr.ADDRESS, from);
        a.memState(Gpr.ADDRESS, 3, tag());
        a.loadMem(Gpr.SCRATCH);
        int miss = missUnlessInside(register, displacement);
        a.memState(Gpr.ADDRESS, 3, table() + ProcessorBlock.TLB_DISTANCE);
        a.loadMem(Gpr.SCRATCH);
        return miss;
    }

    private int missUnlessInside(int register, int displacement) {
        int last = alignment > 1 ? 0 : size - 1;
        int one = ProcessorBlock.oneInside(alignment);
        a.leaSum(Gpr.SCRATCH, Gpr.SCRATCH, register, displacement + last + one);
        a.pextState(Gpr.SCRATCH, Gpr.SCRATCH, ProcessorBlock.outsideMask(alignment));
        return a.loopFarAhead();
    }

    private void index() {
        emitIndex(a, Gpr.SCRATCH, Gpr.ADDRESS);
    }

    /** The number of the entry for a linear address; no flags. */
    static void emitIndex(Assembler a, int to, int linear) {
        a.rorx32(to, linear, 12);
        a.movzx16(to, to);
    }
}
