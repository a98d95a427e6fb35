package org.javisor.virtio.net;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import org.javisor.network.Frame;
import org.javisor.virtio.DescriptorChain;
import org.javisor.virtio.Virtqueue;

/** Fills one of the driver's receive queues (virtio 1.2, 5.1.6.3 and 5.1.6.4). */
final class Receiver {
    /**
     * The most buffers for one frame: 64 KiB in the smallest that drivers use, and a bound for
     * those that offer smaller ones.
     */
    private static final int MAXIMUM_BUFFERS = 256;

    private final ReentrantLock lock = new ReentrantLock();
    private final List<DescriptorChain> chains = new ArrayList<>();
    private final PacketHeader header = new PacketHeader();
    private Virtqueue queue;
    private boolean mergeable;
    private boolean pending;

    /** Frames and bytes that were received, and frames that had no place. */
    final AtomicLong frames = new AtomicLong();

    final AtomicLong bytes = new AtomicLong();
    final AtomicLong dropped = new AtomicLong();

    void activate(Virtqueue newQueue, boolean mergeableBuffers) {
        lock.lock();
        try {
            queue = newQueue;
            mergeable = mergeableBuffers;
            pending = false;
            queue.wantNotifications(false);
        } finally {
            lock.unlock();
        }
    }

    void deactivate() {
        lock.lock();
        try {
            queue = null;
        } finally {
            lock.unlock();
        }
    }

    /**
     * Puts a frame into the queue, to be shown to the driver by {@link #flush}.
     *
     * @return false if the driver has too few buffers there now; it is asked to tell when it adds
     *     some
     */
    boolean deliver(Frame frame) {
        lock.lock();
        try {
            if (queue == null) {
                return true;
            }
            if (fill(frame)) {
                return true;
            }
            queue.wantNotifications(true);
            // It may have added some before it could know that this is of interest.
            boolean taken = fill(frame);
            if (taken) {
                queue.wantNotifications(false);
            } else if (pending) {
                // The driver may be waiting for these to give others.
                pending = false;
                queue.flushUsed();
            }
            return taken;
        } finally {
            lock.unlock();
        }
    }

    private boolean fill(Frame frame) {
        long needed = PacketHeader.LENGTH + (long) frame.length();
        long room = 0;
        int count = 0;
        int most = mergeable ? MAXIMUM_BUFFERS : 1;
        while (room < needed && count < most) {
            if (count == chains.size()) {
                chains.add(new DescriptorChain());
            }
            DescriptorChain chain = chains.get(count);
            if (!queue.next(chain)) {
                break;
            }
            room += chain.writableLength();
            count++;
        }
        if (room < needed) {
            boolean hopeless = count >= Math.min(most, queue.size());
            if (hopeless) {
                dropped.incrementAndGet();
            }
            for (int i = count - 1; i >= 0; i--) {
                queue.putBack(chains.get(i));
            }
            return hopeless;
        }
        if (chains.getFirst().writableLength() < PacketHeader.LENGTH) {
            // Against 5.1.6.3.1; the buffer is used up so that the next one has its turn.
            queue.addUsed(chains.getFirst(), 0);
            for (int i = count - 1; i > 0; i--) {
                queue.putBack(chains.get(i));
            }
            pending = true;
            dropped.incrementAndGet();
            return true;
        }
        header.write(chains.getFirst(), frame, count);
        scatter(frame, count, needed);
        frames.incrementAndGet();
        bytes.addAndGet(frame.length());
        pending = true;
        return true;
    }

    private void scatter(Frame frame, int count, long needed) {
        int index = 0;
        long at = PacketHeader.LENGTH;
        for (int i = 0; i < frame.parts(); i++) {
            MemorySegment part = MemorySegment.ofBuffer(frame.part(i));
            long done = 0;
            while (done < part.byteSize()) {
                DescriptorChain chain = chains.get(index);
                long step = Math.min(part.byteSize() - done, chain.writableLength() - at);
                chain.write(at, part, done, step);
                done += step;
                at += step;
                if (at == chain.writableLength()) {
                    index++;
                    at = 0;
                }
            }
        }
        long left = needed;
        for (int i = 0; i < count; i++) {
            long used = Math.min(left, chains.get(i).writableLength());
            queue.addUsed(chains.get(i), (int) used);
            left -= used;
        }
    }

    /** Shows the driver what has been delivered. */
    void flush() {
        lock.lock();
        try {
            if (pending && queue != null) {
                pending = false;
                queue.flushUsed();
            }
        } finally {
            lock.unlock();
        }
    }

    /** The driver has added buffers: the next shortage will be told anew. */
    void replenished() {
        lock.lock();
        try {
            if (queue != null) {
                queue.wantNotifications(false);
            }
        } finally {
            lock.unlock();
        }
    }
}
