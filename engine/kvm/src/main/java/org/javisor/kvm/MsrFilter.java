package org.javisor.kvm;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Which model-specific registers the kernel leaves to user space (KVM_X86_SET_MSR_FILTER). */
final class MsrFilter {
    private static final int READ_AND_WRITE = 3;

    private MsrFilter() {}

    /** Denies the kernel these registers; refused on old kernels, which changes nothing. */
    static void deny(KvmHandle vm, int... indices) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment filter = arena.allocate(Layouts.MSR_FILTER);
            int ranges = Layouts.offset(Layouts.MSR_FILTER, "ranges");
            int size = Layouts.size(Layouts.MSR_FILTER_RANGE);
            for (int n = 0; n < indices.length; n++) {
                MemorySegment range = filter.asSlice(ranges + (long) n * size, size);
                Fields.putInt(range, Layouts.MSR_FILTER_RANGE, "flags", READ_AND_WRITE);
                Fields.putInt(range, Layouts.MSR_FILTER_RANGE, "nmsrs", 1);
                Fields.putInt(range, Layouts.MSR_FILTER_RANGE, "base", indices[n]);
                // A clear bit denies.
                long bitmap = arena.allocate(8, 8).address();
                Fields.putLong(range, Layouts.MSR_FILTER_RANGE, "bitmap", bitmap);
            }
            int ignored = vm.tryCall(Ioctl.X86_SET_MSR_FILTER, filter);
        }
    }
}
