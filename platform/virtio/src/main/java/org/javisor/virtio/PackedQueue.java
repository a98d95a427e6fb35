package org.javisor.virtio;

import java.lang.invoke.VarHandle;
import org.javisor.memory.GuestMemory;

/**
 * The packed layout: one ring in which the device overwrites descriptors that it has used (virtio
 * 1.2, section 2.8). Whose turn an entry is, the flags AVAIL and USED tell, compared with a counter
 * that changes with each round.
 */
final class PackedQueue extends Virtqueue {
    private static final int AVAIL = 1 << 7;
    private static final int USED = 1 << 15;
    private static final int WRAP = 1 << 15;

    /** Offset of the flags in an event suppression structure, after position and wrap counter. */
    private static final int EVENT_FLAGS = 2;

    private static final int EVENTS_ALWAYS = 0;
    private static final int EVENTS_NEVER = 1;
    private static final int EVENTS_AT_POSITION = 2;

    private final int size;
    private final long ring;
    private final long driverEvents;
    private final long deviceEvents;
    private int nextAvailable;
    private boolean availableWrap;
    private int nextUsed;
    private boolean usedWrap;

    /** Entries used since the last publication; the first one's flags are held back till then. */
    private int unpublished;

    private long heldBackEntry;
    private int heldBackFlags;
    private boolean declined;

    /** Whether the driver was told a position to notify at. */
    private boolean positioned;

    PackedQueue(
            QueueSetup setup,
            Position position,
            GuestMemory memory,
            long features,
            Runnable interrupt,
            VirtioSignals signals) {
        super(memory, features, interrupt, signals);
        size = setup.size();
        ring = setup.descriptors();
        driverEvents = setup.driverArea();
        deviceEvents = setup.deviceArea();
        nextAvailable = (position.available() & WRAP - 1) % size;
        availableWrap = (position.available() & WRAP) != 0;
        nextUsed = (position.used() & WRAP - 1) % size;
        usedWrap = (position.used() & WRAP) != 0;
    }

    /** Where a queue starts. */
    static Position start() {
        return new Position(WRAP, WRAP);
    }

    @Override
    public int size() {
        return size;
    }

    @Override
    Position position() {
        return new Position(
                nextAvailable | (availableWrap ? WRAP : 0), nextUsed | (usedWrap ? WRAP : 0));
    }

    @Override
    boolean available() {
        int flags = memory.read16(ring + (long) DESCRIPTOR * nextAvailable + 14);
        boolean isAvailable =
                ((flags & AVAIL) != 0) == availableWrap && ((flags & USED) != 0) != availableWrap;
        // The rest of the entry, and those chained to it, must not be read before its flags.
        VarHandle.acquireFence();
        return isAvailable;
    }

    @Override
    boolean take(DescriptorChain chain) {
        chain.start = nextAvailable;
        chain.startWrap = availableWrap;
        int index = nextAvailable;
        for (int seen = 1; seen <= size; seen++) {
            long at = ring + (long) DESCRIPTOR * index;
            long address = memory.read64(at);
            long rest = memory.read64(at + 8);
            long length = rest & 0xffffffffL;
            int flags = (int) (rest >>> 48);
            if ((flags & INDIRECT) != 0) {
                if (!mayBeIndirect(flags, length) || !followTable(chain, address, length)) {
                    return false;
                }
            } else if (length != 0 && !chain.add(address, length, (flags & WRITE) != 0)) {
                return false;
            }
            index = index + 1 == size ? 0 : index + 1;
            if ((flags & NEXT) == 0) {
                chain.id = (int) (rest >>> 32) & 0xffff;
                chain.slots = seen;
                availableWrap ^= index <= nextAvailable;
                nextAvailable = index;
                return true;
            }
        }
        return false;
    }

    /** A table's descriptors are all part of the chain, in order (2.8.8). */
    private boolean followTable(DescriptorChain chain, long table, long length) {
        for (long at = table; at != table + length; at += DESCRIPTOR) {
            long address = memory.read64(at);
            long rest = memory.read64(at + 8);
            int flags = (int) (rest >>> 48);
            if ((flags & INDIRECT) != 0) {
                return false;
            }
            long part = rest & 0xffffffffL;
            if (part != 0 && !chain.add(address, part, (flags & WRITE) != 0)) {
                return false;
            }
        }
        return true;
    }

    @Override
    void untake(DescriptorChain chain) {
        nextAvailable = chain.start;
        availableWrap = chain.startWrap;
    }

    @Override
    void put(DescriptorChain chain, int written) {
        long entry = ring + (long) DESCRIPTOR * nextUsed;
        memory.write32(entry + 8, written);
        memory.write16(entry + 12, chain.id);
        int flags = (usedWrap ? AVAIL | USED : 0) | (written != 0 ? WRITE : 0);
        if (unpublished == 0) {
            heldBackEntry = entry;
            heldBackFlags = flags;
        } else {
            VarHandle.releaseFence();
            memory.write16(entry + 14, flags);
        }
        unpublished += chain.slots;
        nextUsed += chain.slots;
        if (nextUsed >= size) {
            nextUsed -= size;
            usedWrap = !usedWrap;
        }
    }

    @Override
    boolean publish() {
        if (unpublished == 0) {
            return false;
        }
        VarHandle.releaseFence();
        memory.write16(heldBackEntry + 14, heldBackFlags);
        int old = nextUsed - unpublished;
        unpublished = 0;
        // Or the driver could add its wish after it was read here and before it sees the entries.
        VarHandle.fullFence();
        int wish = memory.read16(driverEvents + EVENT_FLAGS) & 3;
        if (wish != EVENTS_AT_POSITION || !eventIndex) {
            return wish != EVENTS_NEVER;
        }
        int position = memory.read16(driverEvents);
        int event = position & WRAP - 1;
        if ((position & WRAP) != 0 != usedWrap) {
            event -= size;
        }
        return passed(event, nextUsed, old);
    }

    @Override
    void askForNotifications() {
        if (eventIndex) {
            memory.write16(deviceEvents, nextAvailable | (availableWrap ? WRAP : 0));
            VarHandle.releaseFence();
            memory.write16(deviceEvents + EVENT_FLAGS, EVENTS_AT_POSITION);
            positioned = true;
        } else if (declined) {
            memory.write16(deviceEvents + EVENT_FLAGS, EVENTS_ALWAYS);
        }
        declined = false;
        VarHandle.fullFence();
    }

    @Override
    void declineNotifications() {
        // A position that is not moved on is request enough to be left alone.
        if (!declined && !positioned) {
            memory.write16(deviceEvents + EVENT_FLAGS, EVENTS_NEVER);
        }
        declined = true;
    }
}
