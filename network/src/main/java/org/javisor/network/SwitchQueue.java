package org.javisor.network;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;

/**
 * What waits for a card at a port. Frames go straight to the card while it takes them; what it
 * refuses is copied and kept, up to a limit, until it has room.
 */
final class SwitchQueue {
    /** Enough for the windows that Linux's TCP grows to. */
    private static final int CAPACITY = 4 << 20;

    private final ReentrantLock lock = new ReentrantLock();
    private final ArrayDeque<Frame> waiting = new ArrayDeque<>();
    private final Segmenter segmenter = new Segmenter();
    private final AtomicLong dropped = new AtomicLong();
    private LinkEnd card;
    private int bytes;
    private boolean dirty;

    void connect(LinkEnd end) {
        lock.lock();
        try {
            card = end;
        } finally {
            lock.unlock();
        }
    }

    /** Frames that found no room. */
    long dropped() {
        return dropped.get();
    }

    void deliver(Frame frame) {
        lock.lock();
        try {
            if (card == null) {
                return;
            }
            dirty = true;
            if (!waiting.isEmpty() || !segmenter.deliver(frame, card)) {
                keep(frame);
            }
        } finally {
            lock.unlock();
        }
    }

    private void keep(Frame frame) {
        if (bytes + frame.length() > CAPACITY) {
            dropped.incrementAndGet();
            return;
        }
        ByteBuffer copy = ByteBuffer.allocate(frame.length());
        frame.copyTo(copy);
        waiting.add(new Frame().reset(copy.flip()).leaveAs(frame));
        bytes += frame.length();
    }

    void roomAgain() {
        lock.lock();
        try {
            while (card != null && !waiting.isEmpty()) {
                Frame next = waiting.peek();
                if (!segmenter.deliver(next, card)) {
                    break;
                }
                waiting.remove();
                bytes -= next.length();
            }
            if (card != null) {
                card.flush();
            }
        } finally {
            lock.unlock();
        }
    }

    void flush() {
        lock.lock();
        try {
            if (card != null && dirty) {
                dirty = false;
                card.flush();
            }
        } finally {
            lock.unlock();
        }
    }

    void close() {
        lock.lock();
        try {
            card = null;
            waiting.clear();
        } finally {
            lock.unlock();
        }
    }
}
