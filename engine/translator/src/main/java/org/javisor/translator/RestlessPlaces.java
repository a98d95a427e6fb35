package org.javisor.translator;

import java.util.Arrays;
import java.util.function.LongSupplier;

/**
 * Finds the places in translated code that go from page to page, so that renewing their slots costs
 * more than looking into the TLB each time. Places that walk through memory renew theirs often,
 * too, but with the page next to the one before.
 */
final class RestlessPlaces {
    private static final long PAGE = -4096;

    /** As many renewals of a slot as it has patience in more time than that cost little. */
    private static final long OFTEN_NANOS = 10_000L * ProcessorBlock.PATIENCE;

    private static final long NONE = 1;

    private final ProcessorBlock state;
    private final LongSupplier nanoTime;

    /** By slot: when its patience ended last. */
    private final long[] asked = new long[ProcessorBlock.SLOTS];

    /** By slot: the page that it was renewed with when its patience ended, if the next matters. */
    private final long[] pages = new long[ProcessorBlock.SLOTS];

    RestlessPlaces(ProcessorBlock state, LongSupplier nanoTime) {
        this.state = state;
        this.nanoTime = nanoTime;
        Arrays.fill(pages, NONE);
    }

    /**
     * To be asked when an access has left translated code.
     *
     * @param slot by its offset, or less than 0 if the access has none
     */
    boolean include(int context, int slot, long linear) {
        if (slot < 0 || !state.patienceOver(context, slot)) {
            return false;
        }
        int n = slot >> 3;
        long page = linear & PAGE;
        if (pages[n] != NONE) {
            boolean neighbours = Math.abs(page - pages[n]) <= -PAGE;
            pages[n] = NONE;
            return !neighbours;
        }
        long now = nanoTime.getAsLong();
        if (now - asked[n] < OFTEN_NANOS) {
            pages[n] = page;
            state.endPatience(context, slot);
        }
        asked[n] = now;
        return false;
    }
}
