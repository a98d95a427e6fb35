package org.javisor.virtio.blk;

/**
 * A limit of so much per second, as a bucket that fills at that rate and holds a tenth of a
 * second's worth. Whoever finds something in it may take more than there is, and those after wait
 * until that is paid for; so requests larger than the bucket pass too. Not thread-safe.
 */
final class Throttle {
    private static final double NANOS = 1e9;
    private static final double BURST = 0.1;

    private final double perNano;
    private final double capacity;
    private double level;
    private long filledAt;

    /**
     * @param perSecond 0 for no limit
     * @param now nanoseconds, as in all methods
     */
    Throttle(long perSecond, long now) {
        perNano = perSecond / NANOS;
        capacity = Math.max(1, perSecond * BURST);
        level = capacity;
        filledAt = now;
    }

    /** Nanoseconds until something may be taken; 0 if it may be now. */
    long delay(long now) {
        if (perNano == 0) {
            return 0;
        }
        level = Math.min(capacity, level + (now - filledAt) * perNano);
        filledAt = now;
        return level > 0 ? 0 : (long) Math.ceil(-level / perNano) + 1;
    }

    void take(long amount) {
        if (perNano != 0) {
            level -= amount;
        }
    }
}
