package org.javisor.storage;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/** Bytes to native memory and back, for calls of a {@link BlockBackend}. */
final class Native {
    private Native() {}

    static MemorySegment of(byte[] bytes) {
        MemorySegment segment = Arena.ofAuto().allocate(Math.max(1, bytes.length), 4096);
        MemorySegment.copy(bytes, 0, segment, ValueLayout.JAVA_BYTE, 0, bytes.length);
        return segment.asSlice(0, bytes.length);
    }

    static MemorySegment filled(int value, int length) {
        byte[] bytes = new byte[length];
        Arrays.fill(bytes, (byte) value);
        return of(bytes);
    }

    static byte[] read(BlockBackend disk, long offset, int length) {
        MemorySegment segment = Arena.ofAuto().allocate(length, 4096);
        segment.fill((byte) 0x5a);
        disk.read(offset, segment);
        return segment.toArray(ValueLayout.JAVA_BYTE);
    }
}
