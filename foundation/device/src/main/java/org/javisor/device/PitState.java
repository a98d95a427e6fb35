package org.javisor.device;

import java.util.List;

/** An 8254's snapshot: its three counters. */
public record PitState(int version, List<Counter> counters) implements DeviceState {
    public PitState {
        counters = List.copyOf(counters);
    }

    /**
     * One counter.
     *
     * @param access 1 low byte, 2 high byte, 3 low then high
     * @param count the reload value, 1 to 65536; 0 if none was written since the control word
     * @param nextCount written and waiting for the end of the period, or 0
     * @param elapsed ticks since {@code count} was loaded
     * @param counting whether the ticks go on
     * @param triggered whether a trigger has come, in the modes that start with one
     * @param gate level of the gate input
     * @param writeLow the first half of a two-byte count, or -1
     * @param readHigh the next byte read is the high one
     * @param latched a latched count, or -1
     * @param latchedStatus a latched status byte, or -1
     */
    public record Counter(
            int mode,
            boolean bcd,
            int access,
            int count,
            int nextCount,
            long elapsed,
            boolean counting,
            boolean triggered,
            boolean gate,
            int writeLow,
            boolean readHigh,
            int latched,
            int latchedStatus) {}
}
