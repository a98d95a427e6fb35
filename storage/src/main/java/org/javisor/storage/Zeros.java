package org.javisor.storage;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Writes zeros where the host has no better way. */
final class Zeros {
    private static final long BLOCK = 1 << 20;

    private Zeros() {}

    static void write(HostFile file, long offset, long length) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment zeros = arena.allocate(Math.min(BLOCK, length), 4096);
            while (length > 0) {
                long part = Math.min(length, zeros.byteSize());
                file.write(offset, part == zeros.byteSize() ? zeros : zeros.asSlice(0, part));
                offset += part;
                length -= part;
            }
        }
    }

    /** Whether all bytes are zero. */
    static boolean isZero(MemorySegment segment) {
        long size = segment.byteSize();
        if (size == 0) {
            return true;
        }
        // The first byte is zero and each equals its predecessor: one vectorized comparison.
        return segment.get(java.lang.foreign.ValueLayout.JAVA_BYTE, 0) == 0
                && MemorySegment.mismatch(segment, 0, size - 1, segment, 1, size) < 0;
    }
}
