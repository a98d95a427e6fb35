package org.javisor.translator;

/**
 * Finds the pages of code in which processors spend their time, by where events such as the timer's
 * interrupts find them. That code is translated again, with its accesses in line (see {@link
 * MemoryProbe}): three to six times as long, which repays only where the same place is come to
 * again and again. See docs/adr/0014.
 */
final class BusyPages {
    /** In pages met, of user code or of the kernel's. */
    private static final int PERIOD = 256;

    /** Met as often as this within {@link #PERIOD} a page of user code is busy. */
    private static final int OFTEN = 6;

    /** The same for the kernel's, whose time is less of a piece. */
    private static final int OFTEN_IN_KERNEL = 4;

    private final int often;
    private final int oftenInKernel;
    private long metInUserMode;
    private long metInKernel;

    BusyPages() {
        this(OFTEN, OFTEN_IN_KERNEL);
    }

    /**
     * @param often how many times a page has to be met, 0 for every page to be busy at once
     * @param oftenInKernel the same where the kernel's code runs
     */
    BusyPages(int often, int oftenInKernel) {
        this.often = often;
        this.oftenInKernel = oftenInKernel;
    }

    /** To be told of a page that has become one of code. */
    void begin(TranslatedPage page) {
        page.busy = often == 0;
    }

    /**
     * To be told of a page that was met.
     *
     * @param user whether in user mode
     * @return whether that has made it busy
     */
    boolean met(TranslatedPage page, boolean user) {
        long met = user ? ++metInUserMode : ++metInKernel;
        if (page.busy) {
            return false;
        }
        if (met - page.sightingsSince >= PERIOD) {
            page.sightingsSince = met;
            page.sightings = 0;
        }
        page.busy = ++page.sightings >= (user ? often : oftenInKernel);
        return page.busy;
    }
}
