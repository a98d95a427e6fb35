package org.javisor.device;

import java.time.Instant;
import java.time.InstantSource;
import java.util.PriorityQueue;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;

/**
 * Machine time that follows the host's monotonic clock while the machine runs and stands still
 * while it is paused. One thread carries out the alarms of all devices in the order of their
 * deadlines.
 *
 * <p>Starts paused, at 0.
 */
public final class SystemClock implements Clock, AutoCloseable {
    private final InstantSource wall;
    private final Consumer<Throwable> onFailure;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final PriorityQueue<SystemAlarm> armed = new PriorityQueue<>();
    private final Thread thread;

    /**
     * Both facts in one word, so that {@link #nanos()} needs no lock: while running, host time
     * minus machine time; while paused, the machine time itself.
     */
    private volatile Phase phase = new Phase(false, 0);

    private boolean closed;

    /** Machine time the timer thread sleeps towards; 0 while it is awake. Guarded by the lock. */
    private long sleepsUntil;

    private record Phase(boolean running, long value) {}

    /**
     * @param name of the timer thread
     * @param wall the time of day
     * @param onFailure hears, on the timer thread, of an action that threw; the clock goes on
     */
    public SystemClock(String name, InstantSource wall, Consumer<Throwable> onFailure) {
        this.wall = wall;
        this.onFailure = onFailure;
        this.thread = Thread.ofPlatform().name(name).daemon().start(this::runAlarms);
    }

    @Override
    public long nanos() {
        Phase now = phase;
        return now.running() ? System.nanoTime() - now.value() : now.value();
    }

    @Override
    public Instant wallTime() {
        return wall.instant();
    }

    /**
     * Stops time. No alarm begins after this returns until {@link #resume()}. No effect while
     * paused.
     */
    public void pause() {
        lock.lock();
        try {
            if (phase.running()) {
                phase = new Phase(false, System.nanoTime() - phase.value());
                changed.signal();
            }
        } finally {
            lock.unlock();
        }
    }

    /** Lets time go on from where it stood. No effect while it runs. */
    public void resume() {
        lock.lock();
        try {
            if (!phase.running()) {
                phase = new Phase(true, System.nanoTime() - phase.value());
                changed.signal();
            }
        } finally {
            lock.unlock();
        }
    }

    @Override
    public Alarm newAlarm(Runnable action) {
        return new SystemAlarm(action);
    }

    /** Ends the timer thread; armed alarms never fire. */
    @Override
    public void close() {
        lock.lock();
        try {
            closed = true;
            armed.clear();
            changed.signal();
        } finally {
            lock.unlock();
        }
        if (Thread.currentThread() != thread) {
            joinUninterruptibly();
        }
    }

    private void joinUninterruptibly() {
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void runAlarms() {
        while (true) {
            SystemAlarm due;
            lock.lock();
            try {
                due = awaitDue();
            } finally {
                lock.unlock();
            }
            if (due == null) {
                return;
            }
            try {
                due.action.run();
            } catch (RuntimeException | Error e) {
                onFailure.accept(e);
            }
        }
    }

    /** The next alarm whose time has come, disarmed; null once the clock is closed. */
    private SystemAlarm awaitDue() {
        while (!closed) {
            SystemAlarm first = armed.peek();
            if (first == null || !phase.running()) {
                sleepsUntil = Long.MAX_VALUE;
                changed.awaitUninterruptibly();
            } else {
                long wait = first.deadline - nanos();
                if (wait <= 0) {
                    sleepsUntil = 0;
                    armed.remove();
                    first.armed = false;
                    return first;
                }
                sleepsUntil = first.deadline;
                sleep(wait);
            }
            sleepsUntil = 0;
        }
        return null;
    }

    private void sleep(long nanos) {
        try {
            long ignored = changed.awaitNanos(nanos);
        } catch (InterruptedException e) {
            // Nobody interrupts this thread on purpose; the loop looks at the time again.
        }
    }

    private final class SystemAlarm implements Alarm, Comparable<SystemAlarm> {
        private final Runnable action;
        private long deadline;
        private boolean armed;

        SystemAlarm(Runnable action) {
            this.action = action;
        }

        @Override
        public void arm(long newDeadline) {
            lock.lock();
            try {
                if (closed) {
                    return;
                }
                if (armed) {
                    SystemClock.this.armed.remove(this);
                }
                deadline = newDeadline;
                armed = true;
                SystemClock.this.armed.add(this);
                // A deadline after the one the thread sleeps towards is found when it wakes: no
                // context switch now.
                if (newDeadline < sleepsUntil) {
                    changed.signal();
                }
            } finally {
                lock.unlock();
            }
        }

        @Override
        public void disarm() {
            lock.lock();
            try {
                if (armed) {
                    armed = false;
                    SystemClock.this.armed.remove(this);
                }
            } finally {
                lock.unlock();
            }
        }

        @Override
        public int compareTo(SystemAlarm other) {
            return Long.compare(deadline, other.deadline);
        }
    }
}
