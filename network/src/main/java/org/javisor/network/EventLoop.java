package org.javisor.network;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.ClosedSelectorException;
import java.nio.channels.SelectableChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The thread that waits for a network's sockets and timers. It works under the network's lock; so
 * does everybody else who touches what its handlers touch.
 */
final class EventLoop implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(EventLoop.class);

    /** What is attached to each channel's key; called under the lock. */
    interface Handler {
        void ready(SelectionKey key);
    }

    /** What is done by the clock. */
    interface Timed {
        /** When {@link #turn} wants to be called, in {@link System#nanoTime}. */
        long deadline();

        /** After each round of handlers, under the lock. */
        void turn(long now);
    }

    private final ReentrantLock lock;
    private final Timed timed;
    private final Selector selector;
    private final Thread thread;
    private volatile boolean closed;

    /**
     * @throws NetworkException HOST_CANNOT if the host has no more descriptors
     */
    EventLoop(String name, ReentrantLock lock, Timed timed) {
        this.lock = lock;
        this.timed = timed;
        try {
            selector = Selector.open();
        } catch (IOException e) {
            throw new NetworkException(
                    NetworkException.Code.HOST_CANNOT,
                    "Cannot wait for sockets: " + e.getMessage(),
                    e);
        }
        thread = Thread.ofPlatform().daemon().name(name).unstarted(this::run);
    }

    void start() {
        thread.start();
    }

    /** Registers a channel, which must not block. */
    SelectionKey register(SelectableChannel channel, int operations, Handler handler)
            throws IOException {
        try {
            SelectionKey key = channel.register(selector, operations, handler);
            wake();
            return key;
        } catch (ClosedSelectorException e) {
            throw new IOException("The network is closed", e);
        }
    }

    /** Makes the thread look at keys and deadlines anew. */
    void wake() {
        if (Thread.currentThread() != thread) {
            selector.wakeup();
        }
    }

    private void run() {
        while (!closed) {
            try {
                select();
            } catch (ClosedSelectorException e) {
                return;
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    private void select() throws IOException {
        long wait = timed.deadline() - System.nanoTime();
        if (timed.deadline() == Long.MAX_VALUE) {
            selector.select();
        } else if (wait <= 0) {
            selector.selectNow();
        } else {
            selector.select(TimeUnit.NANOSECONDS.toMillis(wait) + 1);
        }
        lock.lock();
        try {
            for (SelectionKey key : selector.selectedKeys()) {
                handle(key);
            }
            selector.selectedKeys().clear();
            timed.turn(System.nanoTime());
        } finally {
            lock.unlock();
        }
    }

    private static void handle(SelectionKey key) {
        if (!key.isValid()) {
            return;
        }
        try {
            ((Handler) key.attachment()).ready(key);
        } catch (RuntimeException e) {
            // One broken connection must not take the network along.
            LOG.warn("A socket's event could not be handled", e);
            key.cancel();
        }
    }

    /**
     * Stops the thread and closes every channel that is still registered. Must not be called with
     * the lock held.
     */
    @Override
    public void close() {
        closed = true;
        selector.wakeup();
        boolean interrupted = false;
        while (thread.isAlive() && Thread.currentThread() != thread) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (!selector.isOpen()) {
            return;
        }
        // The thread has ended: nobody else changes the keys.
        selector.keys().forEach(key -> UserNetwork.closeQuietly(key.channel()));
        try {
            selector.close();
        } catch (IOException e) {
            LOG.debug("Closing a selector", e);
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
