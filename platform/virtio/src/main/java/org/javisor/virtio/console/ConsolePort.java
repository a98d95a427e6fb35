package org.javisor.virtio.console;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.javisor.virtio.DescriptorChain;
import org.javisor.virtio.Virtqueue;

/** The host's end of one port: what the guest writes goes to a sink, what is sent waits here. */
public final class ConsolePort {
    /** Takes what the guest writes. May wait a little; the device's other ports wait too. */
    @FunctionalInterface
    public interface Sink {
        void write(byte[] data, int offset, int length);
    }

    /** What waits for the guest to read it; senders wait beyond that. */
    private static final int MOST_WAITING = 1 << 16;

    /** What one request of the guest's may write; drivers write pages. The rest is dropped. */
    private static final int MOST_WRITTEN = 1 << 20;

    private final String name;
    private final Sink sink;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final Deque<byte[]> waiting = new ArrayDeque<>();
    private int waitingBytes;
    private boolean closed;
    private Runnable wake = () -> {};

    /** Whether the guest's driver has set the port up; and whether a program there has it open. */
    private volatile boolean guestReady;

    private volatile boolean guestOpen;

    /**
     * @param name under which programs in the guest find it; empty for none
     * @param sink takes what the guest writes
     */
    public ConsolePort(String name, Sink sink) {
        this.name = name;
        this.sink = sink;
    }

    public String name() {
        return name;
    }

    /** Whether a program in the guest has the port open. */
    public boolean guestOpen() {
        return guestOpen;
    }

    /**
     * Sends to the guest; waits while more than 64 KiB are not read yet.
     *
     * @return false if the device was closed meanwhile
     */
    public boolean send(byte[] data) throws InterruptedException {
        lock.lockInterruptibly();
        try {
            while (waitingBytes > MOST_WAITING && !closed) {
                changed.await();
            }
            if (closed) {
                return false;
            }
            if (data.length > 0) {
                waiting.add(data.clone());
                waitingBytes += data.length;
            }
        } finally {
            lock.unlock();
        }
        wake.run();
        return true;
    }

    // For the device

    void connect(Runnable whenSomethingWaits) {
        wake = whenSomethingWaits;
    }

    void guestReady(boolean ready) {
        guestReady = ready;
        guestOpen &= ready;
    }

    boolean guestReady() {
        return guestReady;
    }

    void guestOpen(boolean open) {
        guestOpen = open;
    }

    /** Takes over what the guest wrote. */
    void takeFrom(Virtqueue queue, DescriptorChain chain, byte[] buffer) {
        while (queue.next(chain)) {
            long end = Math.min(chain.readableLength(), MOST_WRITTEN);
            for (long at = 0; at < end; at += buffer.length) {
                int part = chain.read(at, buffer, 0, (int) Math.min(buffer.length, end - at));
                sink.write(buffer, 0, part);
            }
            queue.complete(chain, 0);
        }
    }

    /** Puts what waits into the buffers that there are. */
    void giveTo(Virtqueue queue, DescriptorChain chain) {
        lock.lock();
        try {
            while (!waiting.isEmpty() && queue.next(chain)) {
                int written = 0;
                while (!waiting.isEmpty() && written < chain.writableLength()) {
                    byte[] first = waiting.poll();
                    int part = chain.write(written, first, 0, first.length);
                    written += part;
                    waitingBytes -= part;
                    if (part < first.length) {
                        waiting.push(java.util.Arrays.copyOfRange(first, part, first.length));
                    }
                }
                queue.addUsed(chain, written);
            }
            changed.signalAll();
        } finally {
            lock.unlock();
        }
        queue.flushUsed();
    }

    byte[] save() {
        lock.lock();
        try {
            byte[] all = new byte[waitingBytes];
            int at = 0;
            for (byte[] part : waiting) {
                System.arraycopy(part, 0, all, at, part.length);
                at += part.length;
            }
            return all;
        } finally {
            lock.unlock();
        }
    }

    void restore(byte[] all) {
        lock.lock();
        try {
            waiting.clear();
            if (all.length > 0) {
                waiting.add(all.clone());
            }
            waitingBytes = all.length;
        } finally {
            lock.unlock();
        }
    }

    void close() {
        lock.lock();
        try {
            closed = true;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }
}
