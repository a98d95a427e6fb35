package org.javisor.storage;

import java.lang.foreign.MemorySegment;

/**
 * The contents of one disk, for the device that shows it to a guest.
 *
 * <p>Calls are synchronous, may take as long as the host's disk does, and may come from any number
 * of threads at once: a device calls from I/O threads of its own, never from a processor. Calls
 * that overlap in time and in bytes may take effect in any order, sector by sector; a call that
 * begins after another has returned sees its effect.
 *
 * <p>Offsets and lengths are bytes and may have any value; multiples of {@link #logicalBlockSize}
 * are what costs least. Memory segments must be native (not on the Java heap), shared or of a scope
 * open to the calling thread, and are taken in their order without gaps.
 *
 * <p>All operations throw {@link StorageException}; what a device should tell its guest then is
 * {@link StorageException#code}. A request that fails may have been carried out in part. Memory
 * that a failed read was to fill holds any mixture of old and new bytes.
 */
public interface BlockBackend extends AutoCloseable {

    /** Bytes; a multiple of 512. Does not change while the backend is open. */
    long size();

    /** Bytes of the smallest unit that the guest should address: 512 or 4096. */
    int logicalBlockSize();

    /** Bytes of the unit that is best discarded or zeroed as a whole; a power of two. */
    int discardGranularity();

    /** Whether writing, discarding and zeroing are refused with {@code READ_ONLY}. */
    boolean readOnly();

    /**
     * Fills the segments from {@code offset} on.
     *
     * @throws StorageException {@code OUT_OF_RANGE}, {@code IO}, {@code CORRUPT}
     */
    void read(long offset, MemorySegment... targets);

    /**
     * Writes the segments from {@code offset} on. What was written is on the disk for certain only
     * after a {@link #flush} that began later.
     *
     * @throws StorageException {@code OUT_OF_RANGE}, {@code READ_ONLY}, {@code NO_SPACE}, {@code
     *     IO}, {@code CORRUPT}
     */
    void write(long offset, MemorySegment... sources);

    /**
     * Returns when everything written, discarded or zeroed by calls that had returned before is on
     * the host's disk, so that neither the end of this process nor a loss of power undoes it.
     *
     * @throws StorageException {@code NO_SPACE}, {@code IO}, {@code CORRUPT}; what had not been
     *     flushed may be lost then
     */
    void flush();

    /**
     * Gives the host the space of a range back as far as whole allocation units allow. The range
     * reads as zeros, or as it was, or as what lies in the image underneath.
     *
     * @throws StorageException as {@link #write}
     */
    void discard(long offset, long length);

    /**
     * Makes a range read as zeros.
     *
     * @param mayUnmap whether the host may get the space back, at the price of allocating again at
     *     the next write
     * @throws StorageException as {@link #write}
     */
    void writeZeroes(long offset, long length, boolean mayUnmap);

    /**
     * Flushes and lets go of the files and their locks. No other call may be under way or follow,
     * except this one, which does nothing the second time.
     *
     * @throws StorageException as {@link #flush}; the files are closed nevertheless
     */
    @Override
    void close();
}
