package org.javisor.storage;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Optional;
import org.javisor.storage.QcowMap.Extent;

/** Reads from a qcow2 image and what lies under it. */
final class QcowReader {
    private final HostFile file;
    private final QcowHeader header;
    private final QcowMap map;
    private final CompressedClusters compressed;
    private final Optional<BlockBackend> backing;

    QcowReader(QcowParts parts) {
        this.file = parts.file();
        this.header = parts.header();
        this.map = parts.map();
        this.compressed = parts.compressed();
        this.backing = parts.backing();
    }

    /** Reads within clusters of the disk; what is past its end in the last one too. */
    void read(long offset, MemorySegment[] targets) {
        long total = Segments.length(targets);
        Extent extent = new Extent();
        for (long done = 0; done < total; ) {
            long at = offset + done;
            map.find(at, total - done, extent);
            MemorySegment[] part =
                    extent.length() == total
                            ? targets
                            : Segments.slice(targets, done, extent.length());
            switch (extent.kind()) {
                case UNALLOCATED -> readBacking(at, extent.length(), part);
                case ZERO -> Segments.fillZero(part);
                case DATA, SHARED -> file.read(extent.host(), part);
                case COMPRESSED -> readCompressed(at, extent.host(), part);
            }
            done += extent.length();
        }
    }

    private void readBacking(long offset, long length, MemorySegment[] targets) {
        long size = backing.map(BlockBackend::size).orElse(0L);
        long covered = Math.clamp(size - offset, 0, length);
        if (covered == length) {
            backing.orElseThrow().read(offset, targets);
            return;
        }
        if (covered > 0) {
            backing.orElseThrow().read(offset, Segments.slice(targets, 0, covered));
        }
        Segments.fillZero(Segments.slice(targets, covered, length - covered));
    }

    private void readCompressed(long offset, long entry, MemorySegment[] targets) {
        byte[] cluster = compressed.read(entry);
        int at = (int) (offset & (header.clusterSize() - 1));
        for (MemorySegment target : targets) {
            int length = (int) target.byteSize();
            MemorySegment.copy(cluster, at, target, ValueLayout.JAVA_BYTE, 0, length);
            at += length;
        }
    }

    /** Whether the tables alone say that a range reads as zeros. */
    boolean readsAsZero(long offset, long length) {
        return zeroLength(offset, length) == length;
    }

    /** How many bytes from here on read as zeros, as far as the tables alone say. */
    long zeroLength(long offset, long most) {
        Extent extent = new Extent();
        long done = 0;
        while (done < most) {
            long at = offset + done;
            map.find(at, most - done, extent);
            long zero =
                    switch (extent.kind()) {
                        case ZERO -> extent.length();
                        case UNALLOCATED -> zeroBacking(at, extent.length());
                        case DATA, SHARED, COMPRESSED -> 0;
                    };
            done += zero;
            if (zero < extent.length()) {
                break;
            }
        }
        return done;
    }

    private long zeroBacking(long offset, long length) {
        if (backing.isEmpty() || offset >= backing.get().size()) {
            return length;
        }
        long within = Math.min(length, backing.get().size() - offset);
        long zero = SparseSource.zeroLength(backing.get(), offset, within);
        return zero == within ? length : zero;
    }
}
