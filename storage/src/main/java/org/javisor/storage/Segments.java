package org.javisor.storage;

import java.lang.foreign.MemorySegment;

/** Arithmetic on lists of memory segments. */
final class Segments {
    private Segments() {}

    /** Bytes of all together. */
    static long length(MemorySegment[] segments) {
        long total = 0;
        for (MemorySegment segment : segments) {
            total += segment.byteSize();
        }
        return total;
    }

    /** The part of the list that covers {@code length} bytes from {@code from} on. */
    static MemorySegment[] slice(MemorySegment[] segments, long from, long length) {
        int first = 0;
        while (first < segments.length && from >= segments[first].byteSize()) {
            from -= segments[first++].byteSize();
        }
        int last = first;
        for (long rest = from + length; rest > 0; last++) {
            rest -= segments[last].byteSize();
        }
        if (last == first) {
            return new MemorySegment[0];
        }
        MemorySegment[] slice = new MemorySegment[last - first];
        System.arraycopy(segments, first, slice, 0, slice.length);
        long skipped = from;
        for (int i = 0; i < slice.length; i++) {
            long part = Math.min(slice[i].byteSize() - skipped, length);
            if (part != slice[i].byteSize()) {
                slice[i] = slice[i].asSlice(skipped, part);
            }
            length -= part;
            skipped = 0;
        }
        return slice;
    }

    static void fillZero(MemorySegment[] segments) {
        for (MemorySegment segment : segments) {
            segment.fill((byte) 0);
        }
    }
}
