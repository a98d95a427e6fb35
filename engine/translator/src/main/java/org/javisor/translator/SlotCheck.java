package org.javisor.translator;

import java.util.ArrayList;
import java.util.List;

/**
 * Whether an access meets the page of a slot, see {@link MemoryProbe}. The checks give the
 * displacements of the jumps for those that do not.
 *
 * @param slot by its offset
 */
record SlotCheck(Assembler a, int context, int slot) {
    private static final int PAGE_SIZE = 4096;
    private static final int WIDEST = 32;

    /** The field with the negated address of the page. */
    private int page() {
        return ProcessorBlock.slots(context) + ProcessorBlock.SLOT_PAGE + slot;
    }

    /** The field with the distance of the page on the host from its linear address. */
    int distance() {
        return distance(context, slot);
    }

    static int distance(int context, int slot) {
        return ProcessorBlock.slots(context) + ProcessorBlock.SLOT_DISTANCE + slot;
    }

    /** Counts the access; no flags. */
    void count() {
        int counter = ProcessorBlock.slots(context) + ProcessorBlock.SLOT_PASSES + slot;
        a.loadState(Gpr.SCRATCH, counter);
        a.lea(Gpr.SCRATCH, Gpr.SCRATCH, 1);
        a.storeState(counter, Gpr.SCRATCH);
    }

    /**
     * Where the offset in the page is known, only its page is to be compared.
     *
     * @param sum the access, of which {@link Gpr#SCRATCH} will be the distance
     */
    int ofPage(HostAddress sum, boolean mayClobber) {
        a.loadState(Gpr.SCRATCH, page());
        int page = sum.displacement() & -PAGE_SIZE;
        a.leaSum(Gpr.SCRATCH, Gpr.SCRATCH, sum.base(), mayClobber ? page : page + 1);
        if (mayClobber) {
            a.op(true, 0x85, Gpr.SCRATCH, Gpr.SCRATCH); // test
            return a.jccAhead(5);
        }
        return a.loopFarAhead();
    }

    List<Integer> withFlags(HostAddress sum, int size, int alignment) {
        a.loadState(Gpr.SCRATCH, page());
        if (sum.displacement() == 0) {
            a.op(true, 0x01, sum.base(), Gpr.SCRATCH); // add
        } else {
            sum.set(a);
            a.leaMem(Gpr.SCRATCH);
        }
        List<Integer> misses = new ArrayList<>();
        if (alignment > 1) {
            a.testImm(true, Gpr.SCRATCH, -PAGE_SIZE | alignment - 1);
            misses.add(a.jccAhead(5));
        }
        if (alignment == 1 || alignment < size) {
            a.aluImm(true, 7, Gpr.SCRATCH, PAGE_SIZE - size);
            misses.add(a.jccAhead(7));
        }
        return misses;
    }

    /**
     * The same without touching flags. A single access passes if it is aligned to its size, and so
     * does not reach beyond the page; others of its kind are the stub's.
     */
    List<Integer> withoutFlags(HostAddress sum, int size, int alignment, boolean single) {
        int aligned = single ? Math.max(alignment, Integer.highestOneBit(2 * size - 1)) : alignment;
        List<Integer> misses = new ArrayList<>();
        misses.add(missUnlessInside(sum, 0, Math.min(aligned, WIDEST)));
        if (size > Math.min(aligned, WIDEST)) {
            misses.add(missUnlessInside(sum, size - 1, 1));
        }
        return misses;
    }

    private int missUnlessInside(HostAddress sum, int beyond, int alignment) {
        a.loadState(Gpr.SCRATCH, page());
        int one = ProcessorBlock.oneInside(alignment);
        a.leaSum(Gpr.SCRATCH, Gpr.SCRATCH, sum.base(), sum.displacement() + beyond + one);
        a.pextState(Gpr.SCRATCH, Gpr.SCRATCH, ProcessorBlock.outsideMask(alignment));
        return a.loopFarAhead();
    }
}
