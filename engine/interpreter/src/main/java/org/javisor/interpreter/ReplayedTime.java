package org.javisor.interpreter;

import java.util.Arrays;

/** What a runner has read of the time during a stretch, for a {@link Replay} to read it again. */
final class ReplayedTime {
    private long[] ticks = new long[16];
    private int count;
    private int next;

    /** A stretch begins. */
    void clear() {
        count = 0;
    }

    void add(long read) {
        if (count == ticks.length) {
            ticks = Arrays.copyOf(ticks, 2 * count);
        }
        ticks[count++] = read;
    }

    /** A replay begins. */
    void rewind() {
        next = 0;
    }

    long read() {
        if (next == count) {
            throw new ReplayFailure("reads the time once more");
        }
        return ticks[next++];
    }
}
