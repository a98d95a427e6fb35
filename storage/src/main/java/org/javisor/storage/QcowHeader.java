package org.javisor.storage;

import java.nio.file.Path;
import java.util.Optional;

/**
 * The header of a qcow2 image, checked. Offsets are bytes in the file, sizes bytes. Source: QEMU,
 * docs/interop/qcow2, "Header".
 *
 * @param version 2 or 3
 * @param clusterBits the cluster's size is 2 to this power, 9 to 21
 * @param size of the disk
 * @param l1Size entries of the active L1 table
 * @param l1Offset where it lies
 * @param refcountTableOffset where the refcount table lies
 * @param refcountTableClusters its length
 * @param snapshotCount internal snapshots
 * @param snapshotsOffset where their table lies
 * @param incompatible feature bits without which the image cannot be used
 * @param compatible feature bits that may be ignored
 * @param autoclear feature bits that a writer who does not know them clears
 * @param refcountOrder a refcount has 2 to this power bits, 0 to 6
 * @param headerLength bytes of the header proper
 * @param compression how compressed clusters are compressed
 * @param backingFile the image underneath, as it is written in the header
 * @param backingFormat its format, as it is written in the header
 * @param bitmaps where persistent bitmaps are described
 */
record QcowHeader(
        int version,
        int clusterBits,
        long size,
        int l1Size,
        long l1Offset,
        long refcountTableOffset,
        int refcountTableClusters,
        int snapshotCount,
        long snapshotsOffset,
        long incompatible,
        long compatible,
        long autoclear,
        int refcountOrder,
        int headerLength,
        Compression compression,
        Optional<String> backingFile,
        Optional<String> backingFormat,
        Optional<Bitmaps> bitmaps) {

    static final int MAGIC = 0x514649fb;

    static final long DIRTY = 1;
    static final long CORRUPT = 1 << 1;
    static final long EXTERNAL_DATA = 1 << 2;
    static final long COMPRESSION_TYPE = 1 << 3;
    static final long EXTENDED_L2 = 1 << 4;

    static final long LAZY_REFCOUNTS = 1;

    static final long AUTOCLEAR_BITMAPS = 1;

    /** Limits that QEMU has too; what is beyond them nobody made in good faith. */
    static final int MAX_L1_BYTES = 32 << 20;

    static final int MAX_REFCOUNT_TABLE_BYTES = 8 << 20;
    static final int MAX_SNAPSHOTS = 65536;

    static final int MIN_CLUSTER_BITS = 9;
    static final int MAX_CLUSTER_BITS = 21;
    static final int MIN_EXTENDED_CLUSTER_BITS = 14;

    /** Host offsets have 56 bits. */
    static final long MAX_HOST_OFFSET = 1L << 56;

    /** Where fields lie that are changed in place. */
    static final int SIZE_FIELD = 24;

    static final int L1_FIELDS = 36;
    static final int REFCOUNT_TABLE_FIELDS = 48;
    static final int INCOMPATIBLE_FIELD = 72;
    static final int AUTOCLEAR_FIELD = 88;

    /** How compressed clusters are compressed. */
    enum Compression {
        ZLIB,
        ZSTD
    }

    /**
     * The bitmaps extension.
     *
     * @param count of bitmaps
     * @param directoryOffset where they are listed
     * @param directorySize length of that list
     */
    record Bitmaps(int count, long directoryOffset, long directorySize) {}

    long clusterSize() {
        return 1L << clusterBits;
    }

    boolean extendedL2() {
        return (incompatible & EXTENDED_L2) != 0;
    }

    boolean dirty() {
        return (incompatible & DIRTY) != 0;
    }

    boolean corrupt() {
        return (incompatible & CORRUPT) != 0;
    }

    boolean lazyRefcounts() {
        return (compatible & LAZY_REFCOUNTS) != 0;
    }

    /** Binary logarithm of an L2 entry's bytes. */
    int l2EntryBits() {
        return extendedL2() ? 4 : 3;
    }

    /** Binary logarithm of the entries of an L2 table. */
    int l2Bits() {
        return clusterBits - l2EntryBits();
    }

    /** Bytes of the unit that is allocated on its own: a cluster, or one of its 32 parts. */
    long subclusterSize() {
        return extendedL2() ? clusterSize() >> 5 : clusterSize();
    }

    /** Binary logarithm of the entries of a refcount block. */
    int refcountBlockBits() {
        return clusterBits + 3 - refcountOrder;
    }

    /** Clusters of the disk, the last of which may be partly past its end. */
    long guestClusters() {
        return ceilShift(size, clusterBits);
    }

    /** L1 entries that the disk's size needs. */
    long neededL1Entries() {
        return neededL1Entries(size, clusterBits, extendedL2());
    }

    static long neededL1Entries(long size, int clusterBits, boolean extended) {
        return ceilShift(size, 2 * clusterBits - (extended ? 4 : 3));
    }

    /** Divides by a power of two, rounding up, without overflow. */
    static long ceilShift(long value, int bits) {
        return (value >>> bits) + ((value & ((1L << bits) - 1)) == 0 ? 0 : 1);
    }

    static StorageException malformed(Path file, String what) {
        return new StorageException(
                StorageException.Code.BAD_FORMAT, "The qcow2 image " + file + " " + what);
    }
}
