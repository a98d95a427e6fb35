package org.javisor.chipset;

import java.util.function.IntConsumer;
import java.util.function.LongSupplier;
import org.javisor.device.Clock;
import org.javisor.device.LocalApicState;

/**
 * The local APIC's timer (Intel SDM vol. 3A, 11.5.4): one-shot, periodic and TSC-deadline. Its
 * input runs at 1 GHz, one tick a nanosecond of machine time before the divider.
 *
 * <p>Registers belong to the processor's thread, the alarm runs on the clock's; one lock guards
 * both.
 */
final class ApicTimer {
    private static final int MASKED = 1 << 16;
    private static final int ONE_SHOT = 0;
    private static final int PERIODIC = 1;
    private static final int DEADLINE = 2;

    /** A guest that asks for interrupts faster than this gets fewer: the host must stay usable. */
    private static final long SHORTEST_ALARM_PERIOD = 50_000;

    private final Clock clock;
    private final LongSupplier tsc;
    private final IntConsumer fire;
    private final Clock.Alarm alarm;

    private int lvt = MASKED;
    private int initialCount;
    private int divide;
    private long start;
    private boolean running;
    private long deadline;

    /**
     * @param tsc the processor's time-stamp counter now
     * @param fire takes the vector; lock-free
     */
    ApicTimer(Clock clock, LongSupplier tsc, IntConsumer fire) {
        this.clock = clock;
        this.tsc = tsc;
        this.fire = fire;
        this.alarm = clock.newAlarm(this::expire);
    }

    synchronized void reset() {
        lvt = MASKED;
        divide = 0;
        stop();
    }

    private void stop() {
        initialCount = 0;
        running = false;
        deadline = 0;
        alarm.disarm();
    }

    synchronized int lvt() {
        return lvt;
    }

    synchronized void setLvt(int value) {
        int before = mode();
        lvt = value;
        if (before != mode() && (before == DEADLINE || mode() == DEADLINE)) {
            stop();
        } else if (mode() == ONE_SHOT && before == PERIODIC && period() != 0) {
            // The period under way becomes the one shot.
            long now = clock.nanos();
            start = now - Math.floorMod(now - start, period());
            running = true;
        }
        schedule();
    }

    synchronized int initialCount() {
        return initialCount;
    }

    synchronized void setInitialCount(int value) {
        if (mode() == DEADLINE) {
            return;
        }
        initialCount = value;
        start = clock.nanos();
        running = value != 0;
        schedule();
    }

    synchronized int currentCount() {
        if (mode() == DEADLINE || period() == 0) {
            return 0;
        }
        long elapsed = clock.nanos() - start;
        if (mode() != PERIODIC && (!running || elapsed >= period())) {
            return 0;
        }
        return initialCount - (int) (elapsed % period() >>> shift());
    }

    synchronized int divide() {
        return divide;
    }

    synchronized void setDivide(int value) {
        long done = Integer.toUnsignedLong(initialCount) - Integer.toUnsignedLong(currentCount());
        boolean expired = mode() != PERIODIC && !running;
        divide = value & 0xb;
        if (!expired) {
            start = clock.nanos() - (done << shift());
        }
        schedule();
    }

    synchronized long deadline() {
        return mode() == DEADLINE ? deadline : 0;
    }

    synchronized void setDeadline(long value) {
        if (mode() != DEADLINE) {
            return;
        }
        deadline = value;
        schedule();
    }

    /** The divide value's exponent: 000b is 2, 110b is 128, 111b is 1. */
    private int shift() {
        int code = divide & 3 | divide >> 1 & 4;
        return code + 1 & 7;
    }

    private long period() {
        return Integer.toUnsignedLong(initialCount) << shift();
    }

    private int mode() {
        return lvt >> 17 & 3;
    }

    private void schedule() {
        long now = clock.nanos();
        switch (mode()) {
            case ONE_SHOT -> {
                if (running) {
                    alarm.arm(start + period());
                } else {
                    alarm.disarm();
                }
            }
            case PERIODIC -> {
                if (period() == 0 || (lvt & MASKED) != 0) {
                    alarm.disarm();
                } else {
                    long done = (now - start) / period();
                    alarm.arm(start + (done + 1) * period());
                }
            }
            case DEADLINE -> scheduleDeadline(now);
            default -> alarm.disarm();
        }
    }

    private void scheduleDeadline(long now) {
        if (deadline == 0) {
            alarm.disarm();
            return;
        }
        long counter = tsc.getAsLong();
        if (Long.compareUnsigned(deadline, counter) <= 0) {
            deadline = 0;
            alarm.disarm();
            interrupt();
            return;
        }
        long left = deadline - counter;
        boolean never = left < 0 || left > Long.MAX_VALUE - now;
        alarm.arm(never ? Long.MAX_VALUE : now + left);
    }

    /** On the clock's thread. The alarm may be stale, so the registers alone decide. */
    private synchronized void expire() {
        long now = clock.nanos();
        switch (mode()) {
            case ONE_SHOT -> {
                if (running && now - start >= period()) {
                    running = false;
                    interrupt();
                } else {
                    schedule();
                }
            }
            case PERIODIC -> expirePeriod(now);
            case DEADLINE -> scheduleDeadline(now);
            default -> {}
        }
    }

    private void expirePeriod(long now) {
        long period = period();
        if (period == 0 || (lvt & MASKED) != 0 || now - start < period) {
            schedule();
            return;
        }
        interrupt();
        // Periods that nobody saw are skipped, not made up for: IRR holds one.
        long next = now + Math.max(period - (now - start) % period, 1);
        long earliest = now + SHORTEST_ALARM_PERIOD;
        if (next < earliest && period < SHORTEST_ALARM_PERIOD) {
            next += (earliest - next + period - 1) / period * period;
        }
        start = now - (now - start) % period;
        alarm.arm(next);
    }

    private void interrupt() {
        if ((lvt & MASKED) == 0) {
            fire.accept(lvt & 0xff);
        }
    }

    synchronized LocalApicState.Timer save() {
        return new LocalApicState.Timer(
                initialCount, divide, clock.nanos() - start, running, deadline);
    }

    synchronized void restore(int timerLvt, LocalApicState.Timer state) {
        lvt = timerLvt;
        initialCount = state.initialCount();
        divide = state.divide() & 0xb;
        start = clock.nanos() - state.elapsedNanos();
        running = state.running();
        deadline = state.deadline();
        schedule();
    }
}
