package org.javisor.storage;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.javisor.storage.QcowMap.Extent;
import org.javisor.storage.QcowMap.Kind;

/**
 * Writes to a qcow2 image. Data that the image owns alone is overwritten in place, without any
 * lock. Everything else gets a new cluster: the range is locked, a cluster is taken, what is not
 * overwritten is copied into it, and only when it is whole does the L2 entry lead there.
 */
final class QcowWriter {
    private static final long MAX_PIECE = 4 << 20;

    private final HostFile file;
    private final QcowHeader header;
    private final QcowMap map;
    private final QcowTables tables;
    private final MetadataWriter committer;
    private final QcowReader reader;
    private final RangeLock ranges;
    private final int clusterBits;
    private final long clusterSize;
    private final int subBits;

    QcowWriter(QcowParts parts, QcowReader reader) {
        this.file = parts.file();
        this.header = parts.header();
        this.map = parts.map();
        this.tables = parts.tables();
        this.committer = parts.committer();
        this.reader = reader;
        this.ranges = parts.ranges();
        this.clusterBits = header.clusterBits();
        this.clusterSize = header.clusterSize();
        this.subBits = Long.numberOfTrailingZeros(header.subclusterSize());
    }

    void write(long offset, MemorySegment[] sources) {
        long total = Segments.length(sources);
        Extent extent = new Extent();
        for (long done = 0; done < total; ) {
            long at = offset + done;
            map.find(at, total - done, extent);
            if (extent.kind() == Kind.DATA) {
                tables.requireData(extent.host(), extent.length());
                file.write(extent.host(), Segments.slice(sources, done, extent.length()));
                committer.dataWritten();
                done += extent.length();
            } else {
                done += allocating(at, Math.min(total - done, MAX_PIECE), sources, done);
            }
        }
    }

    /** Writes at least the beginning of a range that cannot be written in place as it stands. */
    private long allocating(long at, long length, MemorySegment[] sources, long from) {
        RangeLock.Held held = ranges.lock(at >>> clusterBits, (at + length - 1) >>> clusterBits);
        try {
            Piece piece = tables.locked(() -> plan(at, at + length));
            if (piece.clusters() == 0) {
                return 0;
            }
            try {
                fill(piece, sources, from);
                tables.locked(() -> publish(piece));
            } catch (RuntimeException e) {
                if (!piece.reused()) {
                    tables.giveBack(piece.host() >>> clusterBits, piece.clusters());
                }
                throw e;
            }
            return piece.to() - piece.from();
        } finally {
            ranges.unlock(held);
        }
    }

    /**
     * What one step of writing does.
     *
     * @param from where in the disk it begins
     * @param to where it ends
     * @param host where its first cluster lies
     * @param clusters how many, adjacent ones; 0 if nothing is to be done
     * @param zero whether they are known to read as zeros
     * @param reused whether the image had them already
     * @param headFrom from where the first cluster must be filled up, at most {@code from}
     * @param tailTo to where the last one must be filled up, at least {@code to}
     */
    private record Piece(
            long from,
            long to,
            long host,
            int clusters,
            boolean zero,
            boolean reused,
            long headFrom,
            long tailTo) {

        private static final Piece NOTHING = new Piece(0, 0, 0, 0, false, false, 0, 0);
    }

    private Piece plan(long from, long end) {
        committer.release();
        long cluster = from >>> clusterBits;
        L2Slice slice = tables.writable(cluster);
        int index = tables.index(cluster);
        long entry = slice.entry(index);
        if (tables.needsCluster(entry)) {
            tables.requireCounted(entry);
            int wanted = 1;
            long last = (end - 1) >>> clusterBits;
            while (cluster + wanted <= last
                    && tables.index(cluster + wanted) != 0
                    && tables.needsCluster(slice.entry(index + wanted))) {
                tables.requireCounted(slice.entry(index + wanted));
                wanted++;
            }
            Refcounts.Run run = tables.allocate(wanted);
            long to = Math.min(end, (cluster + run.count()) << clusterBits);
            return new Piece(
                    from,
                    to,
                    run.first() << clusterBits,
                    run.count(),
                    run.zero(),
                    false,
                    unitStart(from, slice, index),
                    unitEnd(to, slice, index + run.count() - 1));
        }
        boolean inPlace =
                header.extendedL2()
                        ? (slice.bitmap(index) & 1L << part(from)) != 0
                        : (entry & L2Entry.ZERO) == 0;
        if (inPlace) {
            // Another request has just allocated it.
            return Piece.NOTHING;
        }
        long host = map.checkedHost(entry);
        tables.requireData(host, clusterSize);
        long to = Math.min(end, (cluster + 1) << clusterBits);
        return new Piece(
                from,
                to,
                host,
                1,
                false,
                true,
                unitStart(from, slice, index),
                unitEnd(to, slice, index));
    }

    private int part(long offset) {
        return (int) ((offset & (clusterSize - 1)) >>> subBits);
    }

    /**
     * Whether all of a cluster must be copied when part of it is written, even where it has
     * subclusters: others keep using the old one.
     */
    private boolean wholly(long entry) {
        return !header.extendedL2()
                || (entry & L2Entry.COMPRESSED) != 0
                || (entry & L2Entry.COPIED) == 0 && (entry & L2Entry.OFFSET) != 0;
    }

    private long unitStart(long from, L2Slice slice, int index) {
        if (wholly(slice.entry(index))) {
            return from & -clusterSize;
        }
        // What is allocated may be written in place by others just now and is not touched.
        boolean allocated = (slice.bitmap(index) & 1L << part(from)) != 0;
        return allocated ? from : from & -(1L << subBits);
    }

    private long unitEnd(long to, L2Slice slice, int index) {
        if (wholly(slice.entry(index))) {
            return (to + clusterSize - 1) & -clusterSize;
        }
        boolean allocated = (slice.bitmap(index) & 1L << part(to - 1)) != 0;
        return allocated ? to : (to + (1L << subBits) - 1) & -(1L << subBits);
    }

    /** Writes the new data with what it does not cover around it. */
    private void fill(Piece piece, MemorySegment[] sources, long from) {
        long length = piece.to() - piece.from();
        long head = piece.from() - piece.headFrom();
        long tail = piece.tailTo() - piece.to();
        if (piece.zero()) {
            head = head > 0 && reader.readsAsZero(piece.headFrom(), head) ? 0 : head;
            tail = tail > 0 && reader.readsAsZero(piece.to(), tail) ? 0 : tail;
        }
        MemorySegment[] data = Segments.slice(sources, from, length);
        long first = piece.from() - head;
        long host = piece.host() + (first - (piece.from() & -clusterSize));
        if (head == 0 && tail == 0) {
            file.write(host, data);
        } else {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment around = arena.allocate(head + tail, 4096);
                MemorySegment[] all = new MemorySegment[data.length + 2];
                all[0] = around.asSlice(0, head);
                all[all.length - 1] = around.asSlice(head, tail);
                System.arraycopy(data, 0, all, 1, data.length);
                reader.read(first, new MemorySegment[] {all[0]});
                reader.read(piece.to(), new MemorySegment[] {all[all.length - 1]});
                file.write(host, all);
            }
        }
        committer.dataWritten();
    }

    private Piece publish(Piece piece) {
        long cluster = piece.from() >>> clusterBits;
        for (int i = 0; i < piece.clusters(); i++, cluster++) {
            L2Slice slice = tables.writable(cluster);
            int index = tables.index(cluster);
            long old = slice.entry(index);
            long entry = piece.host() + ((long) i << clusterBits) | L2Entry.COPIED;
            if (!piece.reused()) {
                tables.leave(old);
            }
            tables.set(slice, index, entry, bitmap(piece, cluster, old, slice, index));
        }
        return piece;
    }

    private long bitmap(Piece piece, long cluster, long old, L2Slice slice, int index) {
        if (!header.extendedL2()) {
            return 0;
        }
        if (wholly(old)) {
            return L2Entry.ALL_ALLOCATED;
        }
        long start = cluster << clusterBits;
        long first = Math.max(piece.headFrom(), start);
        long last = Math.min(piece.tailTo(), start + clusterSize) - 1;
        long written = L2Entry.allocated(part(first), part(last));
        return (slice.bitmap(index) | written) & ~(written << 32);
    }

    /** Writes a whole compressed cluster; whoever calls is the only writer. */
    void writeCompressed(long cluster, byte[] compressed) {
        RangeLock.Held held = ranges.lock(cluster, cluster);
        try (Arena arena = Arena.ofConfined()) {
            long place = tables.locked(() -> tables.allocateBytes(compressed.length));
            MemorySegment bytes = arena.allocate(compressed.length, 16);
            bytes.copyFrom(MemorySegment.ofArray(compressed));
            file.write(place, bytes);
            committer.dataWritten();
            tables.locked(
                    () -> {
                        L2Slice slice = tables.writable(cluster);
                        int index = tables.index(cluster);
                        tables.requireCounted(slice.entry(index));
                        tables.leave(slice.entry(index));
                        long entry = L2Entry.compressed(place, compressed.length, clusterBits);
                        tables.set(slice, index, entry, 0);
                        return slice;
                    });
        } finally {
            ranges.unlock(held);
        }
    }
}
