package org.javisor.interpreter;

import java.util.Arrays;
import org.javisor.x86.CodeSize;

/** A processor's TLB for instruction fetches: from a linear page to the decoded one. */
final class CodeTlb {
    private static final int ENTRIES = 512;
    private static final long PAGE = -4096;

    private final long[] tag = new long[2 * ENTRIES];
    private final CodePage[] pages = new CodePage[2 * ENTRIES];
    private final boolean[] global = new boolean[2 * ENTRIES];

    private boolean largePages;

    /** Whether entries of pages that are not global were made since the last flush of these. */
    private boolean entered;

    CodeTlb() {
        flushAll();
    }

    private static int index(long linear, boolean user) {
        return (user ? ENTRIES : 0) + ((int) (linear >>> 12) & ENTRIES - 1);
    }

    /** The page as decoded for a code size, unless it was written since; null if there is none. */
    CodePage page(long linear, boolean user, CodeSize size) {
        int n = index(linear, user);
        if (tag[n] != (linear & PAGE)) {
            return null;
        }
        CodePage page = pages[n];
        return page.valid && page.size == size ? page : null;
    }

    /**
     * @param walker has just found the page
     */
    void enter(long linear, boolean user, CodePage page, PageWalker walker) {
        int n = index(linear, user);
        tag[n] = linear & PAGE;
        pages[n] = page;
        global[n] = walker.global();
        entered |= !global[n];
        largePages |= walker.pageShift() > 12;
    }

    void flushAll() {
        Arrays.fill(tag, DataTlb.EMPTY);
        largePages = false;
    }

    void flushNonGlobal() {
        for (int n = 0; n < tag.length && entered; n++) {
            if (!global[n]) {
                tag[n] = DataTlb.EMPTY;
            }
        }
        entered = false;
    }

    void flushPage(long linear) {
        if (largePages) {
            // Which of the entries are of that page is not worth knowing.
            flushAll();
            return;
        }
        tag[index(linear, false)] = DataTlb.EMPTY;
        tag[index(linear, true)] = DataTlb.EMPTY;
    }
}
