package org.javisor.translator;

import java.util.Arrays;

/**
 * Where code lies, by linear page and context: what the last walks for instruction fetches found.
 * For the processor's own thread.
 */
final class FetchTable {
    private static final long PAGE = -4096;
    private static final int ENTRIES = 4096;

    /** The tag of an entry that is not valid; no page begins there. */
    private static final long NOWHERE = 1;

    private final long[] tags = new long[Context.COUNT * ENTRIES];
    private final boolean[] global = new boolean[Context.COUNT * ENTRIES];
    private final TranslatedPage[] pages = new TranslatedPage[Context.COUNT * ENTRIES];

    /** The entries that have been made since they were last voided. */
    private final int[] made = new int[Context.COUNT * ENTRIES];

    private int madeCount;

    FetchTable() {
        Arrays.fill(tags, NOWHERE);
    }

    private static int index(int context, long linear) {
        return context * ENTRIES + ((int) (linear >>> 12) & ENTRIES - 1);
    }

    /** The page at an address, if it is known and valid, or null. */
    TranslatedPage find(int context, long linear) {
        int n = index(context, linear);
        TranslatedPage page = pages[n];
        return tags[n] == (linear & PAGE) && page.valid ? page : null;
    }

    /** Whether the page entered last for an address is a global one. */
    boolean global(int context, long linear) {
        return global[index(context, linear)];
    }

    void enter(int context, long linear, TranslatedPage page, boolean isGlobal) {
        int n = index(context, linear);
        if (tags[n] == NOWHERE) {
            made[madeCount++] = n;
        }
        tags[n] = linear & PAGE;
        pages[n] = page;
        global[n] = isGlobal;
    }

    /** Writes down the entries that are not of global pages. */
    void leave(AddressSpaces.Left space) {
        for (int k = 0; k < madeCount; k++) {
            int n = made[k];
            if (!global[n]) {
                space.addCode(n / ENTRIES, tags[n], pages[n]);
            }
        }
    }

    /** Voids all entries, or all but those of global pages. */
    void flush(boolean keepGlobal) {
        int kept = 0;
        for (int k = 0; k < madeCount; k++) {
            int n = made[k];
            if (keepGlobal && global[n]) {
                made[kept++] = n;
            } else {
                tags[n] = NOWHERE;
            }
        }
        madeCount = kept;
    }

    /** Voids the entries of pages that agree with an address in the bits of a mask. */
    void flush(long linear, long mask) {
        int kept = 0;
        for (int k = 0; k < madeCount; k++) {
            int n = made[k];
            if (((tags[n] ^ linear) & mask) == 0) {
                tags[n] = NOWHERE;
            } else {
                made[kept++] = n;
            }
        }
        madeCount = kept;
    }
}
