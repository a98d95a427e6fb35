package org.javisor.virtio;

import java.lang.invoke.VarHandle;
import org.javisor.memory.GuestMemory;

/** The split layout: descriptor table, available ring and used ring (virtio 1.2, section 2.7). */
final class SplitQueue extends Virtqueue {
    /** In the flags of the available ring: the driver looks by itself. */
    private static final int NO_INTERRUPT = 1;

    /** In the flags of the used ring: the device looks by itself. */
    private static final int NO_NOTIFY = 1;

    private final int size;
    private final long descriptors;
    private final long availableRing;
    private final long usedRing;

    /** Modulo 2^16, as all indices of this layout. */
    private int nextAvailable;

    private int nextUsed;

    /** The driver's index when it was read last; saves reading it for each chain. */
    private int seenAvailable;

    private int publishedUsed;
    private boolean declined;

    SplitQueue(
            QueueSetup setup,
            Position position,
            GuestMemory memory,
            long features,
            Runnable interrupt,
            VirtioSignals signals) {
        super(memory, features, interrupt, signals);
        size = setup.size();
        descriptors = setup.descriptors();
        availableRing = setup.driverArea();
        usedRing = setup.deviceArea();
        nextAvailable = position.available() & 0xffff;
        seenAvailable = nextAvailable;
        nextUsed = position.used() & 0xffff;
        publishedUsed = nextUsed;
    }

    @Override
    public int size() {
        return size;
    }

    @Override
    Position position() {
        return new Position(nextAvailable, publishedUsed);
    }

    @Override
    boolean available() {
        if (seenAvailable != nextAvailable) {
            return true;
        }
        seenAvailable = memory.read16(availableRing + 2);
        int count = seenAvailable - nextAvailable & 0xffff;
        if (count > size) {
            broken("The driver's available index is further ahead than the queue is long");
            return false;
        }
        // The entries and what they lead to must not be read before the index that covers them.
        VarHandle.acquireFence();
        return count > 0;
    }

    @Override
    boolean take(DescriptorChain chain) {
        int head = memory.read16(availableRing + 4 + 2L * (nextAvailable & size - 1));
        chain.id = head;
        chain.slots = 1;
        if (!follow(chain, head)) {
            return false;
        }
        nextAvailable = nextAvailable + 1 & 0xffff;
        return true;
    }

    private boolean follow(DescriptorChain chain, int head) {
        long table = descriptors;
        long entries = size;
        int index = head;
        boolean insideTable = false;
        // A chain that has more descriptors than there are is a ring.
        for (int seen = 0; seen < MAXIMUM_SIZE + 1; seen++) {
            if (index >= entries) {
                return false;
            }
            long at = table + (long) DESCRIPTOR * index;
            long address = memory.read64(at);
            long rest = memory.read64(at + 8);
            long length = rest & 0xffffffffL;
            int flags = (int) (rest >>> 32) & 0xffff;
            if ((flags & INDIRECT) != 0) {
                if (insideTable || !mayBeIndirect(flags, length)) {
                    return false;
                }
                insideTable = true;
                table = address;
                entries = length / DESCRIPTOR;
                index = 0;
                continue;
            }
            if (length != 0 && !chain.add(address, length, (flags & WRITE) != 0)) {
                return false;
            }
            if ((flags & NEXT) == 0) {
                return true;
            }
            index = (int) (rest >>> 48);
        }
        return false;
    }

    @Override
    void untake(DescriptorChain chain) {
        nextAvailable = nextAvailable - 1 & 0xffff;
    }

    @Override
    void put(DescriptorChain chain, int written) {
        long entry = usedRing + 4 + 8L * (nextUsed & size - 1);
        memory.write32(entry, chain.id);
        memory.write32(entry + 4, written);
        nextUsed = nextUsed + 1 & 0xffff;
    }

    @Override
    boolean publish() {
        int before = publishedUsed;
        if (nextUsed == before) {
            return false;
        }
        VarHandle.releaseFence();
        memory.write16(usedRing + 2, nextUsed);
        publishedUsed = nextUsed;
        // Or the driver could add its wish after it was read here and before it sees the index.
        VarHandle.fullFence();
        if (eventIndex) {
            return passed(memory.read16(availableRing + 4 + 2L * size), nextUsed, before);
        }
        return (memory.read16(availableRing) & NO_INTERRUPT) == 0;
    }

    @Override
    void askForNotifications() {
        if (eventIndex) {
            memory.write16(usedRing + 4 + 8L * size, nextAvailable);
        } else if (declined) {
            memory.write16(usedRing, 0);
        }
        declined = false;
        VarHandle.fullFence();
    }

    @Override
    void declineNotifications() {
        // With event indices an index that is not moved on is request enough to be left alone.
        if (!eventIndex && !declined) {
            memory.write16(usedRing, NO_NOTIFY);
        }
        declined = true;
    }
}
