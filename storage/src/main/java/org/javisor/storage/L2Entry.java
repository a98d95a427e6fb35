package org.javisor.storage;

/** The bits of L1 and L2 entries. Source: QEMU, docs/interop/qcow2, "Cluster mapping". */
final class L2Entry {
    /** The cluster's refcount is exactly one: it may be written in place. */
    static final long COPIED = 1L << 63;

    static final long COMPRESSED = 1L << 62;

    /** Reads as zeros, whatever the offset; not with extended entries, not in version 2. */
    static final long ZERO = 1;

    static final long OFFSET = 0x00ff_ffff_ffff_fe00L;

    static final long ALL_ALLOCATED = 0xffff_ffffL;
    static final long ALL_ZERO = ALL_ALLOCATED << 32;

    private L2Entry() {}

    /** The subclusters' bits from {@code first} to {@code last}, inclusive, as allocated. */
    static long allocated(int first, int last) {
        return (ALL_ALLOCATED >>> (31 - (last - first))) << first;
    }

    // Compressed clusters: x bits of byte offset, above them the number of further sectors.

    private static int offsetBits(int clusterBits) {
        return 62 - (clusterBits - 8);
    }

    static long compressedOffset(long entry, int clusterBits) {
        return entry & ((1L << offsetBits(clusterBits)) - 1);
    }

    /** Bytes to the end of the last sector. */
    static int compressedLength(long entry, int clusterBits) {
        int x = offsetBits(clusterBits);
        long sectors = ((entry >>> x) & ((1L << (62 - x)) - 1)) + 1;
        return (int) (sectors * 512 - (entry & 511));
    }

    /** The greatest offset of a compressed cluster. */
    static long maxCompressedOffset(int clusterBits) {
        return Math.min((1L << offsetBits(clusterBits)) - 1, QcowHeader.MAX_HOST_OFFSET);
    }

    static long compressed(long offset, int length, int clusterBits) {
        long sectors = ((offset + length - 1) >> 9) - (offset >> 9);
        return COMPRESSED | (sectors << offsetBits(clusterBits)) | offset;
    }
}
