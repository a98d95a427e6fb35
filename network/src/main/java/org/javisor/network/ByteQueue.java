package org.javisor.network;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * A queue of bytes whose middle can be looked at: what TCP must keep until it is acknowledged. An
 * empty queue holds no memory.
 */
final class ByteQueue {
    private final ChunkPool pool;

    /** All full up to {@link ChunkPool#CHUNK} but the last, which is filled up to its position. */
    private final List<ByteBuffer> chunks = new ArrayList<>();

    /** Bytes of the first chunk that are gone already. */
    private int gone;

    private int size;

    ByteQueue(ChunkPool pool) {
        this.pool = pool;
    }

    int size() {
        return size;
    }

    /**
     * Where bytes to be added may be written, from its position on, at least one. {@link #written}
     * takes them in.
     */
    ByteBuffer tail() {
        if (chunks.isEmpty() || !chunks.getLast().hasRemaining()) {
            chunks.add(pool.take());
        }
        return chunks.getLast();
    }

    /** So many bytes have been put at the {@link #tail}; frees it again if it stayed empty. */
    void written(int count) {
        size += count;
        if (size == 0) {
            clear();
        }
    }

    void add(ByteBuffer bytes) {
        while (bytes.hasRemaining()) {
            ByteBuffer tail = tail();
            int part = Math.min(tail.remaining(), bytes.remaining());
            tail.put(tail.position(), bytes, bytes.position(), part);
            tail.position(tail.position() + part);
            bytes.position(bytes.position() + part);
            written(part);
        }
    }

    /** The bytes from {@code offset} on as far as they are contiguous. */
    ByteBuffer at(int offset) {
        int place = gone + offset;
        ByteBuffer chunk = chunks.get(place / ChunkPool.CHUNK);
        int start = place % ChunkPool.CHUNK;
        return chunk.slice(start, Math.min(ChunkPool.CHUNK - start, size - offset));
    }

    /** Appends a range of the queue to a frame, without copying it. */
    void appendTo(Frame frame, int offset, int length) {
        int left = length;
        while (left > 0) {
            ByteBuffer piece = at(offset + length - left);
            if (piece.remaining() > left) {
                piece.limit(left);
            }
            left -= piece.remaining();
            frame.append(piece);
        }
    }

    /** Takes bytes off the front. */
    void discard(int count) {
        gone += count;
        size -= count;
        if (size == 0) {
            clear();
            return;
        }
        while (gone >= ChunkPool.CHUNK) {
            pool.give(chunks.removeFirst());
            gone -= ChunkPool.CHUNK;
        }
    }

    void clear() {
        chunks.forEach(pool::give);
        chunks.clear();
        gone = 0;
        size = 0;
    }
}
