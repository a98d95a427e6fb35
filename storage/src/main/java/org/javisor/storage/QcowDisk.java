package org.javisor.storage;

import java.lang.foreign.MemorySegment;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;

/**
 * A qcow2 image, versions 2 and 3, as a disk. Source: QEMU, docs/interop/qcow2.
 *
 * <p>Reads, and writes to what is allocated, take no lock that others take too. Compressed clusters
 * are read; what is written to them becomes uncompressed. Refcounts are always kept exact, whatever
 * the image says about lazy ones.
 */
final class QcowDisk implements BlockBackend, SparseSource {
    private static final long L2_CACHE_BYTES = 16 << 20;

    private final QcowParts parts;
    private final QcowReader reader;
    private final QcowWriter writer;
    private final QcowZeroer zeroer;
    private final ReentrantLock metadata;
    private final boolean readOnly;
    private final long size;
    private boolean closed;

    private QcowDisk(QcowParts parts, ReentrantLock metadata, boolean readOnly, long size) {
        this.parts = parts;
        this.metadata = metadata;
        this.readOnly = readOnly;
        this.size = size;
        this.reader = new QcowReader(parts);
        this.writer = new QcowWriter(parts, reader);
        this.zeroer = new QcowZeroer(parts, reader, writer, size);
    }

    /**
     * Opens an image whose header has been read; takes over the file and the image underneath.
     *
     * @throws StorageException {@code CORRUPT} if it is to be written and must be repaired first
     */
    static QcowDisk open(
            HostFile file, QcowHeader header, Optional<BlockBackend> backing, boolean readOnly) {
        if (!readOnly) {
            requireWritable(file, header);
        }
        long[] l1 = BigEndian.read(file, header.l1Offset(), header.l1Size());
        return open(file, header, backing, readOnly, l1, header.l1Offset(), header.size());
    }

    /** Opens the state that a snapshot has kept, to be read. */
    static QcowDisk openSnapshot(
            HostFile file, QcowHeader header, Optional<BlockBackend> backing, QcowSnapshot shot) {
        long[] l1 = BigEndian.read(file, shot.l1Offset(), shot.l1Size());
        return open(file, header, backing, true, l1, shot.l1Offset(), shot.size(header.size()));
    }

    private static QcowDisk open(
            HostFile file,
            QcowHeader header,
            Optional<BlockBackend> backing,
            boolean readOnly,
            long[] l1Entries,
            long l1Offset,
            long size) {
        ReentrantLock metadata = new ReentrantLock();
        QcowCorruption corruption = new QcowCorruption(file, header, !readOnly);
        ClusterSet tableClusters = new ClusterSet();
        L1Table l1 = new L1Table(l1Offset, l1Entries);
        L2Cache l2 = new L2Cache(file, header, L2_CACHE_BYTES);
        QcowMap map = new QcowMap(file, header, l1, l2, corruption);
        CompressedClusters compressed = new CompressedClusters(file, header);
        RequestEpochs epochs = new RequestEpochs();
        if (!readOnly) {
            addTables(tableClusters, header, l1Entries);
        }
        Refcounts refcounts =
                readOnly
                        ? Refcounts.none(file, header)
                        : new Refcounts(file, header, tableClusters, corruption::found);
        MetadataWriter committer =
                new MetadataWriter(file, header, metadata, l1, l2, refcounts, epochs, corruption);
        QcowTables tables =
                new QcowTables(
                        file,
                        header,
                        metadata,
                        tableClusters,
                        l1,
                        l2,
                        map,
                        refcounts,
                        committer,
                        compressed,
                        corruption);
        QcowParts parts =
                new QcowParts(
                        file,
                        header,
                        map,
                        tables,
                        committer,
                        compressed,
                        new RangeLock(),
                        epochs,
                        l2,
                        backing);
        return new QcowDisk(parts, metadata, readOnly, size);
    }

    private static void addTables(ClusterSet tableClusters, QcowHeader header, long[] l1) {
        int bits = header.clusterBits();
        tableClusters.add(0);
        tableClusters.addAll(
                header.l1Offset() >>> bits, QcowHeader.ceilShift(8L * l1.length, bits));
        if (header.snapshotCount() > 0) {
            tableClusters.add(header.snapshotsOffset() >>> bits);
        }
        for (long entry : l1) {
            if ((entry & L2Entry.OFFSET) != 0) {
                tableClusters.add((entry & L2Entry.OFFSET) >>> bits);
            }
        }
    }

    private static void requireWritable(HostFile file, QcowHeader header) {
        if (header.corrupt()) {
            throw new StorageException(
                    StorageException.Code.CORRUPT,
                    "The qcow2 image "
                            + file.path()
                            + " is marked as damaged; repair it with 'javisor image check"
                            + " --repair', or add 'readonly'");
        }
        if (header.autoclear() != 0) {
            // Features that do not follow writes, persistent bitmaps among them, stop being valid.
            BigEndian.write(file, QcowHeader.AUTOCLEAR_FIELD, new byte[8]);
            file.flush();
        }
    }

    QcowHeader header() {
        return parts.header();
    }

    @Override
    public long size() {
        return (size + 511) & -512;
    }

    @Override
    public int logicalBlockSize() {
        return Math.max(512, size % 4096 == 0 ? parts.file().alignment() : 512);
    }

    @Override
    public int discardGranularity() {
        return (int) parts.header().subclusterSize();
    }

    @Override
    public boolean readOnly() {
        return readOnly;
    }

    @Override
    public void read(long offset, MemorySegment... targets) {
        Ranges.check(offset, Segments.length(targets), size());
        long entered = parts.epochs().enter();
        try {
            reader.read(offset, targets);
        } finally {
            parts.epochs().exit(entered);
        }
        trim();
    }

    @Override
    public void write(long offset, MemorySegment... sources) {
        Ranges.checkWrite(offset, Segments.length(sources), this);
        change(() -> writer.write(offset, sources));
    }

    @Override
    public void flush() {
        if (!readOnly) {
            parts.committer().commit();
        }
    }

    @Override
    public void discard(long offset, long length) {
        Ranges.checkWrite(offset, length, this);
        if (length > 0) {
            change(() -> zeroer.discard(offset, length));
        }
    }

    @Override
    public void writeZeroes(long offset, long length, boolean mayUnmap) {
        Ranges.checkWrite(offset, length, this);
        if (length > 0) {
            change(() -> zeroer.writeZeroes(offset, length, mayUnmap));
        }
    }

    /**
     * Makes what has been added to the disk's end read as zeros: an image underneath may be longer,
     * and a disk that was cut off once keeps what lay behind its end in the same cluster.
     */
    void zeroNew(long oldSize) {
        long cluster = parts.header().clusterSize();
        long underneath = parts.backing().map(BlockBackend::size).orElse(0L);
        long end = Math.max((oldSize + cluster - 1) & -cluster, underneath);
        if (Math.min(end, size()) > oldSize) {
            writeZeroes(oldSize, Math.min(end, size()) - oldSize, true);
        }
    }

    /**
     * Writes a whole cluster, compressed if that makes it smaller; for a single writer.
     *
     * @param cluster its number on the disk
     */
    void writeCompressed(long cluster, byte[] compressed) {
        change(() -> writer.writeCompressed(cluster, compressed));
    }

    private void change(Runnable request) {
        long entered = parts.epochs().enter();
        try {
            request.run();
        } finally {
            parts.epochs().exit(entered);
        }
        if (parts.tables().isCrowded()) {
            parts.committer().commit();
        }
        trim();
    }

    private void trim() {
        if (parts.l2().isFull() && metadata.tryLock()) {
            try {
                parts.l2().evict();
            } finally {
                metadata.unlock();
            }
        }
    }

    @Override
    public long zeroLength(long offset, long most) {
        return reader.zeroLength(offset, most);
    }

    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        try {
            if (!readOnly) {
                parts.committer().commitAll();
            }
        } finally {
            parts.file().close();
            parts.backing().ifPresent(BlockBackend::close);
        }
    }
}
