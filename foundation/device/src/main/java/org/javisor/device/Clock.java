package org.javisor.device;

import java.time.Instant;

/**
 * The time of one machine. The TSC, PIT, APIC timer, PM timer and RTC of the guest all derive from
 * it, so that a machine can be paused, restored elsewhere and run under a fake clock.
 */
public interface Clock {
    /**
     * Nanoseconds of machine time: monotonic, 0 when the machine was created, standing still while
     * it is paused.
     */
    long nanos();

    /** The date and time of day, for real-time clocks. */
    Instant wallTime();

    /**
     * Makes an alarm, not yet armed. {@code action} runs on the clock's thread, never on the
     * caller's, never twice at once; it must not block.
     */
    Alarm newAlarm(Runnable action);

    /** A one-shot timer. Thread-safe. Arming an armed alarm replaces its deadline. */
    interface Alarm {
        /**
         * @param deadline in {@link Clock#nanos()}; one that has passed fires at once
         */
        void arm(long deadline);

        /**
         * An action that has already begun is not interrupted and may finish after this returns.
         */
        void disarm();
    }
}
