package org.javisor.virtio.blk;

/**
 * A block device, apart from its contents.
 *
 * @param serial at most 20 ASCII characters; empty for none
 * @param queues 1 to 256
 * @param bytesPerSecond limit of reads and writes together, 0 for none
 * @param operationsPerSecond limit of requests, 0 for none
 */
public record BlkConfig(String serial, int queues, long bytesPerSecond, long operationsPerSecond) {
    /** A device with one queue and no limits. */
    public static final BlkConfig DEFAULT = new BlkConfig("", 1, 0, 0);

    /** The most queues of one device. */
    public static final int MAXIMUM_QUEUES = 256;

    public BlkConfig {
        if (queues < 1 || queues > MAXIMUM_QUEUES) {
            throw new IllegalArgumentException("A disk has 1 to 256 queues, not " + queues);
        }
    }
}
