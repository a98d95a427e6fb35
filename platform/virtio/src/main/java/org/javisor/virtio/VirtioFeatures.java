package org.javisor.virtio;

/** The feature bits that do not belong to a kind of device (virtio 1.2, chapter 6), by number. */
public final class VirtioFeatures {
    /** A table of descriptors outside the queue counts as one descriptor inside. */
    public static final int RING_INDIRECT_DESC = 28;

    /** Notifications are asked for by position instead of by a flag. */
    public static final int RING_EVENT_IDX = 29;

    /** The driver is not a legacy one. Without it there is no device for it here. */
    public static final int VERSION_1 = 32;

    /** The packed layout of queues. */
    public static final int RING_PACKED = 34;

    private VirtioFeatures() {}

    /**
     * What is offered for every device.
     *
     * @param packed whether the driver may choose the packed layout
     */
    static long offered(boolean packed) {
        return bit(RING_INDIRECT_DESC)
                | bit(RING_EVENT_IDX)
                | bit(VERSION_1)
                | (packed ? bit(RING_PACKED) : 0);
    }

    static long bit(int number) {
        return 1L << number;
    }
}
