package org.javisor.virtio;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import org.javisor.memory.GuestMemory;

/**
 * The buffers of one request: first those that the device may read, then those that it may write,
 * each kind addressed by offset as if it were one piece. Made once and filled by {@link
 * Virtqueue#next} any number of times; belongs to one thread at a time.
 *
 * <p>The descriptors were copied when the chain was taken, so that what the driver does to them
 * later changes nothing. Where the buffers lie is checked only when they are accessed: what is not
 * RAM reads as all ones and ignores writes, and {@link #readableSegments} refuses it.
 */
public final class DescriptorChain {
    /** Virtqueue.MAXIMUM_SIZE is the most that ever becomes of it. */
    private static final int USUAL_BUFFERS = 16;

    private long[] addresses = new long[USUAL_BUFFERS];
    private long[] lengths = new long[USUAL_BUFFERS];
    private int readableCount;
    private int count;
    private long readableLength;
    private long writableLength;

    // For the queue that it was taken from.
    GuestMemory memory;
    int id;
    int slots;
    int start;
    boolean startWrap;

    void clear(GuestMemory from) {
        memory = from;
        readableCount = 0;
        count = 0;
        readableLength = 0;
        writableLength = 0;
    }

    /**
     * Adds a buffer.
     *
     * @return false if that is against the rules: a readable one after a writable one, or 2^32
     *     bytes in all (2.6.4.2, 2.6.5.2)
     */
    boolean add(long address, long length, boolean writable) {
        if (!writable && count > readableCount) {
            return false;
        }
        if (count == addresses.length) {
            addresses = Arrays.copyOf(addresses, 2 * count);
            lengths = Arrays.copyOf(lengths, 2 * count);
        }
        addresses[count] = address;
        lengths[count] = length;
        count++;
        if (writable) {
            writableLength += length;
        } else {
            readableLength += length;
            readableCount++;
        }
        return readableLength + writableLength <= 1L << 32;
    }

    /** Bytes that the device may read. */
    public long readableLength() {
        return readableLength;
    }

    /** Bytes that the device may write. */
    public long writableLength() {
        return writableLength;
    }

    /** Buffers of both kinds. */
    public int bufferCount() {
        return count;
    }

    /**
     * Copies out of the readable part.
     *
     * @return how many bytes: {@code length}, or fewer where the part ends
     */
    public int read(long offset, byte[] target, int at, int length) {
        return copy(0, readableCount, offset, target, at, length, false);
    }

    /**
     * Copies into the writable part.
     *
     * @return how many bytes: {@code length}, or fewer where the part ends
     */
    public int write(long offset, byte[] source, int at, int length) {
        return copy(readableCount, count, offset, source, at, length, true);
    }

    /**
     * Copies out of the readable part, into a segment that is not guest memory.
     *
     * @return how many bytes: {@code length}, or fewer where the part ends
     */
    public long read(long offset, MemorySegment target, long at, long length) {
        return copy(0, readableCount, offset, target, at, length, false);
    }

    /**
     * Copies into the writable part, out of a segment that is not guest memory.
     *
     * @return how many bytes: {@code length}, or fewer where the part ends
     */
    public long write(long offset, MemorySegment source, long at, long length) {
        return copy(readableCount, count, offset, source, at, length, true);
    }

    private long copy(
            int from, int to, long offset, MemorySegment host, long at, long length, boolean into) {
        long done = 0;
        long skip = offset;
        for (int i = from; i < to && done < length; i++) {
            if (skip >= lengths[i]) {
                skip -= lengths[i];
                continue;
            }
            long part = Math.min(length - done, lengths[i] - skip);
            if (into) {
                memory.write(addresses[i] + skip, host, at + done, part);
            } else {
                memory.read(addresses[i] + skip, host, at + done, part);
            }
            done += part;
            skip = 0;
        }
        return done;
    }

    private int copy(
            int from, int to, long offset, byte[] array, int at, int length, boolean into) {
        int done = 0;
        long skip = offset;
        for (int i = from; i < to && done < length; i++) {
            if (skip >= lengths[i]) {
                skip -= lengths[i];
                continue;
            }
            int part = (int) Math.min(length - done, lengths[i] - skip);
            if (into) {
                memory.write(addresses[i] + skip, array, at + done, part);
            } else {
                memory.read(addresses[i] + skip, array, at + done, part);
            }
            done += part;
            skip = 0;
        }
        return done;
    }

    /**
     * A little-endian number out of the readable part; bytes past its end count as zero.
     *
     * @param size 1 to 8 bytes
     */
    public long readNumber(long offset, int size) {
        long value = 0;
        int i = 0;
        long skip = offset;
        for (int done = 0; i < readableCount && done < size; i++) {
            for (; skip < lengths[i] && done < size; skip++, done++) {
                value |= (long) memory.read8(addresses[i] + skip) << (8 * done);
            }
            skip = Math.max(0, skip - lengths[i]);
        }
        return value;
    }

    /**
     * The counterpart of {@link #readNumber} in the writable part; what has no place is dropped.
     */
    public void writeNumber(long offset, int size, long value) {
        long skip = offset;
        int done = 0;
        for (int i = readableCount; i < count && done < size; i++) {
            for (; skip < lengths[i] && done < size; skip++, done++) {
                memory.write8(addresses[i] + skip, (int) (value >>> (8 * done)) & 0xff);
            }
            skip = Math.max(0, skip - lengths[i]);
        }
    }

    /**
     * Collects the host memory behind a range of the readable part, for I/O that copies nothing.
     * The segments are valid until the device is reset.
     *
     * @return false if the range is longer than the part, or not all of it is RAM
     */
    public boolean readableSegments(long offset, long length, List<MemorySegment> to) {
        return segments(0, readableCount, offset, length, to);
    }

    /**
     * The same for the writable part. Whoever has written through the segments calls {@link
     * #written} before the chain goes back to the driver.
     */
    public boolean writableSegments(long offset, long length, List<MemorySegment> to) {
        return segments(readableCount, count, offset, length, to);
    }

    private boolean segments(int from, int to, long offset, long length, List<MemorySegment> out) {
        long skip = offset;
        long left = length;
        for (int i = from; i < to && left > 0; i++) {
            if (skip >= lengths[i]) {
                skip -= lengths[i];
                continue;
            }
            long address = addresses[i] + skip;
            for (long part = Math.min(left, lengths[i] - skip); part > 0; ) {
                MemorySegment segment = memory.segment(address, part);
                if (segment.byteSize() == 0) {
                    return false;
                }
                out.add(segment);
                part -= segment.byteSize();
                left -= segment.byteSize();
                address += segment.byteSize();
            }
            skip = 0;
        }
        return left == 0;
    }

    /** Reports that a range of the writable part was written through its segments. */
    public void written(long offset, long length) {
        long skip = offset;
        long left = length;
        for (int i = readableCount; i < count && left > 0; i++) {
            if (skip >= lengths[i]) {
                skip -= lengths[i];
                continue;
            }
            long part = Math.min(left, lengths[i] - skip);
            memory.written(addresses[i] + skip, part);
            left -= part;
            skip = 0;
        }
    }

    /**
     * The guest-physical address of a buffer, for devices whose buffers mean pages and not
     * contents.
     *
     * @param buffer below {@link #bufferCount}
     */
    public long address(int buffer) {
        return addresses[buffer];
    }

    /** The length of a buffer in bytes. */
    public long length(int buffer) {
        return lengths[buffer];
    }
}
