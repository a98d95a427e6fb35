package org.javisor.storage;

import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

/**
 * Changes to the tables of a qcow2 image, in memory. All but {@link #locked}, {@link #giveBack},
 * {@link #isCrowded} and {@link #requireData} are called inside {@link #locked}.
 */
final class QcowTables {
    private final HostFile file;
    private final QcowHeader header;
    private final ReentrantLock metadata;
    private final ClusterSet tableClusters;
    private final L1Table l1;
    private final L2Cache l2;
    private final QcowMap map;
    private final Refcounts refcounts;
    private final MetadataWriter committer;
    private final CompressedClusters compressed;
    private final QcowCorruption corruption;
    private final int clusterBits;

    /** Where the next compressed cluster may begin; 0 if nowhere. */
    private long compressedEnd;

    QcowTables(
            HostFile file,
            QcowHeader header,
            ReentrantLock metadata,
            ClusterSet tableClusters,
            L1Table l1,
            L2Cache l2,
            QcowMap map,
            Refcounts refcounts,
            MetadataWriter committer,
            CompressedClusters compressed,
            QcowCorruption corruption) {
        this.file = file;
        this.header = header;
        this.metadata = metadata;
        this.tableClusters = tableClusters;
        this.l1 = l1;
        this.l2 = l2;
        this.map = map;
        this.refcounts = refcounts;
        this.committer = committer;
        this.compressed = compressed;
        this.corruption = corruption;
        this.clusterBits = header.clusterBits();
    }

    /** Does something under the metadata lock. */
    <T> T locked(Supplier<T> action) {
        metadata.lock();
        try {
            return action.get();
        } finally {
            metadata.unlock();
        }
    }

    int index(long cluster) {
        return l2.index(cluster);
    }

    /** Whether so much has changed that it should be written soon. */
    boolean isCrowded() {
        return l2.isCrowded() || refcounts.isCrowded();
    }

    int sliceBits() {
        return l2.sliceBits();
    }

    /** Whether the disk has an L2 table for the cluster. */
    boolean hasTable(long cluster) {
        return (l1.get(l1Index(cluster)) & L2Entry.OFFSET) != 0;
    }

    private int l1Index(long cluster) {
        return (int) (cluster >>> header.l2Bits());
    }

    /** The part of an L2 table that describes the cluster, in a table that is ours alone. */
    L2Slice writable(long cluster) {
        int index = l1Index(cluster);
        long entry = l1.get(index);
        if ((entry & L2Entry.OFFSET) == 0) {
            addTable(index);
        } else if ((entry & L2Entry.COPIED) == 0) {
            copyTable(index, map.checkedTable(entry & L2Entry.OFFSET));
        }
        long table = l1.get(index) & L2Entry.OFFSET;
        return l2.slice(l2.number(cluster), map.checkedTable(table));
    }

    private void addTable(int index) {
        Refcounts.Run run = refcounts.allocate(1);
        long offset = run.first() << clusterBits;
        try {
            Zeros.write(file, offset, header.clusterSize());
        } catch (StorageException e) {
            refcounts.decrement(run.first());
            throw e;
        }
        tableClusters.add(run.first());
        l1.set(index, offset | L2Entry.COPIED);
    }

    /** A table that snapshots use too has no changes in memory: none were made to it. */
    private void copyTable(int index, long old) {
        Refcounts.Run run = refcounts.allocate(1);
        long offset = run.first() << clusterBits;
        try {
            byte[] bytes = BigEndian.readBytes(file, old, (int) header.clusterSize());
            BigEndian.write(file, offset, bytes);
        } catch (StorageException e) {
            refcounts.decrement(run.first());
            throw e;
        }
        tableClusters.add(run.first());
        l1.set(index, offset | L2Entry.COPIED);
        committer.leave(old >>> clusterBits, 1);
    }

    void set(L2Slice slice, int index, long entry, long bitmap) {
        l2.set(slice, index, entry, bitmap);
    }

    /** Whether a write to the cluster needs a new one. */
    boolean needsCluster(long entry) {
        return (entry & L2Entry.COMPRESSED) != 0
                || (entry & L2Entry.COPIED) == 0
                || (entry & L2Entry.OFFSET) == 0;
    }

    Refcounts.Run allocate(int wanted) {
        corruption.requireSound();
        return refcounts.allocate(wanted);
    }

    /** Frees clusters that no entry ever led to. */
    void giveBack(long first, int count) {
        locked(
                () -> {
                    for (int i = 0; i < count; i++) {
                        refcounts.decrement(first + i);
                    }
                    return first;
                });
    }

    /** Frees, some time later, what an entry that is being replaced leads to. */
    void leave(long entry) {
        if ((entry & L2Entry.COMPRESSED) != 0) {
            long offset = L2Entry.compressedOffset(entry, clusterBits);
            long end = offset + L2Entry.compressedLength(entry, clusterBits) - 1;
            long first = offset >>> clusterBits;
            committer.leave(first, (end >>> clusterBits) - first + 1);
            compressed.forget(entry);
            return;
        }
        long host = map.checkedHost(entry);
        if (host != 0) {
            committer.leave(host >>> clusterBits, 1);
        }
    }

    /**
     * To be called before anything is changed because an entry is to be replaced.
     *
     * @throws StorageException {@code CORRUPT} if what it leads to counts as free
     */
    void requireCounted(long entry) {
        corruption.requireSound();
        long first;
        if ((entry & L2Entry.COMPRESSED) != 0) {
            long offset = L2Entry.compressedOffset(entry, clusterBits);
            long last = offset + L2Entry.compressedLength(entry, clusterBits) - 1;
            first = offset >>> clusterBits;
            requireCounted(first, last >>> clusterBits);
            return;
        }
        first = map.checkedHost(entry) >>> clusterBits;
        if (first != 0) {
            requireCounted(first, first);
        }
    }

    private void requireCounted(long first, long last) {
        for (long cluster = first; cluster <= last; cluster++) {
            if (refcounts.get(cluster) == 0 || tableClusters.contains(cluster)) {
                throw corruption.found("a cluster in use counts as free");
            }
        }
    }

    /**
     * To be called before data is written in place: an entry may lead to the tables themselves.
     *
     * @throws StorageException {@code CORRUPT}
     */
    void requireData(long host, long length) {
        corruption.requireSound();
        if (tableClusters.containsAny(host >>> clusterBits, (host + length - 1) >>> clusterBits)) {
            throw corruption.found("data lies where its tables are");
        }
    }

    /**
     * Room for compressed data, close behind the last if possible.
     *
     * @return its place in the file
     */
    long allocateBytes(int length) {
        long size = header.clusterSize();
        long room = -compressedEnd & (size - 1);
        long last = (compressedEnd - 1) >>> clusterBits;
        boolean shareable = room > 0 && isShareable(last);
        if (shareable && length <= room) {
            refcounts.increment(last);
            return place(compressedEnd, length);
        }
        Refcounts.Run run = allocate(1);
        long offset = run.first() << clusterBits;
        if (shareable && run.first() == last + 1) {
            refcounts.increment(last);
            return place(compressedEnd, length);
        }
        return place(offset, length);
    }

    /** What was compressed into it may all have been overwritten meanwhile. */
    private boolean isShareable(long cluster) {
        long users = refcounts.get(cluster);
        return users > 0 && users < refcounts.max();
    }

    private long place(long offset, int length) {
        if (offset + length > L2Entry.maxCompressedOffset(clusterBits)) {
            throw new StorageException(
                    StorageException.Code.NO_SPACE,
                    file.path() + " is too large for more compressed clusters");
        }
        compressedEnd = offset + length;
        return offset;
    }
}
