package org.javisor.translator;

import java.util.Arrays;
import java.util.function.IntConsumer;
import java.util.function.IntPredicate;

/**
 * The entries of a {@link ProcessorBlock} that depend on the guest's page tables, and which of them
 * a flush has to void. Only entries that were made are looked at. For the processor's own thread.
 */
final class AddressTables {
    private static final long PAGE = -4096;
    private static final long LARGEST_PAGE = -1L << 30;
    private static final int TARGET_HASHES = 1 << 14;

    /**
     * The entries of one table in one context that have been made since they were last voided,
     * those of global pages apart: guests that change between address spaces void the others all
     * the time.
     */
    private static final class Made {
        final Listed local = new Listed();
        final Listed global = new Listed();

        /** By entry: whether what was entered last is of a global page. */
        boolean[] isGlobal = {};

        void prepare(int entries) {
            local.prepare(entries);
            global.prepare(entries);
            isGlobal = new boolean[entries];
        }

        void add(int index, boolean ofGlobalPage) {
            isGlobal[index] = ofGlobalPage;
            (ofGlobalPage ? global : local).add(index);
        }

        /** Voids the entries that match. */
        void flush(boolean keepGlobal, IntPredicate matches, IntConsumer clear) {
            local.flush(index -> !isGlobal[index], matches, clear);
            if (!keepGlobal) {
                global.flush(index -> isGlobal[index], matches, clear);
            }
        }

        /** The entries that are not of global pages. */
        void forEachLocal(IntConsumer action) {
            for (int n = 0; n < local.count; n++) {
                if (!isGlobal[local.indices[n]]) {
                    action.accept(local.indices[n]);
                }
            }
        }
    }

    /** Entries, each once. */
    private static final class Listed {
        int[] indices = {};
        boolean[] listed = {};
        int count;

        void prepare(int entries) {
            indices = new int[entries];
            listed = new boolean[entries];
        }

        void add(int index) {
            if (!listed[index]) {
                listed[index] = true;
                indices[count++] = index;
            }
        }

        /**
         * Takes off the list what matches, which is cleared, and what has been replaced by
         * something that is not of this list.
         */
        void flush(IntPredicate ofThisList, IntPredicate matches, IntConsumer clear) {
            int kept = 0;
            for (int n = 0; n < count; n++) {
                int index = indices[n];
                if (!ofThisList.test(index)) {
                    listed[index] = false;
                } else if (matches.test(index)) {
                    listed[index] = false;
                    clear.accept(index);
                } else {
                    indices[kept++] = index;
                }
            }
            count = kept;
        }
    }

    private final ProcessorBlock state;
    private final Made[] data = new Made[Context.COUNT];
    private final Made[] jumps = new Made[Context.COUNT];
    private final Made[] codes = new Made[Context.COUNT];

    /** The guest-physical pages that the entries of the data TLB lead to. */
    private final long[][] dataGpa = new long[Context.COUNT][];

    /** The pages that the entries of the code TLB are for. */
    private final long[][] codeLinear = new long[Context.COUNT][];

    /** By group of contexts that differ in rights only: whether slots may be filled. */
    private final boolean[] used = new boolean[Context.COUNT / Context.RIGHTS];

    private long slotsForgotten;

    /** By a linear page's number, cut: whether a jump leads there. */
    private final boolean[] jumpTargets = new boolean[TARGET_HASHES];

    // Whether pages larger than 4 KiB have been entered piecewise, in either half of the space
    private boolean largeUpperPages;
    private boolean largeLowerPages;

    AddressTables(ProcessorBlock state) {
        this.state = state;
        Arrays.setAll(data, c -> new Made());
        Arrays.setAll(jumps, c -> new Made());
        Arrays.setAll(codes, c -> new Made());
    }

    /** Makes a context's tables, where they have not been used before. */
    private void prepare(int context) {
        if (state.prepare(context)) {
            data[context].prepare(ProcessorBlock.TLB_ENTRIES);
            jumps[context].prepare(ProcessorBlock.JUMP_ENTRIES);
            codes[context].prepare(ProcessorBlock.CODE_ENTRIES);
            dataGpa[context] = new long[ProcessorBlock.TLB_ENTRIES];
            codeLinear[context] = new long[ProcessorBlock.CODE_ENTRIES];
        }
    }

    void enterData(
            int context,
            long linear,
            long gpa,
            long host,
            boolean writable,
            boolean global,
            int shift) {
        prepare(context);
        int index = ProcessorBlock.tlbIndex(linear);
        data[context].add(index, global);
        dataGpa[context][index] = gpa;
        noteLarge(linear, shift);
        state.enterTlb(context, linear, host, writable);
    }

    void enterJump(int context, long linear, long host, boolean global) {
        prepare(context);
        jumps[context].add(ProcessorBlock.jumpIndex(linear), global);
        jumpTargets[targetHash(linear)] = true;
        state.enterJump(context, linear, host);
    }

    private static int targetHash(long linear) {
        return (int) (linear >>> 12) & TARGET_HASHES - 1;
    }

    void enterCode(int context, long linear, int pageNumber, boolean global) {
        prepare(context);
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
        int group = context / Context.RIGHTS;
        if (!used[group]) {
            used[group] = true;
            for (int rights = 0; rights < Context.RIGHTS; rights++) {
                prepare(Context.withRights(context, rights));
            }
        }
    }

    /** Voids what places in the code remember. */
    void forgetSlots() {
        slotsForgotten++;
        for (int c = 0; c < Context.COUNT; c++) {
            if (used[c / Context.RIGHTS] && Context.user(c)) {
                state.clearSlots(c);
            }
        }
        Arrays.fill(used, false);
    }

    /** How often that has happened. */
    long slotsForgotten() {
        return slotsForgotten;
    }

    /** Writes down the entries of the data TLB and the jump tables that are not of global pages. */
    void leave(AddressSpaces.Left space) {
        for (int c = 0; c < Context.COUNT; c++) {
            int context = c;
            jumps[c].forEachLocal(
                    index -> {
                        long linear = state.jumpLinear(context, index);
                        if (linear << 16 >> 16 == linear) {
                            space.addJump(context, linear);
                        }
                    });
            data[c].forEachLocal(
                    index -> {
                        long linear = state.tlbPage(context, index);
                        if (linear != -1) {
                            space.addData(
                                    context,
                                    linear,
                                    dataGpa[context][index],
                                    state.tlbHost(context, index),
                                    state.tlbWritable(context, index));
                        }
                    });
        }
    }

    /** Voids all entries, or all but those of global pages. */
    void flush(boolean keepGlobal) {
        forgetSlots();
        for (int c = 0; c < Context.COUNT; c++) {
            flush(c, keepGlobal, 0, 0);
        }
        largeUpperPages &= keepGlobal;
        largeLowerPages &= keepGlobal;
    }

    /** Voids the entries that agree with an address in the bits of a mask. */
    private void flush(int c, boolean keepGlobal, long mask, long linear) {
        data[c].flush(
                keepGlobal,
                index -> (state.tlbPage(c, index) & mask) == (linear & mask),
                index -> state.clearTlb(c, index));
        flushJumps(c, keepGlobal, mask, linear);
        codes[c].flush(
                keepGlobal,
                index -> (codeLinear[c][index] & mask) == (linear & mask),
                index -> state.clearCode(c, index));
    }

    private void flushJumps(int c, boolean keepGlobal, long mask, long linear) {
        jumps[c].flush(
                keepGlobal,
                index -> (state.jumpLinear(c, index) & mask) == (linear & mask),
                index -> state.clearJump(c, index));
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
            if (!state.isPrepared(c)) {
                continue;
            }
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
        for (int c = 0; c < Context.COUNT; c++) {
            flush(c, false, LARGEST_PAGE, linear);
        }
    }
}
