package org.javisor.storage;

import java.util.concurrent.atomic.AtomicLongArray;

/**
 * Tells when all requests that might still use something have ended. A request belongs to the epoch
 * in which it began; two epochs after something was put away, nobody has it in hand any more.
 */
final class RequestEpochs {
    /** Counts of requests under way by the epoch's parity; far apart, for they are hot. */
    private final AtomicLongArray active = new AtomicLongArray(32);

    private volatile long epoch = 2;

    /** Begins a request; what is returned ends it. */
    long enter() {
        while (true) {
            long now = epoch;
            active.incrementAndGet(slot(now));
            if (epoch == now) {
                return now;
            }
            active.decrementAndGet(slot(now));
        }
    }

    void exit(long entered) {
        active.decrementAndGet(slot(entered));
    }

    /** The present epoch, with which the caller marks what it puts away. One caller at a time. */
    long now() {
        return epoch;
    }

    /** Moves on as far as ended requests allow. One caller at a time. */
    void advance() {
        for (int i = 0; i < 2 && active.get(slot(epoch - 1)) == 0; i++) {
            epoch++;
        }
    }

    /** Whether what was put away in this epoch is out of everybody's hands. */
    boolean over(long marked) {
        return epoch >= marked + 2;
    }

    private static int slot(long epoch) {
        return (int) (epoch & 1) * 16 + 8;
    }
}
