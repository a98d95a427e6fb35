package org.javisor.translator;

import java.util.Arrays;

/**
 * The entries of a {@link ProcessorBlock} that depend on the guest's page tables, and which of them
 * a flush has to void. Only entries that were made are looked at. For the processor's own thread.
 */
final class AddressTables {
    private static final long PAGE = -4096;
    private static final long LARGEST_PAGE = -1L << 30;
    private static final int TARGET_HASHES = 1 << 14;

    /** The entries of one table in one context that have been made since they were last voided. */
    private static final class Made {
        final int[] indices;
        final boolean[] listed;
        final boolean[] global;
        int count;

        Made(int entries) {
            indices = new int[entries];
            listed = new boolean[entries];
            global = new boolean[entries];
        }

        void add(int index, boolean isGlobal) {
            global[index] = isGlobal;
            if (!listed[index]) {
                listed[index] = true;
                indices[count++] = index;
            }
        }
    }

    private final ProcessorBlock state;
    private final Made[] data = new Made[Context.COUNT];
    private final Made[] jumps = new Made[Context.COUNT];
    private final Made[] codes = new Made[Context.COUNT];

    /** The guest-physical pages that the entries of the data TLB lead to. */
    private final long[][] dataGpa = new long[Context.COUNT][ProcessorBlock.TLB_ENTRIES];

    /** The pages that the entries of the code TLB are for. */
    private final long[][] codeLinear = new long[Context.COUNT][ProcessorBlock.CODE_ENTRIES];

    /** By group of contexts that differ in rights only: whether slots may be filled. */
    private final boolean[] used = new boolean[Context.COUNT / Context.RIGHTS];

    /** By a linear page's number, cut: whether a jump leads there. */
    private final boolean[] jumpTargets = new boolean[TARGET_HASHES];

    // Whether pages larger than 4 KiB have been entered piecewise, in either half of the space
    private boolean largeUpperPages;
    private boolean largeLowerPages;

    AddressTables(ProcessorBlock state) {
        this.state = state;
        Arrays.setAll(data, c -> new Made(ProcessorBlock.TLB_ENTRIES));
        Arrays.setAll(jumps, c -> new Made(ProcessorBlock.JUMP_ENTRIES));
        Arrays.setAll(codes, c -> new Made(ProcessorBlock.CODE_ENTRIES));
    }

    void enterData(
            int context,
            long linear,
            long gpa,
            long host,
            boolean writable,
            boolean global,
            int shift) {
        int index = ProcessorBlock.tlbIndex(linear);
        data[context].add(index, global);
        dataGpa[context][index] = gpa;
        noteLarge(linear, shift);
        state.enterTlb(context, linear, host, writable);
    }

    void enterJump(int context, long linear, long host, boolean global) {
        jumps[context].add(ProcessorBlock.jumpIndex(linear), global);
        jumpTargets[targetHash(linear)] = true;
        state.enterJump(context, linear, host);
    }

    private static int targetHash(long linear) {
        return (int) (linear >>> 12) & TARGET_HASHES - 1;
    }

    void enterCode(int context, long linear, int pageNumber, boolean global) {
        int index = ProcessorBlock.codeIndex(linear);
        codes[context].add(index, global);
        codeLinear[context][index] = linear & PAGE;
        state.enterCode(context, linear, pageNumber);
    }

    /**
     * @param shift log2 of the size of a page that entries are made of
     */
    void noteLarge(long linear, int shift) {
        if (shift > 12) {
            largeUpperPages |= linear < 0;
            largeLowerPages |= linear >= 0;
        }
    }

    /** Code is about to run in a context, or in those with other rights. */
    void noteContext(int context) {
        used[context / Context.RIGHTS] = true;
    }

    /** Voids what places in the code remember. */
    void forgetSlots() {
        for (int c = 0; c < Context.COUNT; c++) {
            if (used[c / Context.RIGHTS] && Context.user(c)) {
                state.clearSlots(c);
            }
        }
        Arrays.fill(used, false);
    }

    /** Writes down the entries of the data TLB that are not of global pages. */
    void leave(AddressSpaces.Left space) {
        for (int c = 0; c < Context.COUNT; c++) {
            Made made = data[c];
            for (int n = 0; n < made.count; n++) {
                int index = made.indices[n];
                long linear = state.tlbPage(c, index);
                if (!made.global[index] && linear != -1) {
                    space.addData(
                            c,
                            linear,
                            dataGpa[c][index],
                            state.tlbHost(c, index),
                            state.tlbWritable(c, index));
                }
            }
        }
    }

    /** Voids all entries, or all but those of global pages. */
    void flush(boolean keepGlobal) {
        forgetSlots();
        for (int c = 0; c < Context.COUNT; c++) {
            Made made = data[c];
            int kept = 0;
            for (int n = 0; n < made.count; n++) {
                int index = made.indices[n];
                if (keepGlobal && made.global[index]) {
                    made.indices[kept++] = index;
                } else {
                    made.listed[index] = false;
                    state.clearTlb(c, index);
                }
            }
            made.count = kept;
            flushJumps(c, keepGlobal, 0, 0);
            flushCodes(c, keepGlobal, 0, 0);
        }
        largeUpperPages &= keepGlobal;
        largeLowerPages &= keepGlobal;
    }

    /** Voids the jumps whose targets agree with an address in the bits of a mask. */
    private void flushJumps(int c, boolean keepGlobal, long mask, long linear) {
        Made made = jumps[c];
        int kept = 0;
        for (int n = 0; n < made.count; n++) {
            int index = made.indices[n];
            if (keepGlobal && made.global[index]
                    || (state.jumpLinear(c, index) & mask) != (linear & mask)) {
                made.indices[kept++] = index;
            } else {
                made.listed[index] = false;
                state.clearJump(c, index);
            }
        }
        made.count = kept;
    }

    private void flushCodes(int c, boolean keepGlobal, long mask, long linear) {
        Made made = codes[c];
        int kept = 0;
        for (int n = 0; n < made.count; n++) {
            int index = made.indices[n];
            if (keepGlobal && made.global[index]
                    || (codeLinear[c][index] & mask) != (linear & mask)) {
                made.indices[kept++] = index;
            } else {
                made.listed[index] = false;
                state.clearCode(c, index);
            }
        }
        made.count = kept;
    }

    /**
     * Voids the entries of one page; of its surroundings, if it may be part of a larger one.
     *
     * @return the mask of the address bits that say where
     */
    long flushPage(long linear) {
        forgetSlots();
        if (linear < 0 ? largeUpperPages : largeLowerPages) {
            flushLarge(linear);
            return LARGEST_PAGE;
        }
        int index = ProcessorBlock.tlbIndex(linear);
        for (int c = 0; c < Context.COUNT; c++) {
            if (state.tlbPage(c, index) == (linear & PAGE)) {
                state.clearTlb(c, index);
            }
            int code = ProcessorBlock.codeIndex(linear);
            if (codeLinear[c][code] == (linear & PAGE)) {
                state.clearCode(c, code);
            }
            if (jumpTargets[targetHash(linear)]) {
                flushJumps(c, false, PAGE, linear);
            }
        }
        return PAGE;
    }

    /** The largest pages that guests use for more than the direct map of memory have 1 GiB. */
    private void flushLarge(long linear) {
        long mask = LARGEST_PAGE;
        for (int c = 0; c < Context.COUNT; c++) {
            Made made = data[c];
            for (int n = 0; n < made.count; n++) {
                int index = made.indices[n];
                if ((state.tlbPage(c, index) & mask) == (linear & mask)) {
                    state.clearTlb(c, index);
                }
            }
            flushJumps(c, false, mask, linear);
            flushCodes(c, false, mask, linear);
        }
    }
}
