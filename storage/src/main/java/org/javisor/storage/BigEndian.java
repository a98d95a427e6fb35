package org.javisor.storage;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/** Tables of 64-bit words as qcow2 keeps them in its file. */
final class BigEndian {
    private static final ValueLayout.OfLong WORD =
            ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
    private static final ValueLayout.OfInt HALF =
            ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

    private BigEndian() {}

    static long[] read(HostFile file, long offset, int words) {
        long[] table = new long[words];
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment bytes = arena.allocate(Math.max(8L, 8L * words), 4096);
            file.read(offset, bytes.asSlice(0, 8L * words));
            MemorySegment.copy(bytes, WORD, 0, table, 0, words);
        }
        return table;
    }

    static void write(HostFile file, long offset, long[] table, int from, int words) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment bytes = arena.allocate(8L * words, 4096);
            MemorySegment.copy(table, from, bytes, WORD, 0, words);
            file.write(offset, bytes);
        }
    }

    static void write(HostFile file, long offset, byte[] bytes) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment copy = arena.allocate(bytes.length, 4096);
            MemorySegment.copy(bytes, 0, copy, ValueLayout.JAVA_BYTE, 0, bytes.length);
            file.write(offset, copy);
        }
    }

    static byte[] readBytes(HostFile file, long offset, int length) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment copy = arena.allocate(Math.max(1, length), 4096).asSlice(0, length);
            file.read(offset, copy);
            return copy.toArray(ValueLayout.JAVA_BYTE);
        }
    }

    static void put(MemorySegment target, long offset, long value) {
        target.set(WORD, offset, value);
    }

    static void putInt(MemorySegment target, long offset, int value) {
        target.set(HALF, offset, value);
    }

    static void copy(long[] table, int from, MemorySegment target, long offset, int words) {
        MemorySegment.copy(table, from, target, WORD, offset, words);
    }
}
