package org.javisor.device;

import java.util.Arrays;
import java.util.Comparator;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The memory-mapped devices of a machine by guest-physical address. What no device claims reads as
 * all ones and ignores writes.
 *
 * <p>An access that lies wholly in one device's range is one call to that device; one that crosses
 * a border is split into bytes, lowest address first. Lookups take no lock and allocate nothing;
 * attaching and detaching may happen at any time, also while processors access the bus.
 */
public final class MmioBus {
    /** What answers at a range of addresses; unsigned. */
    private static final class Slot {
        final String name;
        final long base;
        final long length;
        final MmioDevice device;

        /**
         * Counted without synchronization: losing a count is cheaper than a locked addition for
         * each access.
         */
        long accesses;

        Slot(String name, long base, long length, MmioDevice device) {
            this.name = name;
            this.base = base;
            this.length = length;
            this.device = device;
        }

        boolean contains(long gpa) {
            return Long.compareUnsigned(gpa - base, length) < 0;
        }

        boolean meets(Slot other) {
            return contains(other.base) || other.contains(base);
        }

        boolean holds(long gpa, int size) {
            return contains(gpa) && Long.compareUnsigned(size, length - (gpa - base)) <= 0;
        }
    }

    /** In ascending order. Replaced, never changed, so that readers need no lock. */
    private volatile Slot[] slots = new Slot[0];

    private final Map<String, Long> detachedAccesses = new TreeMap<>();

    private Optional<Doorbells> doorbells = Optional.empty();

    /** Lets the engine signal the doorbells of all devices. Before the first is attached. */
    public synchronized void connect(Doorbells engine) {
        doorbells = Optional.of(engine);
    }

    /**
     * Lets a device answer at a range of guest-physical addresses.
     *
     * @param name what statistics count the accesses under; several ranges may share one
     * @param length bytes
     * @throws IllegalArgumentException if the range is empty, wraps or overlaps another
     */
    public synchronized void attach(String name, long base, long length, MmioDevice device) {
        Slot added = slot(name, base, length, device);
        for (Slot slot : slots) {
            if (slot.meets(added)) {
                throw new IllegalArgumentException(
                        "Address %#x already belongs to %s".formatted(slot.base, slot.name));
            }
        }
        add(added);
    }

    /**
     * As {@link #attach}, for a range that a guest chose.
     *
     * @return false, with nothing changed, if the range overlaps another
     * @throws IllegalArgumentException if the range is empty or wraps
     */
    public synchronized boolean attachIfFree(
            String name, long base, long length, MmioDevice device) {
        Slot added = slot(name, base, length, device);
        for (Slot slot : slots) {
            if (slot.meets(added)) {
                return false;
            }
        }
        add(added);
        return true;
    }

    private static Slot slot(String name, long base, long length, MmioDevice device) {
        if (length <= 0 || Long.compareUnsigned(base, base + length - 1) > 0) {
            throw new IllegalArgumentException(
                    "No such address range: %#x, %d bytes".formatted(base, length));
        }
        return new Slot(name, base, length, device);
    }

    private void add(Slot added) {
        Slot[] after = Arrays.copyOf(slots, slots.length + 1);
        after[after.length - 1] = added;
        Arrays.sort(after, Comparator.comparing(slot -> slot.base, Long::compareUnsigned));
        slots = after;
        doorbells.ifPresent(
                engine ->
                        added.device
                                .doorbells()
                                .forEach(bell -> engine.install(added.base + bell.offset(), bell)));
    }

    /**
     * Takes the device off that was attached at {@code base}.
     *
     * @throws IllegalArgumentException if none was
     */
    public synchronized void detach(long base) {
        Slot slot = find(slots, base);
        if (slot == null || slot.base != base) {
            throw new IllegalArgumentException("No device is attached at %#x".formatted(base));
        }
        doorbells.ifPresent(
                engine ->
                        slot.device
                                .doorbells()
                                .forEach(bell -> engine.remove(slot.base + bell.offset(), bell)));
        detachedAccesses.merge(slot.name, slot.accesses, Long::sum);
        slots = Arrays.stream(slots).filter(other -> other != slot).toArray(Slot[]::new);
    }

    /** The device there, or null: the hot path of exits, where an Optional would allocate. */
    private static Slot find(Slot[] slots, long gpa) {
        int low = 0;
        int high = slots.length - 1;
        while (low <= high) {
            int middle = (low + high) >>> 1;
            Slot slot = slots[middle];
            if (slot.contains(gpa)) {
                return slot;
            }
            if (Long.compareUnsigned(gpa, slot.base) < 0) {
                high = middle - 1;
            } else {
                low = middle + 1;
            }
        }
        return null;
    }

    /**
     * @param size 1, 2, 4 or 8 bytes
     */
    public long read(long gpa, int size) {
        Slot[] current = slots;
        Slot slot = find(current, gpa);
        if (slot != null && slot.holds(gpa, size)) {
            slot.accesses++;
            return slot.device.readMmio(gpa - slot.base, size);
        }
        long value = 0;
        for (int i = 0; i < size; i++) {
            Slot part = find(current, gpa + i);
            long read = 0xff;
            if (part != null) {
                part.accesses++;
                read = part.device.readMmio(gpa + i - part.base, 1) & 0xff;
            }
            value |= read << (8 * i);
        }
        return value;
    }

    /** The counterpart of {@link #read}; {@code value} counts in its low {@code size} bytes. */
    public void write(long gpa, int size, long value) {
        Slot[] current = slots;
        Slot slot = find(current, gpa);
        if (slot != null && slot.holds(gpa, size)) {
            slot.accesses++;
            slot.device.writeMmio(gpa - slot.base, size, value);
            return;
        }
        for (int i = 0; i < size; i++) {
            Slot part = find(current, gpa + i);
            if (part != null) {
                part.accesses++;
                part.device.writeMmio(gpa + i - part.base, 1, (value >>> (8 * i)) & 0xff);
            }
        }
    }

    /** Accesses since creation by device name, approximate while processors run. */
    public synchronized Map<String, Long> accesses() {
        Map<String, Long> result = new TreeMap<>(detachedAccesses);
        for (Slot slot : slots) {
            result.merge(slot.name, slot.accesses, Long::sum);
        }
        return result;
    }
}
