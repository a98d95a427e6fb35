package org.javisor.storage;

/** Decides what becomes of a guest's write when the host's disk is full. */
@FunctionalInterface
public interface FullDiskHandler {

    /**
     * Called by an I/O thread, for several requests possibly at once, with a line for the user. An
     * implementation that can pause its machine does so, and returns when the machine goes on.
     *
     * @return true to try the request again, false to let it fail
     */
    boolean retryAfter(String message);

    /** Lets every such request fail. */
    static FullDiskHandler failing() {
        return message -> false;
    }
}
