package org.javisor.storage;

import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLongArray;

/** A set of cluster numbers, dense in places. Thread-safe, readers without locks. */
final class ClusterSet {
    private static final int CHUNK_BITS = 15;
    private static final int WORDS = 1 << (CHUNK_BITS - 6);

    private final ConcurrentHashMap<Long, AtomicLongArray> chunks = new ConcurrentHashMap<>();

    void add(long cluster) {
        AtomicLongArray chunk =
                chunks.computeIfAbsent(
                        cluster >>> CHUNK_BITS, number -> new AtomicLongArray(WORDS));
        chunk.getAndUpdate(word(cluster), bits -> bits | 1L << cluster);
    }

    void addAll(long first, long count) {
        for (long cluster = first; cluster < first + count; cluster++) {
            add(cluster);
        }
    }

    void remove(long cluster) {
        AtomicLongArray chunk = chunks.get(cluster >>> CHUNK_BITS);
        if (chunk != null) {
            chunk.getAndUpdate(word(cluster), bits -> bits & ~(1L << cluster));
        }
    }

    boolean contains(long cluster) {
        AtomicLongArray chunk = chunks.get(cluster >>> CHUNK_BITS);
        return chunk != null && (chunk.get(word(cluster)) & 1L << cluster) != 0;
    }

    boolean containsAny(long first, long last) {
        for (long cluster = first; cluster <= last; cluster++) {
            if (contains(cluster)) {
                return true;
            }
        }
        return false;
    }

    private static int word(long cluster) {
        return (int) (cluster >>> 6) & (WORDS - 1);
    }
}
