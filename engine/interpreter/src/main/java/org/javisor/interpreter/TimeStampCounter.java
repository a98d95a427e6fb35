package org.javisor.interpreter;

import org.javisor.device.Clock;

/** A processor's TSC: one tick a nanosecond of the machine's clock, from where the guest set it. */
final class TimeStampCounter {
    private final Clock clock;
    private final ModelSpecificRegisters msr;
    private long offset;

    TimeStampCounter(Clock clock, ModelSpecificRegisters msr) {
        this.clock = clock;
        this.msr = msr;
    }

    long now() {
        return at(clock.nanos());
    }

    /** Its value when the machine's clock stands there. */
    long at(long nanos) {
        return nanos + offset;
    }

    /** A write to IA32_TIME_STAMP_COUNTER; IA32_TSC_ADJUST follows by the same amount. */
    void set(long value) {
        long change = value - now();
        offset += change;
        msr.tscAdjust += change;
    }

    /** A write to IA32_TSC_ADJUST. */
    void setAdjust(long value) {
        offset += value - msr.tscAdjust;
        msr.tscAdjust = value;
    }

    /** From the machine's clock. */
    long offset() {
        return offset;
    }

    void setOffset(long value) {
        offset = value;
    }
}
