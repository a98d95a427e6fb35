package org.javisor.device;

import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;

/**
 * The I/O port space: 65,536 ports, each claimed by one device or none. An unclaimed port reads as
 * all ones and ignores writes, as a cycle that no card answers does.
 *
 * <p>An access that lies wholly in one device's range is one call to that device; one that crosses
 * a border is split into bytes, lowest port first. Lookups take no lock and allocate nothing;
 * attaching and detaching may happen at any time, also while processors access the bus.
 */
public final class PioBus {
    private static final int PORTS = 0x10000;
    private static final int PAGE = 0x100;

    /** What answers at a range of ports. */
    private static final class Slot {
        final String name;
        final int base;
        final int length;
        final PioDevice device;

        /**
         * Counted without synchronization: losing a count is cheaper than a locked addition for
         * each access.
         */
        long accesses;

        Slot(String name, int base, int length, PioDevice device) {
            this.name = name;
            this.base = base;
            this.length = length;
            this.device = device;
        }

        int end() {
            return base + length;
        }
    }

    /**
     * By the port's high byte, then its low one. Replaced, never changed, so that readers need no
     * lock.
     */
    private volatile Slot[][] pages = emptyPages();

    private final Map<String, Long> detachedAccesses = new TreeMap<>();

    private static Slot[][] emptyPages() {
        Slot[][] pages = new Slot[PORTS / PAGE][];
        Arrays.fill(pages, new Slot[PAGE]);
        return pages;
    }

    /**
     * Lets a device answer at a range of ports.
     *
     * @param name what statistics count the accesses under; several ranges may share one
     * @throws IllegalArgumentException if the range is not within the 65,536 ports or overlaps
     *     another
     */
    public synchronized void attach(String name, int base, int length, PioDevice device) {
        Slot other = firstIn(base, length);
        if (other != null) {
            throw new IllegalArgumentException(
                    "Port %#x already belongs to %s"
                            .formatted(Math.max(base, other.base), other.name));
        }
        fill(base, length, new Slot(name, base, length, device));
    }

    /**
     * As {@link #attach}, for a range that a guest chose.
     *
     * @return false, with nothing changed, if the range overlaps another
     * @throws IllegalArgumentException if the range is not within the 65,536 ports
     */
    public synchronized boolean attachIfFree(String name, int base, int length, PioDevice device) {
        if (firstIn(base, length) != null) {
            return false;
        }
        fill(base, length, new Slot(name, base, length, device));
        return true;
    }

    /** What answers first in a range; null if nothing does. */
    private Slot firstIn(int base, int length) {
        if (base < 0 || length <= 0 || length > PORTS - base) {
            throw new IllegalArgumentException(
                    "No such port range: %#x, %d ports".formatted(base, length));
        }
        for (int port = base; port < base + length; port++) {
            Slot slot = pages[port / PAGE][port % PAGE];
            if (slot != null) {
                return slot;
            }
        }
        return null;
    }

    /**
     * Takes the device off that was attached at {@code base}.
     *
     * @throws IllegalArgumentException if none was
     */
    public synchronized void detach(int base) {
        Slot slot = base < 0 || base >= PORTS ? null : pages[base / PAGE][base % PAGE];
        if (slot == null || slot.base != base) {
            throw new IllegalArgumentException("No device is attached at port %#x".formatted(base));
        }
        detachedAccesses.merge(slot.name, slot.accesses, Long::sum);
        fill(base, slot.length, null);
    }

    private void fill(int base, int length, Slot slot) {
        Slot[][] after = pages.clone();
        for (int page = base / PAGE; page <= (base + length - 1) / PAGE; page++) {
            after[page] = after[page].clone();
        }
        for (int port = base; port < base + length; port++) {
            after[port / PAGE][port % PAGE] = slot;
        }
        pages = after;
    }

    /**
     * @param port its low 16 bits count
     * @param size 1, 2 or 4 bytes
     */
    public int read(int port, int size) {
        int first = port & 0xffff;
        Slot slot = pages[first >>> 8][first & 0xff];
        if (slot != null && first + size <= slot.end()) {
            slot.accesses++;
            return slot.device.readPort(first - slot.base, size);
        }
        return readBytewise(first, size);
    }

    /** The counterpart of {@link #read}; {@code value} counts in its low {@code size} bytes. */
    public void write(int port, int size, int value) {
        int first = port & 0xffff;
        Slot slot = pages[first >>> 8][first & 0xff];
        if (slot != null && first + size <= slot.end()) {
            slot.accesses++;
            slot.device.writePort(first - slot.base, size, value);
            return;
        }
        writeBytewise(first, size, value);
    }

    private int readBytewise(int port, int size) {
        int value = 0;
        for (int i = 0; i < size; i++) {
            Slot slot = at(port + i);
            int part = 0xff;
            if (slot != null) {
                slot.accesses++;
                part = slot.device.readPort(port + i - slot.base, 1) & 0xff;
            }
            value |= part << (8 * i);
        }
        return value;
    }

    private void writeBytewise(int port, int size, int value) {
        for (int i = 0; i < size; i++) {
            Slot slot = at(port + i);
            if (slot != null) {
                slot.accesses++;
                slot.device.writePort(port + i - slot.base, 1, (value >>> (8 * i)) & 0xff);
            }
        }
    }

    private Slot at(int port) {
        return port >= PORTS ? null : pages[port / PAGE][port % PAGE];
    }

    /** Accesses since creation by device name, approximate while processors run. */
    public synchronized Map<String, Long> accesses() {
        Map<String, Long> result = new TreeMap<>(detachedAccesses);
        Slot previous = null;
        for (Slot[] page : pages) {
            for (Slot slot : page) {
                if (slot != null && slot != previous) {
                    result.merge(slot.name, slot.accesses, Long::sum);
                    previous = slot;
                }
            }
        }
        return result;
    }
}
