package org.javisor.chipset;

/**
 * A crystal: converts between a machine's nanoseconds and its own ticks without overflow or drift.
 */
record Oscillator(long hertz) {
    private static final long SECOND = 1_000_000_000L;

    /** Whole ticks completed after so many nanoseconds. */
    long ticks(long nanos) {
        long seconds = Math.floorDiv(nanos, SECOND);
        long rest = Math.floorMod(nanos, SECOND);
        return seconds * hertz + rest * hertz / SECOND;
    }

    /** The first nanosecond at which {@link #ticks} has reached so many. */
    long nanos(long ticks) {
        long seconds = Math.floorDiv(ticks, hertz);
        long rest = Math.floorMod(ticks, hertz);
        return seconds * SECOND + (rest * SECOND + hertz - 1) / hertz;
    }
}
