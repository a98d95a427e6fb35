package org.javisor.chipset;

/** What is at the other end of a serial line. */
@FunctionalInterface
public interface SerialBackend {
    /** Takes everything and never sends. */
    SerialBackend NONE = value -> {};

    /**
     * Takes a byte the guest has sent. Called on the vCPU's thread, without the chip's lock, once
     * for every byte: it must be quick and must not wait for long.
     *
     * @param value 0 to 255
     */
    void transmitted(int value);

    /**
     * The chip has room again, or the guest has begun to listen, after {@link Serial16550#receive}
     * took less than it was offered. Called on the vCPU's thread without the chip's lock; must not
     * block.
     */
    default void readyToReceive() {}
}
