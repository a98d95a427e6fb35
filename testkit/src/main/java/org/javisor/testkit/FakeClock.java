package org.javisor.testkit;

import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.javisor.device.Clock;

/**
 * A clock that moves only when told; due alarms run on the thread that moves it, in the order of
 * their deadlines.
 */
public final class FakeClock implements Clock {
    private final Instant start;
    private final List<FakeAlarm> armed = new ArrayList<>();
    private long now;

    public FakeClock(Instant start) {
        this.start = start;
    }

    public FakeClock() {
        this(Instant.parse("2026-01-01T00:00:00Z"));
    }

    @Override
    public synchronized long nanos() {
        return now;
    }

    @Override
    public synchronized Instant wallTime() {
        return start.plusNanos(now);
    }

    @Override
    public Alarm newAlarm(Runnable action) {
        return new FakeAlarm(action);
    }

    /** Moves the time on, stopping at each deadline on the way to run its action. */
    public void advance(long nanos) {
        long target = nanos() + nanos;
        while (true) {
            FakeAlarm due = takeDue(target);
            if (due == null) {
                break;
            }
            due.action.run();
        }
        synchronized (this) {
            now = target;
        }
    }

    private synchronized FakeAlarm takeDue(long target) {
        FakeAlarm due =
                armed.stream()
                        .filter(alarm -> alarm.deadline <= target)
                        .min(Comparator.comparingLong(alarm -> alarm.deadline))
                        .orElse(null);
        if (due != null) {
            armed.remove(due);
            now = Math.max(now, due.deadline);
        }
        return due;
    }

    private final class FakeAlarm implements Alarm {
        private final Runnable action;
        private long deadline;

        FakeAlarm(Runnable action) {
            this.action = action;
        }

        @Override
        public void arm(long newDeadline) {
            synchronized (FakeClock.this) {
                armed.remove(this);
                deadline = newDeadline;
                armed.add(this);
            }
        }

        @Override
        public void disarm() {
            synchronized (FakeClock.this) {
                armed.remove(this);
            }
        }
    }
}
