package org.javisor.memory;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The RAM of one machine as devices, loaders and engines see it, addressed by guest-physical
 * address (gpa, bytes).
 *
 * <p>Multi-byte values are little-endian and may be unaligned and cross region borders. What lies
 * outside RAM reads as all ones and ignores writes, as an unclaimed bus cycle does; nothing here
 * throws because of an address that came from the guest. Thread-safe; accesses of up to 8 bytes
 * inside one aligned word are single accesses to host memory.
 */
public final class GuestMemory implements AutoCloseable {
    public static final int PAGE_SIZE = 4096;

    private final List<HostMapping> mappings = new ArrayList<>();
    private final List<WriteObserver> observers = new CopyOnWriteArrayList<>();
    private final Object tracking = new Object();
    private volatile RamRegion[] regions;
    private volatile boolean dirtyLogging;
    private volatile boolean countingReports;
    private final AtomicLong reports = new AtomicLong();

    private GuestMemory(RamRegion[] regions, List<HostMapping> mappings) {
        this.regions = regions;
        this.mappings.addAll(mappings);
    }

    /** A range of guest-physical address space that is to be RAM. */
    public record Range(long base, long size) {}

    /**
     * Reserves RAM at the given ranges.
     *
     * @throws OutOfHostMemoryException if the host refuses; nothing stays reserved
     */
    public static GuestMemory allocate(List<Range> ranges) {
        List<HostMapping> mappings = new ArrayList<>();
        List<RamRegion> regions = new ArrayList<>();
        long previousEnd = 0;
        try {
            for (Range range : ranges) {
                if (Long.compareUnsigned(range.base(), previousEnd) < 0) {
                    throw new IllegalArgumentException(
                            "Ranges overlap or are not in ascending order");
                }
                HostMapping mapping = HostMapping.reserve(range.size());
                mappings.add(mapping);
                regions.add(new RamRegion(range.base(), range.size(), mapping.address()));
                previousEnd = range.base() + range.size();
            }
        } catch (RuntimeException e) {
            mappings.forEach(HostMapping::close);
            throw e;
        }
        return new GuestMemory(regions.toArray(RamRegion[]::new), mappings);
    }

    /** One region from address 0: what tests and small guests need. */
    public static GuestMemory allocate(long size) {
        return allocate(List.of(new Range(0, size)));
    }

    public List<RamRegion> regions() {
        return List.of(regions);
    }

    /** Bytes of RAM in all. */
    public long size() {
        long total = 0;
        for (RamRegion region : regions) {
            total += region.size();
        }
        return total;
    }

    /**
     * The region that holds {@code gpa}, or null: the hot path of engines, where an Optional would
     * allocate.
     */
    private RamRegion find(long gpa) {
        for (RamRegion region : regions) {
            if (region.contains(gpa)) {
                return region;
            }
        }
        return null;
    }

    /** Whether the whole range is RAM. A length of 0 is; a range that wraps is not. */
    public boolean isRam(long gpa, long length) {
        if (length < 0) {
            return false;
        }
        while (length > 0) {
            RamRegion region = find(gpa);
            if (region == null) {
                return false;
            }
            long part = Math.min(length, region.end() - gpa);
            gpa += part;
            length -= part;
        }
        return true;
    }

    /**
     * The host address of a byte of RAM, valid to the end of its 4 KiB page and until this memory
     * is closed; 0 if {@code gpa} is not RAM. For engines; the caller reports its writes through
     * {@link #written}.
     */
    public long hostAddress(long gpa) {
        RamRegion region = find(gpa);
        return region == null ? 0 : region.hostAddress() + (gpa - region.base());
    }

    /**
     * The RAM from {@code gpa} on as a segment of host memory, for I/O that copies nothing. It is
     * as long as asked for, or shorter where a region ends; empty if {@code gpa} is not RAM.
     * Whoever writes through it reports that to {@link #written}, and does not use it after this
     * memory is closed.
     */
    public MemorySegment segment(long gpa, long length) {
        RamRegion region = find(gpa);
        if (region == null || length <= 0) {
            return MemorySegment.NULL;
        }
        return RawMemory.segment(at(region, gpa), Math.min(length, region.end() - gpa));
    }

    /**
     * Gives the host the memory of the whole pages in a range back, as far as they are RAM; they
     * read as zeros afterwards, or, where the host cannot do that, as before. The guest may use
     * them again at any time.
     *
     * @return bytes given back
     */
    public long discard(long gpa, long length) {
        long from = gpa + PAGE_SIZE - 1 & -PAGE_SIZE;
        long to = gpa + length & -PAGE_SIZE;
        long given = 0;
        while (Long.compareUnsigned(from, to) < 0) {
            RamRegion region = find(from);
            if (region == null) {
                break;
            }
            long part = Math.min(to - from, region.end() - from);
            if (HostMapping.discard(at(region, from), part)) {
                written(from, part);
                given += part;
            }
            from += part;
        }
        return given;
    }

    // Tracking of writes

    public void observeWrites(WriteObserver observer) {
        observers.add(observer);
    }

    public void removeObserver(WriteObserver observer) {
        observers.remove(observer);
    }

    /**
     * Whether a write to the page must be reported through {@link #written} before the writer goes
     * on.
     */
    public boolean isTracked(long gpa) {
        RamRegion region = find(gpa);
        return region != null && region.flags(gpa) != 0;
    }

    /**
     * Asks that the next write to the page reach {@link WriteObserver#codeWritten}. A store that a
     * processor has begun without asking {@link #isTracked} again may still arrive unreported: who
     * reads the page next has to wait for those of other processors first.
     *
     * @return whether that had not been asked for before
     */
    public boolean trackCode(long gpa) {
        RamRegion region = find(gpa);
        if (region == null) {
            return false;
        }
        // Who finds the page marked may rely on everybody having been told.
        synchronized (tracking) {
            if ((region.flags(gpa) & RamRegion.CODE) != 0) {
                return false;
            }
            region.setFlags(gpa, RamRegion.CODE);
            for (WriteObserver observer : observers) {
                observer.writesTracked(gpa & -PAGE_SIZE);
            }
            return true;
        }
    }

    /**
     * Reports that a range was written: records it in the dirty log and tells the observers about
     * code pages.
     */
    public void written(long gpa, long length) {
        // Who marks a page after this question reads what was stored before it.
        VarHandle.fullFence();
        if (countingReports) {
            reports.incrementAndGet();
        }
        long last = gpa + length - 1;
        for (long page = gpa & -PAGE_SIZE;
                Long.compareUnsigned(page, last) <= 0;
                page += PAGE_SIZE) {
            RamRegion region = find(page);
            if (region == null || region.flags(page) == 0) {
                continue;
            }
            int before = region.clearFlags(page, RamRegion.CLEAN);
            if ((before & RamRegion.CODE) != 0) {
                long from = Long.compareUnsigned(gpa, page) < 0 ? page : gpa;
                codeWritten(region, from, Math.min(last, page + PAGE_SIZE - 1) - from + 1);
            }
        }
    }

    /** Lets every call of {@link #written} count from now on; devices make one for each write. */
    public void countReports() {
        countingReports = true;
    }

    /**
     * How many there have been: whoever compares memory with itself looks whether there was one.
     */
    public long reports() {
        return reports.get();
    }

    private void codeWritten(RamRegion region, long gpa, long length) {
        boolean kept = false;
        for (WriteObserver observer : observers) {
            kept |= observer.codeChanged(gpa, (int) length);
        }
        if (!kept) {
            long page = gpa & -PAGE_SIZE;
            // The flag first: who tracks the page anew from now on is told of the drop too.
            region.clearFlags(page, RamRegion.CODE);
            for (WriteObserver observer : observers) {
                observer.codeWritten(page);
            }
        }
    }

    /**
     * Starts, or starts over, recording which pages are written; every page counts as clean now.
     */
    public void startDirtyLog() {
        dirtyLogging = true;
        for (RamRegion region : regions) {
            for (long gpa = region.base(); gpa < region.end(); gpa += PAGE_SIZE) {
                region.setFlags(gpa, RamRegion.CLEAN);
            }
        }
        observers.forEach(observer -> observer.dirtyLogging(true));
        announceTracking();
    }

    public void stopDirtyLog() {
        dirtyLogging = false;
        for (RamRegion region : regions) {
            for (long gpa = region.base(); gpa < region.end(); gpa += PAGE_SIZE) {
                region.clearFlags(gpa, RamRegion.CLEAN);
            }
        }
        observers.forEach(observer -> observer.dirtyLogging(false));
    }

    /**
     * The pages of a region written since the log was started or last harvested, by page index in
     * the region; they count as clean again. Writes that race with the harvest appear in this one
     * or the next. Needs a started log.
     */
    public BitSet harvestDirtyPages(RamRegion region) {
        if (!dirtyLogging) {
            throw new IllegalStateException("The dirty log is not running");
        }
        observers.forEach(observer -> observer.harvesting(region));
        BitSet dirty = new BitSet();
        for (long gpa = region.base(); gpa < region.end(); gpa += PAGE_SIZE) {
            if ((region.flags(gpa) & RamRegion.CLEAN) == 0) {
                region.setFlags(gpa, RamRegion.CLEAN);
                dirty.set((int) ((gpa - region.base()) >>> 12));
            }
        }
        announceTracking();
        return dirty;
    }

    private void announceTracking() {
        for (WriteObserver observer : observers) {
            observer.writesTracked(-1);
        }
    }

    // Checked access

    public int read8(long gpa) {
        RamRegion region = find(gpa);
        return region == null ? 0xff : RawMemory.getByte(at(region, gpa)) & 0xff;
    }

    public int read16(long gpa) {
        RamRegion region = find(gpa);
        if (region == null || region.end() - gpa < 2) {
            return (int) readBytewise(gpa, 2);
        }
        return RawMemory.getShort(at(region, gpa)) & 0xffff;
    }

    public int read32(long gpa) {
        RamRegion region = find(gpa);
        if (region == null || region.end() - gpa < 4) {
            return (int) readBytewise(gpa, 4);
        }
        return RawMemory.getInt(at(region, gpa));
    }

    public long read64(long gpa) {
        RamRegion region = find(gpa);
        if (region == null || region.end() - gpa < 8) {
            return readBytewise(gpa, 8);
        }
        return RawMemory.getLong(at(region, gpa));
    }

    public void write8(long gpa, int value) {
        RamRegion region = find(gpa);
        if (region != null) {
            RawMemory.putByte(at(region, gpa), (byte) value);
            written(gpa, 1);
        }
    }

    public void write16(long gpa, int value) {
        RamRegion region = find(gpa);
        if (region == null || region.end() - gpa < 2) {
            writeBytewise(gpa, value, 2);
            return;
        }
        RawMemory.putShort(at(region, gpa), (short) value);
        written(gpa, 2);
    }

    public void write32(long gpa, int value) {
        RamRegion region = find(gpa);
        if (region == null || region.end() - gpa < 4) {
            writeBytewise(gpa, value, 4);
            return;
        }
        RawMemory.putInt(at(region, gpa), value);
        written(gpa, 4);
    }

    public void write64(long gpa, long value) {
        RamRegion region = find(gpa);
        if (region == null || region.end() - gpa < 8) {
            writeBytewise(gpa, value, 8);
            return;
        }
        RawMemory.putLong(at(region, gpa), value);
        written(gpa, 8);
    }

    /** Copies out of guest memory; bytes that are not RAM read as 0xff. */
    public void read(long gpa, byte[] target, int offset, int length) {
        while (length > 0) {
            RamRegion region = find(gpa);
            if (region == null) {
                target[offset++] = (byte) 0xff;
                gpa++;
                length--;
                continue;
            }
            int part = (int) Math.min(length, region.end() - gpa);
            RawMemory.copyToArray(at(region, gpa), target, offset, part);
            gpa += part;
            offset += part;
            length -= part;
        }
    }

    /** Copies into guest memory; bytes that are not RAM are dropped. */
    public void write(long gpa, byte[] source, int offset, int length) {
        while (length > 0) {
            RamRegion region = find(gpa);
            if (region == null) {
                offset++;
                gpa++;
                length--;
                continue;
            }
            int part = (int) Math.min(length, region.end() - gpa);
            RawMemory.copyFromArray(source, offset, at(region, gpa), part);
            written(gpa, part);
            gpa += part;
            offset += part;
            length -= part;
        }
    }

    /** Copies out of guest memory; bytes that are not RAM read as 0xff. */
    public void read(long gpa, MemorySegment target, long offset, long length) {
        while (length > 0) {
            RamRegion region = find(gpa);
            long part = 1;
            if (region == null) {
                target.set(ValueLayout.JAVA_BYTE, offset, (byte) 0xff);
            } else {
                part = Math.min(length, region.end() - gpa);
                RawMemory.copyOut(at(region, gpa), target, offset, part);
            }
            gpa += part;
            offset += part;
            length -= part;
        }
    }

    /** Copies into guest memory; bytes that are not RAM are dropped. */
    public void write(long gpa, MemorySegment source, long offset, long length) {
        while (length > 0) {
            RamRegion region = find(gpa);
            long part = 1;
            if (region != null) {
                part = Math.min(length, region.end() - gpa);
                RawMemory.copyIn(source, offset, at(region, gpa), part);
                written(gpa, part);
            }
            gpa += part;
            offset += part;
            length -= part;
        }
    }

    private static long at(RamRegion region, long gpa) {
        return region.hostAddress() + (gpa - region.base());
    }

    private long readBytewise(long gpa, int size) {
        long value = 0;
        for (int i = 0; i < size; i++) {
            value |= (long) read8(gpa + i) << (8 * i);
        }
        return value;
    }

    private void writeBytewise(long gpa, long value, int size) {
        for (int i = 0; i < size; i++) {
            write8(gpa + i, (int) (value >>> (8 * i)) & 0xff);
        }
    }

    /**
     * Gives the RAM back. All vCPUs and device workers must have stopped; later checked accesses
     * find no RAM.
     */
    @Override
    public void close() {
        regions = new RamRegion[0];
        mappings.forEach(HostMapping::close);
    }
}
