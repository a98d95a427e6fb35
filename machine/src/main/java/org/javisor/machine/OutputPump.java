package org.javisor.machine;

import java.time.Duration;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Carries a serial port's output from the processors' threads to a sink on a thread of its own, so
 * that a sink that blocks cannot keep a machine from being paused or ended. A full buffer slows the
 * guest down; it is bounded.
 */
final class OutputPump implements AutoCloseable {
    private static final int CAPACITY = 1 << 16;

    private final ByteSink sink;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition filled = lock.newCondition();
    private final Condition emptied = lock.newCondition();
    private final Thread thread;
    private byte[] buffer = new byte[CAPACITY];
    private int count;
    private boolean idle;
    private boolean writing;
    private boolean flowing = true;
    private boolean closed;

    /** Set by {@link #finishWithin}: when waiting for the sink ends, in host nanoseconds. */
    private boolean hurried;

    private long deadline;

    OutputPump(String name, ByteSink sink) {
        this.sink = sink;
        this.thread = Thread.ofPlatform().name(name).daemon().start(this::pump);
    }

    /**
     * Appends a byte; waits while the buffer is full and {@link #letFlow} has not been told
     * otherwise.
     */
    void write(byte value) {
        lock.lock();
        try {
            while (count == CAPACITY && flowing && !closed) {
                emptied.awaitUninterruptibly();
            }
            if (count < CAPACITY && !closed) {
                buffer[count++] = value;
                if (idle) {
                    filled.signal();
                }
            }
        } finally {
            lock.unlock();
        }
    }

    /**
     * Whether writers wait for room. If not, what finds none is lost; for a machine that has to
     * stop now.
     */
    void letFlow(boolean wait) {
        lock.lock();
        try {
            flowing = wait;
            emptied.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** From now on the sink has only so long to take what is left. */
    void finishWithin(Duration limit) {
        lock.lock();
        try {
            deadline = System.nanoTime() + limit.toNanos();
            hurried = true;
            emptied.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** Waits until the sink has taken everything or its time is over. */
    void drain() {
        lock.lock();
        try {
            while ((count > 0 || writing) && !closed) {
                if (!hurried) {
                    emptied.awaitUninterruptibly();
                } else if (emptied.awaitNanos(deadline - System.nanoTime()) <= 0) {
                    return;
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            lock.unlock();
        }
    }

    private void pump() {
        byte[] spare = new byte[CAPACITY];
        while (true) {
            int length;
            lock.lock();
            try {
                writing = false;
                emptied.signalAll();
                idle = true;
                while (count == 0 && !closed) {
                    filled.awaitUninterruptibly();
                }
                idle = false;
                if (count == 0) {
                    return;
                }
                byte[] full = buffer;
                buffer = spare;
                spare = full;
                length = count;
                count = 0;
                writing = true;
            } finally {
                lock.unlock();
            }
            deliver(spare, length);
        }
    }

    private void deliver(byte[] data, int length) {
        try {
            sink.write(data, 0, length);
        } catch (RuntimeException e) {
            // Nobody listens any more; the guest does not care.
        }
    }

    /** Ends the thread once the sink has taken what is left; does not wait for it. */
    @Override
    public void close() {
        lock.lock();
        try {
            closed = true;
            filled.signal();
            emptied.signalAll();
        } finally {
            lock.unlock();
        }
    }
}
