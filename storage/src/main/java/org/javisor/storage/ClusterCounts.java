package org.javisor.storage;

import java.util.HashMap;
import java.util.Map;
import java.util.function.LongConsumer;

/** How often each cluster of a file is used; takes memory only for parts that are. */
final class ClusterCounts {
    private static final int CHUNK_BITS = 11;
    private static final int MAX_CHUNKS = 1 << 16; // 512 MiB, more than 64 TiB of usual clusters

    private final Map<Long, int[]> chunks = new HashMap<>();

    void add(long cluster, int times) {
        int[] chunk = chunks.get(cluster >>> CHUNK_BITS);
        if (chunk == null) {
            if (chunks.size() == MAX_CHUNKS) {
                throw new StorageException(
                        StorageException.Code.UNSUPPORTED,
                        "The image is too large and too scattered to be checked");
            }
            chunk = new int[1 << CHUNK_BITS];
            chunks.put(cluster >>> CHUNK_BITS, chunk);
        }
        int index = (int) (cluster & (1 << CHUNK_BITS) - 1);
        chunk[index] = (int) Math.min(Integer.MAX_VALUE, (long) chunk[index] + times);
    }

    int get(long cluster) {
        int[] chunk = chunks.get(cluster >>> CHUNK_BITS);
        return chunk == null ? 0 : chunk[(int) (cluster & (1 << CHUNK_BITS) - 1)];
    }

    /** Calls back with each cluster that is used, in order. */
    void forEachUsed(LongConsumer action) {
        chunks.keySet().stream()
                .sorted()
                .forEach(
                        number -> {
                            int[] chunk = chunks.get(number);
                            for (int i = 0; i < chunk.length; i++) {
                                if (chunk[i] != 0) {
                                    action.accept((number << CHUNK_BITS) + i);
                                }
                            }
                        });
    }
}
