package org.javisor.kvm;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.javisor.memory.GuestMemory;
import org.javisor.memory.RamRegion;
import org.javisor.memory.WriteObserver;

/**
 * Guest memory as KVM sees it: one slot for each region, in their order. Writes by the guest are
 * found by the kernel's dirty bitmap and reported to {@link GuestMemory} when somebody asks.
 */
final class MemorySlots implements WriteObserver {
    private static final int LOG_DIRTY_PAGES = 1;

    private final KvmHandle vm;
    private final GuestMemory memory;
    private boolean logging;

    MemorySlots(KvmHandle vm, GuestMemory memory) {
        this.vm = vm;
        this.memory = memory;
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
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment r = arena.allocate(Layouts.USER_MEMORY_REGION);
            Fields.putInt(r, Layouts.USER_MEMORY_REGION, "slot", slot);
            Fields.putInt(r, Layouts.USER_MEMORY_REGION, "flags", flags);
            Fields.putLong(r, Layouts.USER_MEMORY_REGION, "guest_phys_addr", region.base());
            Fields.putLong(r, Layouts.USER_MEMORY_REGION, "memory_size", region.size());
            // The region stays mapped until the machine's memory is closed, which is after the VM.
            Fields.putLong(r, Layouts.USER_MEMORY_REGION, "userspace_addr", region.hostAddress());
            vm.call(Ioctl.SET_USER_MEMORY_REGION, r);
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

    /** Takes the kernel's bitmap of a region, which begins anew by that. */
    private void report(RamRegion region, boolean counts) {
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

    void close() {
        memory.removeObserver(this);
    }
}
