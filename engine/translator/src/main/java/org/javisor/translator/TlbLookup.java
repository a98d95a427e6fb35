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

    /** The result is the displacement of the jump for an access that may not take place. */
    int withFlags() {
        index();
        a.memState(Gpr.SCRATCH, 3, tag());
        a.opMem(true, 0x03, Gpr.ADDRESS); // add
        int miss;
        if (alignment > 1) {
            a.testImm(true, Gpr.ADDRESS, -4096 | alignment - 1);
            miss = a.jccAhead(5);
        } else {
            a.aluImm(true, 7, Gpr.ADDRESS, 4096 - size);
            miss = a.jccAhead(7);
        }
        a.memState(Gpr.SCRATCH, 3, table() + ProcessorBlock.TLB_HOST);
        a.opMem(true, 0x03, Gpr.ADDRESS);
        return miss;
    }

    /** The same, but that the host address is the sum of both scratch registers. */
    int withoutFlags() {
        index();
        a.memState(Gpr.SCRATCH, 3, tag());
        a.loadMem(Gpr.SCRATCH);
        int last = alignment > 1 ? 0 : size - 1;
        int one = ProcessorBlock.oneInside(alignment);
        a.leaSum(Gpr.SCRATCH, Gpr.SCRATCH, Gpr.ADDRESS, last + one);
        a.pextState(Gpr.SCRATCH, Gpr.SCRATCH, ProcessorBlock.outsideMask(alignment));
        int miss = a.loopFarAhead();
        index();
        a.memState(Gpr.SCRATCH, 3, table() + ProcessorBlock.TLB_DISTANCE);
        a.loadMem(Gpr.SCRATCH);
        return miss;
    }

    private void index() {
        a.pextState(Gpr.SCRATCH, Gpr.ADDRESS, ProcessorBlock.TLB_INDEX_MASK);
    }
}
