package org.javisor.kvm;

import java.lang.invoke.VarHandle;
import org.javisor.memory.RawMemory;

/**
 * The pages that one processor has written, in a ring that it shares with the kernel (Linux
 * Documentation/virt/kvm/api.rst, 8.29 KVM_CAP_DIRTY_LOG_RING). Unlike the bitmap it costs nothing
 * for memory that is not written; when it is full the processor leaves the guest.
 */
final class DirtyRing {
    /** Where a processor's mapping has it, in pages. */
    private static final long PAGE_OFFSET = 64;

    private static final int ENTRY = Layouts.size(Layouts.DIRTY_GFN);
    private static final int FLAGS = Layouts.offset(Layouts.DIRTY_GFN, "flags");
    private static final int SLOT = Layouts.offset(Layouts.DIRTY_GFN, "slot");
    private static final int PAGE = Layouts.offset(Layouts.DIRTY_GFN, "offset");
    private static final int DIRTY = 1, TAKEN = 2;

    /** Told of each page. */
    @FunctionalInterface
    interface Pages {
        /**
         * @param page of the slot
         */
        void written(int slot, long page);
    }

    private final long address;
    private final int entries;
    private int next;

    /**
     * @param bytes of the ring, as it was switched on for the machine
     */
    DirtyRing(KvmHandle vcpu, int bytes) {
        entries = bytes / ENTRY;
        address = LinuxCalls.map(vcpu.fd(), bytes, PAGE_OFFSET * 4096);
        if (address < 0) {
            throw new KvmException("Mapping a processor's ring of dirty pages", (int) -address);
        }
    }

    /** Bytes of a ring with room for so many pages, a power of two. */
    static int size(int pages) {
        return pages * ENTRY;
    }

    /**
     * Takes what is there out. The kernel is to be told by KVM_RESET_DIRTY_RINGS afterwards; not
     * from two threads at once.
     *
     * @return how many there were
     */
    int collect(Pages pages) {
        int count = 0;
        while (count < entries) {
            long entry = address + (long) (next & entries - 1) * ENTRY;
            int flags = RawMemory.getInt(entry + FLAGS);
            // The kernel writes the flags last.
            VarHandle.acquireFence();
            if ((flags & DIRTY) == 0 || (flags & TAKEN) != 0) {
                break;
            }
            pages.written(RawMemory.getInt(entry + SLOT), RawMemory.getLong(entry + PAGE));
            VarHandle.releaseFence();
            RawMemory.putInt(entry + FLAGS, TAKEN);
            next++;
            count++;
        }
        return count;
    }

    void close() {
        LinuxCalls.unmap(address, (long) entries * ENTRY);
    }
}
