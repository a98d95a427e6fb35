package org.javisor.image;

/** Receives {@link ProgressEvent}s, on the thread that pulls. */
@FunctionalInterface
public interface ProgressListener {

    /** Something happened. Must not throw. */
    void on(ProgressEvent event);

    /** A listener that ignores everything. */
    static ProgressListener silent() {
        return event -> {};
    }
}
