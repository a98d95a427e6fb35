package org.javisor.chipset;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.javisor.device.Clock;

/**
 * A clock that stands still until a test moves it; due alarms then run on the test's thread, in
 * order.
 */
final class FakeClock implements Clock {
    private static final int TOO_MANY = 2_000_000;

    private final Instant start;
    private final List<FakeAlarm> alarms = new ArrayList<>();
    private long now;
    long fired;

    FakeClock() {
        this(Instant.parse("2026-03-01T12:34:56Z"));
    }

    FakeClock(Instant start) {
        this.start = start;
    }

    @Override
    public long nanos() {
        return now;
    }

    @Override
    public Instant wallTime() {
        return start.plusNanos(now);
    }

    @Override
    public Alarm newAlarm(Runnable action) {
        FakeAlarm alarm = new FakeAlarm(action);
        alarms.add(alarm);
        return alarm;
    }

    void advance(long nanos) {
        long end = now + nanos;
        for (int count = 0; ; count++) {
            FakeAlarm next = earliest();
            if (next == null || next.deadline > end) {
                break;
            }
            if (count > TOO_MANY) {
                throw new AssertionError("An alarm re-arms itself for ever");
            }
            now = Math.max(now, next.deadline);
            next.armed = false;
            fired++;
            next.action.run();
        }
        now = end;
    }

    /** How many alarms are waiting. */
    long armed() {
        return alarms.stream().filter(alarm -> alarm.armed).count();
    }

    private FakeAlarm earliest() {
        FakeAlarm best = null;
        for (FakeAlarm alarm : alarms) {
            if (alarm.armed && (best == null || alarm.deadline < best.deadline)) {
                best = alarm;
            }
        }
        return best;
    }

    private static final class FakeAlarm implements Alarm {
        private final Runnable action;
        private long deadline;
        private boolean armed;

        FakeAlarm(Runnable action) {
            this.action = action;
        }

        @Override
        public void arm(long at) {
            deadline = at;
            armed = true;
        }

        @Override
        public void disarm() {
            armed = false;
        }
    }
}
