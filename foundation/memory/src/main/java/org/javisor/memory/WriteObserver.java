package org.javisor.memory;

/**
 * What an engine wants to hear about writes to guest memory that it did not carry out itself, and
 * about changes of what has to be tracked. Called on the thread that causes the event; must be
 * thread-safe and must not block.
 */
public interface WriteObserver {
    /**
     * A range within a page flagged {@link RamRegion#CODE} was written. Drop what was made of these
     * bytes.
     *
     * @return whether something made of other bytes of the page is kept, so that the page must stay
     *     tracked; else {@link #codeWritten} follows
     */
    default boolean codeChanged(long gpa, int length) {
        return false;
    }

    /**
     * A page flagged {@link RamRegion#CODE} was written and nobody keeps anything of it; the flag
     * is already cleared. Drop what was made of it.
     */
    void codeWritten(long pageGpa);

    /**
     * Pages became tracked that were not: forget every cached permission to write without notice.
     *
     * @param pageGpa the page, or -1 for all
     */
    void writesTracked(long pageGpa);

    /** Dirty logging has been switched on, begun anew, or switched off. */
    default void dirtyLogging(boolean on) {}

    /**
     * The region's dirty pages are about to be harvested: an observer whose writes are recorded
     * elsewhere, as the host's kernel records a guest's, reports them through {@link
     * GuestMemory#written} now. May be called for a region again and again.
     */
    default void harvesting(RamRegion region) {}
}
