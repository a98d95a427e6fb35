package org.javisor.translator;

/**
 * Finds the pages of user code in which processors spend their time, by where events such as the
 * timer's interrupts find them. That code is translated again, with slots for its accesses (see
 * {@link MemoryProbe}), which repay only where the same place is come to again and again.
 */
final class BusyPages {
    /** Met as often as this within {@link #PERIOD} a page is busy. */
    private static final int OFTEN = 3;

    /** In pages met. */
    private static final int PERIOD = 256;

    private final int often;
    private long met;

    BusyPages() {
        this(OFTEN);
    }

    /**
     * @param often how many times a page has to be met, 0 for every page to be busy at once
     */
    BusyPages(int often) {
        this.often = often;
    }

    /** To be told of a page that has become one of code. */
    void begin(TranslatedPage page) {
        page.busy = often == 0;
    }

    /**
     * To be told of a page that was met.
     *
     * @return whether that has made it busy
     */
    boolean met(TranslatedPage page) {
        met++;
        if (page.busy) {
            return false;
        }
        if (met - page.sightingsSince >= PERIOD) {
            page.sightingsSince = met;
            page.sightings = 0;
        }
        page.busy = ++page.sightings == often;
        return page.busy;
    }
}
