package org.javisor.kvm;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Map;
import java.util.SortedMap;

/**
 * The model-specific registers that belong to a processor's state (Intel SDM vol. 4; Linux
 * Documentation/virt/kvm/x86/msr.rst), as far as this host's KVM has them.
 */
final class ModelRegisters {
    static final int TSC = 0x10;

    /** Those that every engine has: always part of a state. */
    private static final int[] COMMON = {
        0x3b, // TSC_ADJUST
        0x174,
        0x175,
        0x176, // SYSENTER
        0x1a0, // MISC_ENABLE
        0x277, // PAT
        0x2ff, // MTRR default type
        0x200,
        0x201,
        0x202,
        0x203,
        0x204,
        0x205,
        0x206,
        0x207, // variable MTRRs
        0x208,
        0x209,
        0x20a,
        0x20b,
        0x20c,
        0x20d,
        0x20e,
        0x20f,
        0x250,
        0x258,
        0x259,
        0x268,
        0x269,
        0x26a,
        0x26b,
        0x26c, // fixed MTRRs
        0x26d,
        0x26e,
        0x26f,
        0x4b564d00,
        0x4b564d01,
        0x4b564d03, // paravirtual clock, steal time
        0xc0000081,
        0xc0000082,
        0xc0000083,
        0xc0000084, // SYSCALL
        0xc0000102,
        0xc0000103 // kernel GS base, TSC_AUX
    };

    /** Those that only hardware has: part of a state unless 0, so that others can take it over. */
    private static final int[] FURTHER = {
        0x48, // SPEC_CTRL
        0x140, // MISC_FEATURES_ENABLES
        0x1d9, // DEBUGCTL
        0x4b564d02,
        0x4b564d04,
        0x4b564d06, // other paravirtual features
        0x17a,
        0x17b, // machine check
        0xda0, // XSS
        0xc001011f // AMD's virtual SPEC_CTRL
    };

    private static final int ENTRY = Layouts.size(Layouts.MSR_ENTRY);
    private static final int ENTRIES = Layouts.size(Layouts.MSRS);
    private static final int DATA = Layouts.offset(Layouts.MSR_ENTRY, "data");

    private final int[] indices;

    private ModelRegisters(int[] indices) {
        this.indices = indices;
    }

    /** Finds out by reading all on a processor; the kernel stops at each that it lacks. */
    static ModelRegisters of(KvmHandle vcpu) {
        int[] wanted = Arrays.copyOf(COMMON, COMMON.length + FURTHER.length);
        System.arraycopy(FURTHER, 0, wanted, COMMON.length, FURTHER.length);
        int[] found = new int[wanted.length];
        int count = 0;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment all = arena.allocate(ENTRIES + (long) ENTRY * wanted.length, 8);
            for (int next = 0; next < wanted.length; next++) {
                int left = wanted.length - next;
                all.set(ValueLayout.JAVA_INT, 0, left);
                for (int n = 0; n < left; n++) {
                    all.set(ValueLayout.JAVA_INT, ENTRIES + (long) n * ENTRY, wanted[next + n]);
                }
                int got = Math.max(0, vcpu.tryCall(Ioctl.GET_MSRS, all));
                System.arraycopy(wanted, next, found, count, got);
                count += got;
                next += got;
            }
        }
        return new ModelRegisters(Arrays.copyOf(found, count));
    }

    private static boolean read(KvmHandle vcpu, MemorySegment one, int index) {
        one.set(ValueLayout.JAVA_INT, 0, 1);
        one.set(ValueLayout.JAVA_INT, ENTRIES, index);
        return vcpu.tryCall(Ioctl.GET_MSRS, one) == 1;
    }

    void save(KvmHandle vcpu, SortedMap<Integer, Long> into) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment all = arena.allocate(ENTRIES + (long) ENTRY * indices.length, 8);
            all.set(ValueLayout.JAVA_INT, 0, indices.length);
            for (int n = 0; n < indices.length; n++) {
                all.set(ValueLayout.JAVA_INT, ENTRIES + (long) n * ENTRY, indices[n]);
            }
            int got = vcpu.call(Ioctl.GET_MSRS, all);
            for (int n = 0; n < got; n++) {
                long value = all.get(ValueLayout.JAVA_LONG, ENTRIES + (long) n * ENTRY + DATA);
                if (value != 0 || Arrays.binarySearch(FURTHER_SORTED, indices[n]) < 0) {
                    into.put(indices[n], value);
                }
            }
        }
    }

    private static final int[] FURTHER_SORTED = Arrays.stream(FURTHER).sorted().toArray();

    /**
     * @throws IllegalArgumentException if the host lacks one of them or refuses its value
     */
    void restore(KvmHandle vcpu, Map<Integer, Long> values) {
        if (values.isEmpty()) {
            return;
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment all = arena.allocate(ENTRIES + (long) ENTRY * values.size(), 8);
            int count = 0;
            for (Map.Entry<Integer, Long> register : values.entrySet()) {
                // A register that is not there is as good as one that holds 0.
                if (register.getValue() != 0 || has(register.getKey())) {
                    long at = ENTRIES + (long) count++ * ENTRY;
                    all.set(ValueLayout.JAVA_INT, at, register.getKey());
                    all.set(ValueLayout.JAVA_LONG, at + DATA, register.getValue());
                }
            }
            all.set(ValueLayout.JAVA_INT, 0, count);
            int done = vcpu.call(Ioctl.SET_MSRS, all);
            if (done < count) {
                long at = ENTRIES + (long) done * ENTRY;
                throw new IllegalArgumentException(
                        "MSR %x cannot hold %x"
                                .formatted(
                                        all.get(ValueLayout.JAVA_INT, at),
                                        all.get(ValueLayout.JAVA_LONG, at + DATA)));
            }
        }
    }

    private boolean has(int index) {
        return Arrays.stream(indices).anyMatch(known -> known == index);
    }

    static long get(KvmHandle vcpu, int index) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment one = arena.allocate(ENTRIES + ENTRY, 8);
            return read(vcpu, one, index) ? one.get(ValueLayout.JAVA_LONG, ENTRIES + DATA) : 0;
        }
    }

    static boolean set(KvmHandle vcpu, int index, long value) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment one = arena.allocate(ENTRIES + ENTRY, 8);
            one.set(ValueLayout.JAVA_INT, 0, 1);
            one.set(ValueLayout.JAVA_INT, ENTRIES, index);
            one.set(ValueLayout.JAVA_LONG, ENTRIES + DATA, value);
            return vcpu.tryCall(Ioctl.SET_MSRS, one) == 1;
        }
    }
}
