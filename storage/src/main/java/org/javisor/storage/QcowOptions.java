package org.javisor.storage;

import java.util.Optional;

/**
 * How a new qcow2 image is to be.
 *
 * @param size of the disk, bytes
 * @param version 2 or 3
 * @param clusterSize bytes, a power of two from 512 to 2 MiB
 * @param refcountBits of each refcount, a power of two from 1 to 64
 * @param zstd whether compressed clusters are compressed with zstd rather than deflate
 * @param extendedL2 whether clusters have subclusters
 * @param lazyRefcounts whether others may keep refcounts out of date while they have the image open
 * @param backing the image underneath
 */
public record QcowOptions(
        long size,
        int version,
        int clusterSize,
        int refcountBits,
        boolean zstd,
        boolean extendedL2,
        boolean lazyRefcounts,
        Optional<Backing> backing) {

    /**
     * The image underneath.
     *
     * @param name as it is to stand in the header; if relative, counted from the new image
     * @param format its format
     */
    public record Backing(String name, DiskFormat format) {}

    /** The usual: version 3, clusters of 64 KiB. */
    public static QcowOptions of(long size) {
        return new QcowOptions(size, 3, 65536, 16, false, false, false, Optional.empty());
    }

    /**
     * The same with options as a user writes them: {@code cluster_size=64k,compression_type=zstd}.
     *
     * @throws StorageException {@code BAD_ARGUMENT} with a line that names the wrong word
     */
    public QcowOptions with(String words) {
        return QcowOptionWords.apply(this, words);
    }

    /** The same with another size. */
    public QcowOptions ofSize(long newSize) {
        return new QcowOptions(
                newSize,
                version,
                clusterSize,
                refcountBits,
                zstd,
                extendedL2,
                lazyRefcounts,
                backing);
    }

    /** The same over another image. */
    public QcowOptions on(Backing newBacking) {
        return new QcowOptions(
                size,
                version,
                clusterSize,
                refcountBits,
                zstd,
                extendedL2,
                lazyRefcounts,
                Optional.of(newBacking));
    }

    int clusterBits() {
        return Integer.numberOfTrailingZeros(clusterSize);
    }

    int refcountOrder() {
        return Integer.numberOfTrailingZeros(refcountBits);
    }

    /**
     * Refuses what the format cannot be.
     *
     * @throws StorageException {@code BAD_ARGUMENT}
     */
    QcowOptions checked() {
        if (Integer.bitCount(clusterSize) != 1 || clusterSize < 512 || clusterSize > 2 << 20) {
            throw DiskSpec.wrong(
                    "The cluster size is a power of two from 512 to 2M, not " + clusterSize);
        }
        if (Integer.bitCount(refcountBits) != 1 || refcountBits < 1 || refcountBits > 64) {
            throw DiskSpec.wrong(
                    "The refcount width is a power of two from 1 to 64, not " + refcountBits);
        }
        if (version != 2 && version != 3) {
            throw DiskSpec.wrong("qcow2 has versions 2 and 3, not " + version);
        }
        if (version == 2 && (zstd || extendedL2 || lazyRefcounts || refcountBits != 16)) {
            throw DiskSpec.wrong(
                    "Version 2 has no zstd, extended L2 entries, lazy refcounts or other refcount"
                            + " widths; use version 3");
        }
        if (extendedL2 && clusterSize < 1 << QcowHeader.MIN_EXTENDED_CLUSTER_BITS) {
            throw DiskSpec.wrong("Extended L2 entries need clusters of at least 16k");
        }
        if (backing.isPresent() && backing.get().name().isEmpty()) {
            throw DiskSpec.wrong("The image underneath has a format and no name");
        }
        checkSize(size, clusterBits(), extendedL2);
        return this;
    }

    static void checkSize(long size, int clusterBits, boolean extendedL2) {
        if (size <= 0 || size % 512 != 0) {
            throw DiskSpec.wrong(
                    "A disk of " + size + " bytes is not a whole number of 512-byte sectors");
        }
        long entries = QcowHeader.neededL1Entries(size, clusterBits, extendedL2);
        if (entries > QcowHeader.MAX_L1_BYTES / 8) {
            throw DiskSpec.wrong(
                    "A disk of %s is too large for clusters of %s"
                            .formatted(ByteSize.show(size), ByteSize.show(1L << clusterBits)));
        }
    }
}
