package org.javisor.virtio;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.javisor.memory.GuestMemory;

/** A queue as the driver sees it, in either layout. */
public final class FakeQueue {
    /**
     * A request that the device has completed.
     *
     * @param token what {@link #add} returned for it
     * @param written bytes, as the device says
     * @param content of the writable buffers
     */
    public record Used(int token, int written, byte[] content) {}

    record Buffer(long address, int length, boolean writable) {}

    private record Pending(List<Buffer> buffers, List<Integer> descriptors) {}

    private final FakeDriver driver;
    private final GuestMemory memory;
    private final int index;
    private final int size;
    private final boolean packed;
    private final long descriptors;
    private final long driverArea;
    private final long deviceArea;
    private final Map<Integer, Pending> pending = new HashMap<>();
    private final Deque<Integer> freeDescriptors = new ArrayDeque<>();
    private boolean useTables;
    private int nextAvailable;
    private int nextUsed;
    private boolean availableWrap = true;
    private boolean usedWrap = true;
    private int unkicked;

    FakeQueue(FakeDriver driver, int index, int size) {
        this.driver = driver;
        this.memory = driver.memory;
        this.index = index;
        this.size = size;
        packed = driver.has(VirtioFeatures.RING_PACKED);
        descriptors = driver.allocate(16L * size, 16);
        driverArea = driver.allocate(packed ? 4 : 6 + 2L * size, 4);
        deviceArea = driver.allocate(packed ? 4 : 6 + 8L * size, 4);
        for (int i = 0; i < size; i++) {
            freeDescriptors.add(i);
        }
    }

    long descriptors() {
        return descriptors;
    }

    long driverArea() {
        return driverArea;
    }

    long deviceArea() {
        return deviceArea;
    }

    /** From now on, puts each request's descriptors into a table of their own. */
    public void useTables(boolean use) {
        useTables = use;
    }

    /** Free descriptors. */
    public int room() {
        return freeDescriptors.size();
    }

    /**
     * Makes a request available, without notifying.
     *
     * @param readable contents of the buffers that the device reads
     * @param writable sizes of those that it writes
     */
    public int add(List<byte[]> readable, int... writable) {
        List<Buffer> buffers = new ArrayList<>();
        for (byte[] content : readable) {
            long at = driver.allocateBuffer(content.length, 1);
            memory.write(at, content, 0, content.length);
            buffers.add(new Buffer(at, content.length, false));
        }
        for (int length : writable) {
            buffers.add(new Buffer(driver.allocateBuffer(length, 1), length, true));
        }
        return add(buffers);
    }

    int add(List<Buffer> buffers) {
        return packed ? addPacked(buffers) : addSplit(buffers);
    }

    private long table(List<Buffer> buffers) {
        long table = driver.allocateBuffer(16 * buffers.size(), 16);
        for (int i = 0; i < buffers.size(); i++) {
            Buffer buffer = buffers.get(i);
            boolean last = i == buffers.size() - 1;
            int flags = (buffer.writable ? 2 : 0) | (last || packed ? 0 : 1);
            memory.write64(table + 16L * i, buffer.address);
            memory.write32(table + 16L * i + 8, buffer.length);
            memory.write16(table + 16L * i + (packed ? 14 : 12), flags);
            memory.write16(table + 16L * i + (packed ? 12 : 14), packed ? 0 : i + 1);
        }
        return table;
    }

    private int addSplit(List<Buffer> buffers) {
        List<Integer> used = new ArrayList<>();
        int count = useTables ? 1 : buffers.size();
        for (int i = 0; i < count; i++) {
            used.add(freeDescriptors.remove());
        }
        for (int i = 0; i < count; i++) {
            long at = descriptors + 16L * used.get(i);
            Buffer buffer = buffers.get(i);
            memory.write64(at, useTables ? table(buffers) : buffer.address);
            memory.write32(at + 8, useTables ? 16 * buffers.size() : buffer.length);
            boolean last = i == count - 1;
            memory.write16(at + 12, useTables ? 4 : (buffer.writable ? 2 : 0) | (last ? 0 : 1));
            memory.write16(at + 14, last ? 0 : used.get(i + 1));
        }
        int head = used.getFirst();
        pending.put(head, new Pending(buffers, used));
        memory.write16(driverArea + 4 + 2L * (nextAvailable % size), head);
        nextAvailable = nextAvailable + 1 & 0xffff;
        memory.write16(driverArea + 2, nextAvailable);
        unkicked++;
        return head;
    }

    private int addPacked(List<Buffer> buffers) {
        List<Integer> used = new ArrayList<>();
        int count = useTables ? 1 : buffers.size();
        for (int i = 0; i < count; i++) {
            used.add(freeDescriptors.remove());
        }
        int id = used.getFirst();
        long first = -1;
        int firstFlags = 0;
        for (int i = 0; i < count; i++) {
            Buffer buffer = buffers.get(i);
            long at = descriptors + 16L * nextAvailable;
            memory.write64(at, useTables ? table(buffers) : buffer.address);
            memory.write32(at + 8, useTables ? 16 * buffers.size() : buffer.length);
            memory.write16(at + 12, id);
            int kind = useTables ? 4 : (buffer.writable ? 2 : 0) | (i < count - 1 ? 1 : 0);
            int flags = kind | (availableWrap ? 1 << 7 : 1 << 15);
            if (i == 0) {
                first = at;
                firstFlags = flags;
            } else {
                memory.write16(at + 14, flags);
            }
            if (++nextAvailable == size) {
                nextAvailable = 0;
                availableWrap = !availableWrap;
            }
        }
        memory.write16(first + 14, firstFlags);
        pending.put(id, new Pending(buffers, used));
        unkicked += count;
        return id;
    }

    /** Notifies, if the device wants that. Returns whether it did. */
    public boolean kick() {
        boolean needed = packed ? packedWantsKick() : splitWantsKick();
        unkicked = 0;
        if (needed) {
            driver.setRegister(0x50, index);
        }
        return needed;
    }

    private boolean splitWantsKick() {
        if (driver.has(VirtioFeatures.RING_EVENT_IDX)) {
            int event = memory.read16(deviceArea + 4 + 8L * size);
            return Virtqueue.passed(event, nextAvailable, nextAvailable - unkicked);
        }
        return (memory.read16(deviceArea) & 1) == 0;
    }

    private boolean packedWantsKick() {
        int flags = memory.read16(deviceArea + 2) & 3;
        if (flags != 2) {
            return flags == 0;
        }
        int position = memory.read16(deviceArea);
        int event = position & 0x7fff;
        if ((position & 0x8000) != 0 != availableWrap) {
            event -= size;
        }
        return Virtqueue.passed(event, nextAvailable, nextAvailable - unkicked);
    }

    /** Says whether the device shall interrupt, or when. Event positions: at the next used one. */
    public void wantInterrupts(boolean want) {
        if (packed) {
            if (want && driver.has(VirtioFeatures.RING_EVENT_IDX)) {
                memory.write16(driverArea, nextUsed | (usedWrap ? 0x8000 : 0));
                memory.write16(driverArea + 2, 2);
            } else {
                memory.write16(driverArea + 2, want ? 0 : 1);
            }
        } else if (driver.has(VirtioFeatures.RING_EVENT_IDX)) {
            int event = want ? nextUsed : nextUsed + 0x8000 & 0xffff;
            memory.write16(driverArea + 4 + 2L * size, event);
        } else {
            memory.write16(driverArea, want ? 0 : 1);
        }
    }

    /** The next request that the device has completed, if there is one. */
    public Optional<Used> poll() {
        return packed ? pollPacked() : pollSplit();
    }

    private Optional<Used> pollSplit() {
        if (memory.read16(deviceArea + 2) == nextUsed) {
            return Optional.empty();
        }
        long entry = deviceArea + 4 + 8L * (nextUsed % size);
        nextUsed = nextUsed + 1 & 0xffff;
        return Optional.of(complete(memory.read32(entry), memory.read32(entry + 4)));
    }

    private Optional<Used> pollPacked() {
        long entry = descriptors + 16L * nextUsed;
        int flags = memory.read16(entry + 14);
        if ((flags >>> 15 & 1) != (usedWrap ? 1 : 0) || (flags >>> 7 & 1) != (usedWrap ? 1 : 0)) {
            return Optional.empty();
        }
        int id = memory.read16(entry + 12);
        Pending request = pending.get(id);
        if (request == null) {
            throw new AssertionError("The device completed what was not available: " + id);
        }
        nextUsed += request.descriptors.size();
        if (nextUsed >= size) {
            nextUsed -= size;
            usedWrap = !usedWrap;
        }
        return Optional.of(complete(id, memory.read32(entry + 8)));
    }

    private Used complete(int token, int written) {
        Pending request = pending.remove(token);
        if (request == null) {
            throw new AssertionError("The device completed what was not available: " + token);
        }
        freeDescriptors.addAll(request.descriptors);
        int length = 0;
        for (Buffer buffer : request.buffers) {
            length += buffer.writable ? buffer.length : 0;
        }
        byte[] content = new byte[length];
        int at = 0;
        for (Buffer buffer : request.buffers) {
            if (buffer.writable) {
                memory.read(buffer.address, content, at, buffer.length);
                at += buffer.length;
            }
        }
        return new Used(token, written, content);
    }

    /** Waits for the next completed request. */
    public Used await() {
        Used[] found = new Used[1];
        FakeDriver.await(
                () -> {
                    poll().ifPresent(used -> found[0] = used);
                    return found[0] != null;
                });
        return found[0];
    }

    /** One request from start to end. */
    public Used request(List<byte[]> readable, int... writable) {
        int token = add(readable, writable);
        kick();
        Used used = await();
        if (used.token() != token) {
            throw new AssertionError("Another request was completed");
        }
        return used;
    }
}
