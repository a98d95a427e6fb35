package org.javisor.storage;

/** What becomes of a guest's write when the host's disk is full. */
public enum FullDiskPolicy {
    /** The machine pauses with a message, and the write is tried again when it goes on. */
    STOP("stop"),
    /** The guest gets an I/O error. */
    REPORT("report"),
    /** The write is dropped and the guest is told that it succeeded. */
    IGNORE("ignore");

    private final String word;

    FullDiskPolicy(String word) {
        this.word = word;
    }

    /** As the user writes it. */
    public String word() {
        return word;
    }
}
