package org.javisor.storage;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * One cluster of refcounts of 1 to 64 bits each, as it lies in the file, and what of it changed.
 */
final class RefcountBlock {
    private static final VarHandle SHORTS =
            MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.BIG_ENDIAN);
    private static final VarHandle INTS =
            MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.BIG_ENDIAN);
    private static final VarHandle LONGS =
            MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);

    private static final int WRITE_UNIT = 4096;

    private final byte[] bytes;
    private final int order;
    private final int entries;

    /** Not on disk yet: all of it must be written before the table refers to it. */
    private boolean fresh;

    private int dirtyFrom = Integer.MAX_VALUE;
    private int dirtyTo;
    private boolean writing;

    /**
     * @param bytes its contents, kept
     * @param order binary logarithm of a refcount's bits
     * @param fresh whether the file has nothing of it yet
     */
    RefcountBlock(byte[] bytes, int order, boolean fresh) {
        this.bytes = bytes;
        this.order = order;
        this.entries = (int) (bytes.length * 8L >> order);
        this.fresh = fresh;
        if (fresh) {
            dirty(0, bytes.length);
        }
    }

    int entries() {
        return entries;
    }

    long get(int index) {
        return switch (order) {
            case 0, 1, 2 -> {
                int bit = index << order;
                yield bytes[bit >> 3] >> (bit & 7) & (1 << (1 << order)) - 1;
            }
            case 3 -> bytes[index] & 0xff;
            case 4 -> (short) SHORTS.get(bytes, index << 1) & 0xffff;
            case 5 -> (int) INTS.get(bytes, index << 2) & 0xffff_ffffL;
            default -> (long) LONGS.get(bytes, index << 3);
        };
    }

    void set(int index, long value) {
        switch (order) {
            case 0, 1, 2 -> {
                int bit = index << order;
                int mask = (1 << (1 << order)) - 1 << (bit & 7);
                int old = bytes[bit >> 3];
                bytes[bit >> 3] = (byte) (old & ~mask | (int) value << (bit & 7));
            }
            case 3 -> bytes[index] = (byte) value;
            case 4 -> SHORTS.set(bytes, index << 1, (short) value);
            case 5 -> INTS.set(bytes, index << 2, (int) value);
            default -> LONGS.set(bytes, index << 3, value);
        }
        int at = (int) (((long) index << order) >> 3);
        dirty(at, at + Math.max(1, 1 << order >> 3));
    }

    /** The first entry from {@code from} on that is 0, or -1. */
    int firstFree(int from) {
        for (int i = from; i < entries; i++) {
            if (get(i) == 0) {
                return i;
            }
        }
        return -1;
    }

    boolean isDirty() {
        return dirtyFrom < dirtyTo;
    }

    /** Whether it may be forgotten: the file has all of it. */
    boolean isClean() {
        return !isDirty() && !writing;
    }

    boolean isFresh() {
        return fresh;
    }

    private void dirty(int from, int to) {
        dirtyFrom = Math.min(dirtyFrom, from & -WRITE_UNIT);
        dirtyTo = Math.max(dirtyTo, Math.min(bytes.length, (to + WRITE_UNIT - 1) & -WRITE_UNIT));
    }

    /** What changed, copied; from now on it counts as being written. */
    Change take() {
        Change change =
                new Change(
                        this,
                        dirtyFrom,
                        java.util.Arrays.copyOfRange(bytes, dirtyFrom, dirtyTo),
                        fresh);
        dirtyFrom = Integer.MAX_VALUE;
        dirtyTo = 0;
        fresh = false;
        writing = true;
        return change;
    }

    byte[] contents() {
        return bytes;
    }

    /**
     * Changed bytes on their way to the file.
     *
     * @param block whose
     * @param from where in the block
     * @param bytes what
     * @param fresh whether the file had nothing of it
     */
    record Change(RefcountBlock block, int from, byte[] bytes, boolean fresh) {

        void written() {
            block.writing = false;
        }

        void failed() {
            block.writing = false;
            block.fresh |= fresh;
            block.dirty(from, from + bytes.length);
        }
    }
}
