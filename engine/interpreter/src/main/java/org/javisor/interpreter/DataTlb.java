package org.javisor.interpreter;

import java.util.Arrays;

/**
 * The entries of a processor's software TLB for data, direct-mapped, once for each way in which
 * permissions can differ: supervisor, supervisor with SMAP suspended (EFLAGS.AC), user. An entry is
 * a page's linear address as the tag, once for reading and once for writing, and the distance from
 * there to the host address. {@link Mmu} looks them up.
 */
final class DataTlb {
    static final int ENTRIES = 1024;

    /** First entries of the sets. */
    static final int SUPERVISOR = 0, SUPERVISOR_SMAP_OFF = ENTRIES, USER = 2 * ENTRIES;

    /** A tag that is never the address of a page. */
    static final long EMPTY = 1;

    static final int ALL = 3 * ENTRIES;
    private static final long PAGE = -4096;

    final long[] readTag = new long[ALL];
    final long[] writeTag = new long[ALL];
    final long[] toHost = new long[ALL];
    private final boolean[] global = new boolean[ALL];

    /** Page size by entry, as a shift: 12, 21, 22 or 30. */
    private final byte[] pageShift = new byte[ALL];

    private boolean largePages;

    /**
     * Whether entries of pages that are not global were made since the last flush of these: beside
     * a runner of code there often were none.
     */
    private boolean entered;

    DataTlb() {
        flushAll();
    }

    static int index(long linear) {
        return (int) (linear >>> 12) & ENTRIES - 1;
    }

    /**
     * Enters a page for reading.
     *
     * @param n the entry
     * @param host where the page begins
     * @param walker has just found the page
     */
    void enter(int n, long page, long host, PageWalker walker) {
        writeTag[n] = EMPTY;
        readTag[n] = page;
        toHost[n] = host - page;
        global[n] = walker.global();
        entered |= !global[n];
        pageShift[n] = (byte) walker.pageShift();
        largePages |= pageShift[n] > 12;
    }

    void flushAll() {
        Arrays.fill(readTag, EMPTY);
        Arrays.fill(writeTag, EMPTY);
        largePages = false;
    }

    void flushNonGlobal() {
        for (int n = 0; n < ALL && entered; n++) {
            if (!global[n]) {
                readTag[n] = EMPTY;
                writeTag[n] = EMPTY;
            }
        }
        entered = false;
    }

    void flushPage(long linear) {
        if (largePages) {
            flushLargePage(linear);
        }
        long page = linear & PAGE;
        int at = index(linear);
        for (int n = at; n < ALL; n += ENTRIES) {
            if (readTag[n] == page || writeTag[n] == page) {
                readTag[n] = EMPTY;
                writeTag[n] = EMPTY;
            }
        }
    }

    private void flushLargePage(long linear) {
        for (int n = 0; n < ALL; n++) {
            int shift = pageShift[n];
            if (shift > 12
                    && ((readTag[n] ^ linear) >>> shift == 0
                            || (writeTag[n] ^ linear) >>> shift == 0)) {
                readTag[n] = EMPTY;
                writeTag[n] = EMPTY;
            }
        }
    }

    /** Takes the right to write from all entries; from any thread. */
    void revokeWrites() {
        Arrays.fill(writeTag, EMPTY);
    }

    /** Takes the right to write the page at a host address; from any thread. */
    void revokeWrites(long host) {
        for (int n = 0; n < ALL; n++) {
            if (writeTag[n] + toHost[n] == host) {
                writeTag[n] = EMPTY;
            }
        }
    }
}
