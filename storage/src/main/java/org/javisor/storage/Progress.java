package org.javisor.storage;

/** Told how far something long has come. */
@FunctionalInterface
public interface Progress {

    /**
     * Called now and then by the thread that works.
     *
     * @param done bytes of the disk that have been dealt with
     * @param total bytes of the disk
     */
    void at(long done, long total);

    /** Tells nobody. */
    static Progress none() {
        return (done, total) -> {};
    }
}
