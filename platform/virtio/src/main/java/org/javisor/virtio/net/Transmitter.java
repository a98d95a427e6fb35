package org.javisor.virtio.net;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import org.javisor.network.Frame;
import org.javisor.network.LinkEnd;
import org.javisor.virtio.DescriptorChain;
import org.javisor.virtio.Virtqueue;

/**
 * Empties one of the driver's transmit queues (virtio 1.2, 5.1.6.2), on a thread of its own, so
 * that a guest computes while its data is on the way. Single short frames, of which nearly all the
 * time would go into waking that thread, are sent by whoever notifies.
 */
final class Transmitter implements AutoCloseable {
    /** Frames after which the driver gets its buffers back at the latest. */
    private static final int BURST = 32;

    /** What is sent without waking the thread: frames at a time, and bytes of each. */
    private static final int FEW = 2;

    private static final int SHORT = 2048;

    /** Room in the network that was missing before, told to it on this thread. */
    interface Room {
        void again();
    }

    private final ReentrantLock lock = new ReentrantLock();
    private final DescriptorChain chain = new DescriptorChain();
    private final PacketHeader header = new PacketHeader();
    private final ByteBuffer staging = ByteBuffer.allocateDirect(Frame.MAXIMUM_LENGTH);
    private final MemorySegment stagingSegment = MemorySegment.ofBuffer(staging);
    private final Frame frame = new Frame();
    private final Thread thread;
    private final Room room;
    private final Steering steering;
    private final int index;
    private Virtqueue queue;
    private LinkEnd network;
    private long features;
    private volatile boolean kicked;
    private volatile boolean roomKicked;
    private volatile boolean closed;

    /** Frames and bytes that were sent, and frames that made no sense. */
    final AtomicLong frames = new AtomicLong();

    final AtomicLong bytes = new AtomicLong();
    final AtomicLong malformed = new AtomicLong();

    Transmitter(String name, int index, Steering steering, Room room) {
        this.index = index;
        this.steering = steering;
        this.room = room;
        thread = Thread.ofPlatform().daemon().name(name).unstarted(this::run);
    }

    void activate(Virtqueue newQueue, LinkEnd newNetwork, long newFeatures) {
        lock.lock();
        try {
            queue = newQueue;
            network = newNetwork;
            features = newFeatures;
            if (thread.getState() == Thread.State.NEW) {
                thread.start();
            }
        } finally {
            lock.unlock();
        }
    }

    /** When it returns, the thread touches no guest memory any more. */
    void deactivate() {
        lock.lock();
        try {
            queue = null;
        } finally {
            lock.unlock();
        }
    }

    /** The driver has added something; on the thread of the processor that says so. */
    void notified() {
        if (kicked || !sendFew()) {
            kick();
        }
    }

    /** Returns whether there was nothing but a few short frames, and they are sent. */
    private boolean sendFew() {
        if (!lock.tryLock()) {
            return false;
        }
        try {
            if (queue == null || closed) {
                return true;
            }
            int count = 0;
            boolean more;
            while ((more = queue.next(chain)) && count < FEW && chain.readableLength() <= SHORT) {
                if (!send()) {
                    break;
                }
                queue.addUsed(chain, 0);
                count++;
            }
            if (more) {
                queue.putBack(chain);
            }
            if (count > 0) {
                network.flush();
                queue.flushUsed();
            }
            return !more;
        } finally {
            lock.unlock();
        }
    }

    /** There may be something to send, or the network takes frames again. */
    void kick() {
        if (!kicked) {
            kicked = true;
            LockSupport.unpark(thread);
        }
    }

    /** The driver has added receive buffers that the network has been waiting for. */
    void kickRoom() {
        roomKicked = true;
        LockSupport.unpark(thread);
    }

    private void run() {
        while (!closed) {
            if (roomKicked) {
                roomKicked = false;
                room.again();
            } else if (kicked) {
                kicked = false;
                while (burst()) {
                    Thread.onSpinWait();
                }
            } else {
                LockSupport.park(this);
            }
        }
    }

    /** Returns whether there may be more. */
    private boolean burst() {
        lock.lock();
        try {
            if (queue == null || closed) {
                return false;
            }
            int count = 0;
            boolean more = true;
            while (count < BURST && (more = queue.next(chain))) {
                if (!send()) {
                    queue.putBack(chain);
                    more = false;
                    break;
                }
                queue.addUsed(chain, 0);
                count++;
            }
            if (count > 0) {
                network.flush();
                queue.flushUsed();
            }
            return more;
        } finally {
            lock.unlock();
        }
    }

    /** Returns false if the network has no room; malformed frames count as sent. */
    private boolean send() {
        long length = chain.readableLength() - PacketHeader.LENGTH;
        if (length <= 0 || length > staging.capacity()) {
            malformed.incrementAndGet();
            return true;
        }
        chain.read(PacketHeader.LENGTH, stagingSegment, 0, length);
        staging.clear().limit((int) length);
        frame.reset(staging);
        if (!header.read(chain, frame, features)) {
            malformed.incrementAndGet();
            return true;
        }
        steering.sent(staging, index);
        if (!network.deliver(frame)) {
            return false;
        }
        frames.incrementAndGet();
        bytes.addAndGet(length);
        return true;
    }

    @Override
    public void close() {
        closed = true;
        deactivate();
        LockSupport.unpark(thread);
        boolean interrupted = false;
        while (thread.isAlive() && thread != Thread.currentThread()) {
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
}
