package org.javisor.virtio;

import java.util.BitSet;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.IntConsumer;

/**
 * A thread that does a device's work, so that no processor waits for it: one piece of work at a
 * time, chosen by number, each number pending at most once. Queues are numbered as in the device;
 * numbers behind them are the device's own.
 *
 * <p>A virtual thread: its work may wait for the host's files and sockets.
 */
public final class QueueWorker {
    private final IntConsumer work;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final BitSet pending = new BitSet();
    private final String name;
    private Thread thread;
    private boolean running;
    private boolean busy;
    private boolean closed;

    /**
     * @param name of the thread
     * @param work is told the number; called by the thread only
     */
    public QueueWorker(String name, IntConsumer work) {
        this.name = name;
        this.work = work;
    }

    /** What is signalled from now on is done. */
    public void start() {
        lock.lock();
        try {
            running = true;
            if (thread == null && !closed) {
                thread = Thread.ofVirtual().name(name).start(this::run);
            }
        } finally {
            lock.unlock();
        }
    }

    /** Asks for a piece of work; nothing happens unless started. Does not wait. */
    public void signal(int number) {
        lock.lock();
        try {
            if (running && !pending.get(number)) {
                pending.set(number);
                changed.signalAll();
            }
        } finally {
            lock.unlock();
        }
    }

    /** Waits until nothing is asked for and nothing under way. Not for the thread itself. */
    public void finish() {
        lock.lock();
        try {
            while (busy || running && !pending.isEmpty()) {
                changed.awaitUninterruptibly();
            }
        } finally {
            lock.unlock();
        }
    }

    /** Forgets what has not begun and waits for what has; until {@link #start}, nothing is done. */
    public void stop() {
        lock.lock();
        try {
            running = false;
            pending.clear();
            while (busy) {
                changed.awaitUninterruptibly();
            }
        } finally {
            lock.unlock();
        }
    }

    /** Stops for ever. */
    public void close() {
        stop();
        lock.lock();
        try {
            closed = true;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private void run() {
        lock.lock();
        try {
            while (!closed) {
                int number = pending.nextSetBit(0);
                if (number < 0) {
                    changed.awaitUninterruptibly();
                    continue;
                }
                pending.clear(number);
                busy = true;
                lock.unlock();
                try {
                    work.accept(number);
                } finally {
                    lock.lock();
                    busy = false;
                }
                changed.signalAll();
            }
        } finally {
            lock.unlock();
        }
    }
}
