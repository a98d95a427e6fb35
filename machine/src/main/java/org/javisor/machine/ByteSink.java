package org.javisor.machine;

/** Takes what a guest's serial port sends. */
@FunctionalInterface
public interface ByteSink {
    /** Throws everything away. */
    ByteSink NONE = (data, offset, length) -> {};

    /**
     * Consumes the range; may block, which slows the guest down. The array is the caller's and is
     * used again.
     */
    void write(byte[] data, int offset, int length);
}
