package org.javisor.virtio;

import org.javisor.memory.GuestMemory;

/**
 * A queue of requests between a driver and a device, in either layout (virtio 1.2, sections 2.7 and
 * 2.8), from the device's side.
 *
 * <pre>
 * while (queue.next(chain)) {
 *     int written = …;              // read the chain, write the chain
 *     queue.addUsed(chain, written);
 * }
 * queue.flushUsed();
 * </pre>
 *
 * <p>While {@link #next} keeps finding chains, the driver is asked not to notify; when it finds
 * none, it has asked the driver to notify again and has looked once more. So a device that calls it
 * until it returns false misses nothing. Chains may be completed later, in any order and from any
 * thread.
 *
 * <p>Thread-safe. After a reset a queue is dead: it is empty and ignores what is added, so that a
 * completion that comes too late does no harm.
 */
public abstract sealed class Virtqueue permits SplitQueue, PackedQueue, AbsentQueue {
    /** The largest size of a queue, and the most buffers of a chain, here. */
    public static final int MAXIMUM_SIZE = 1024;

    /** What a descriptor's flags mean, in both layouts. */
    static final int NEXT = 1;

    static final int WRITE = 2;
    static final int INDIRECT = 4;

    /** Bytes of a descriptor. */
    static final int DESCRIPTOR = 16;

    final GuestMemory memory;
    final boolean eventIndex;
    private final boolean indirect;
    private final Runnable interrupt;
    private final VirtioSignals signals;
    private boolean dead;
    private boolean wanted = true;

    Virtqueue(GuestMemory memory, long features, Runnable interrupt, VirtioSignals signals) {
        this.memory = memory;
        this.eventIndex = (features >>> VirtioFeatures.RING_EVENT_IDX & 1) != 0;
        this.indirect = (features >>> VirtioFeatures.RING_INDIRECT_DESC & 1) != 0;
        this.interrupt = interrupt;
        this.signals = signals;
    }

    /** Entries. */
    public abstract int size();

    /**
     * Takes the next chain that the driver has made available.
     *
     * @return false if there is none, or none that can be used: then the device is broken already
     */
    public final synchronized boolean next(DescriptorChain chain) {
        if (dead) {
            return false;
        }
        if (!available()) {
            if (dead || !wanted) {
                return false;
            }
            askForNotifications();
            if (dead || !available()) {
                return false;
            }
        }
        if (wanted) {
            declineNotifications();
        }
        chain.clear(memory);
        if (!take(chain)) {
            dead = true;
            signals.broken("The driver made a descriptor chain that breaks the rules");
            return false;
        }
        return true;
    }

    /**
     * Whether {@link #next} would find something. Does not ask for a notification when there is
     * nothing.
     */
    public final synchronized boolean hasNext() {
        return !dead && available();
    }

    /**
     * Puts the chain that was taken last back, as if {@link #next} had not found it; then perhaps
     * the one before it, and so on.
     */
    public final synchronized void putBack(DescriptorChain chain) {
        if (!dead) {
            untake(chain);
        }
    }

    /**
     * Gives a chain back to the driver, which sees it after {@link #flushUsed}: chains that are
     * added before one flush appear all at once.
     *
     * @param written how many bytes from the start of the writable part were written, unsigned
     */
    public final synchronized void addUsed(DescriptorChain chain, int written) {
        if (!dead) {
            put(chain, written);
        }
    }

    /** Shows the driver what was added, and interrupts it if there is something and it wants to. */
    public final void flushUsed() {
        boolean wants;
        synchronized (this) {
            wants = !dead && publish();
        }
        if (wants) {
            interrupt.run();
        }
    }

    /** One chain: {@link #addUsed} and {@link #flushUsed}. */
    public final void complete(DescriptorChain chain, int written) {
        addUsed(chain, written);
        flushUsed();
    }

    /**
     * Whether the driver shall notify when it adds something, as it does at first. Not wanted for
     * queues of empty buffers that the device looks at only when it has something to put there.
     */
    public final synchronized void wantNotifications(boolean want) {
        wanted = want;
        if (dead) {
            return;
        }
        if (want) {
            askForNotifications();
        } else {
            declineNotifications();
        }
    }

    /** Makes the queue empty for ever. */
    final synchronized void kill() {
        dead = true;
    }

    /** Where the device stands in the ring, for snapshots. */
    abstract Position position();

    /**
     * Positions in a ring. In the packed layout bit 15 is the wrap counter (2.8.21).
     *
     * @param available of what the device takes next
     * @param used of what the device gives back next
     */
    record Position(int available, int used) {}

    /** Whether the driver has made another chain available. May find the queue {@link #broken}. */
    abstract boolean available();

    /**
     * Follows the next chain.
     *
     * @return false if it breaks the rules
     */
    abstract boolean take(DescriptorChain chain);

    abstract void untake(DescriptorChain chain);

    abstract void put(DescriptorChain chain, int written);

    /** Returns whether something was published that the driver wants to be interrupted for. */
    abstract boolean publish();

    /** Asks the driver to notify of the next chain; then what it wrote before can be seen. */
    abstract void askForNotifications();

    abstract void declineNotifications();

    /** The ring itself contradicts the rules. */
    final void broken(String reason) {
        dead = true;
        signals.broken(reason);
    }

    /** Whether a descriptor may refer to a table. */
    final boolean mayBeIndirect(int flags, long length) {
        return indirect
                && (flags & NEXT) == 0
                && length != 0
                && length % DESCRIPTOR == 0
                && length / DESCRIPTOR <= MAXIMUM_SIZE;
    }

    /**
     * Whether an index that went from {@code old} to {@code now} passed the one that the other side
     * waits for (2.7.10, "vring_need_event"); modulo 2^16.
     */
    static boolean passed(int event, int now, int old) {
        return (now - event - 1 & 0xffff) < (now - old & 0xffff);
    }
}
