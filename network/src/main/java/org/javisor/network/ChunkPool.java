package org.javisor.network;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;

/**
 * Buffers outside the heap, so that the host's sockets read and write them without a copy. Kept for
 * the next taker up to a limit. Used under its network's lock.
 */
final class ChunkPool {
    static final int CHUNK = 64 << 10;

    private static final int KEPT = 64;

    private final ArrayDeque<ByteBuffer> free = new ArrayDeque<>();

    ByteBuffer take() {
        ByteBuffer chunk = free.pollFirst();
        return chunk == null ? ByteBuffer.allocateDirect(CHUNK) : chunk.clear();
    }

    void give(ByteBuffer chunk) {
        if (free.size() < KEPT) {
            free.addFirst(chunk);
        }
    }
}
