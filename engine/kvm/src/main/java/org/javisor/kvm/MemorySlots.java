package org.javisor.kvm;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import org.javisor.memory.GuestMemory;
import org.javisor.memory.RamRegion;
import org.javisor.memory.WriteObserver;

/**
 * Guest memory as KVM sees it: one slot for each region, in their order. Writes by the guest are
 * found by the kernel's dirty bitmap, or by rings, and reported to {@link GuestMemory} when
 * somebody asks.
 */
final class MemorySlots implements WriteObserver {
    private static final int LOG_DIRTY_PAGES = 1, READ_ONLY = 2;

    /** Room for 16 MiB of dirty pages a processor; the kernel keeps some of it in reserve. */
    private static final int RING_PAGES = 4096;

    private final KvmHandle vm;
    private final GuestMemory memory;
    private final boolean ringed;
    private final List<DirtyRing> rings = new ArrayList<>();
    private boolean logging;

    /** Before the first processor is made. */
    MemorySlots(KvmHandle vm, GuestMemory memory, DirtyTracking tracking) {
        this.vm = vm;
        this.memory = memory;
        int size = DirtyRing.size(RING_PAGES);
        ringed =
                tracking == DirtyTracking.RING
                        && vm.capability(Capability.DIRTY_LOG_RING) >= size
                        && vm.enable(Capability.DIRTY_LOG_RING, size) == 0;
        setSlots(0);
        memory.observeWrites(this);
    }

    private void setSlots(int flags) {
        int slot = 0;
        for (RamRegion region : memory.regions()) {
            set(slot++, region, flags);
        }
    }

    private void set(int slot, RamRegion region, int flags) {
        // The region stays mapped until the machine's memory is closed, which is after the VM.
        set(slot, region.base(), region.size(), region.hostAddress(), flags);
    }

    private void set(int slot, long gpa, long size, long host, int flags) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment r = arena.allocate(Layouts.USER_MEMORY_REGION);
            Fields.putInt(r, Layouts.USER_MEMORY_REGION, "slot", slot);
            Fields.putInt(r, Layouts.USER_MEMORY_REGION, "flags", flags);
            Fields.putLong(r, Layouts.USER_MEMORY_REGION, "guest_phys_addr", gpa);
            Fields.putLong(r, Layouts.USER_MEMORY_REGION, "memory_size", size);
            Fields.putLong(r, Layouts.USER_MEMORY_REGION, "userspace_addr", host);
            vm.call(Ioctl.SET_USER_MEMORY_REGION, r);
        }
    }

    /**
     * Adds memory that the guest can read and not write: its writes are exits, as to a device.
     *
     * @param number of read-only slots before this one
     * @param host where it lies; stays there as long as the machine
     */
    void addReadOnly(int number, long gpa, long size, long host) {
        set(memory.regions().size() + number, gpa, size, host, READ_ONLY);
    }

    /** A processor has been made. */
    synchronized void addProcessor(KvmHandle vcpu) {
        if (ringed) {
            rings.add(new DirtyRing(vcpu, DirtyRing.size(RING_PAGES)));
        }
    }

    /** A ring is full: its processor goes on when it has been emptied. */
    synchronized void makeRoom() {
        collect(true);
    }

    private void collect(boolean counts) {
        List<RamRegion> regions = memory.regions();
        int count = 0;
        for (DirtyRing ring : rings) {
            count +=
                    ring.collect(
                            (slot, page) -> {
                                if (counts && slot < regions.size()) {
                                    long gpa = regions.get(slot).base() + (page << 12);
                                    memory.written(gpa, 1);
                                }
                            });
        }
        if (count > 0) {
            vm.call(Ioctl.RESET_DIRTY_RINGS, 0);
        }
    }

    @Override
    public void codeWritten(long pageGpa) {}

    @Override
    public void writesTracked(long pageGpa) {}

    @Override
    public synchronized void dirtyLogging(boolean on) {
        if (on && logging) {
            // Starting over: what was written before does not count.
            for (RamRegion region : memory.regions()) {
                report(region, false);
            }
        } else if (on != logging) {
            setSlots(on ? LOG_DIRTY_PAGES : 0);
        }
        logging = on;
    }

    @Override
    public synchronized void harvesting(RamRegion region) {
        if (logging) {
            report(region, true);
        }
    }

    /** Takes the kernel's bitmap of a region, which begins anew by that, or all of the rings. */
    private void report(RamRegion region, boolean counts) {
        if (ringed) {
            collect(counts);
            return;
        }
        long words = (region.size() >>> 12) + 63 >>> 6;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment bitmap = arena.allocate(words * 8, 8);
            MemorySegment log = arena.allocate(Layouts.DIRTY_LOG);
            Fields.putInt(log, Layouts.DIRTY_LOG, "slot", memory.regions().indexOf(region));
            Fields.putLong(log, Layouts.DIRTY_LOG, "dirty_bitmap", bitmap.address());
            vm.call(Ioctl.GET_DIRTY_LOG, log);
            for (long word = 0; counts && word < words; word++) {
                long bits = bitmap.getAtIndex(ValueLayout.JAVA_LONG, word);
                while (bits != 0) {
                    long page = word * 64 + Long.numberOfTrailingZeros(bits);
                    memory.written(region.base() + (page << 12), 1);
                    bits &= bits - 1;
                }
            }
        }
    }

    synchronized void close() {
        memory.removeObserver(this);
        rings.forEach(DirtyRing::close);
        rings.clear();
    }
}
