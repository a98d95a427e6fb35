package org.javisor.storage;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/** Discards and zeroes ranges of a qcow2 image by changing its tables. */
final class QcowZeroer {
    private final QcowHeader header;
    private final QcowTables tables;
    private final MetadataWriter committer;
    private final QcowReader reader;
    private final QcowWriter writer;
    private final RangeLock ranges;
    private final boolean hasBacking;
    private final long size;
    private final int clusterBits;
    private final int subBits;

    QcowZeroer(QcowParts parts, QcowReader reader, QcowWriter writer, long size) {
        this.header = parts.header();
        this.tables = parts.tables();
        this.committer = parts.committer();
        this.reader = reader;
        this.writer = writer;
        this.ranges = parts.ranges();
        this.hasBacking = parts.backing().isPresent();
        this.size = size;
        this.clusterBits = header.clusterBits();
        this.subBits = Long.numberOfTrailingZeros(header.subclusterSize());
    }

    /** What is to become of a range. */
    private enum Aim {
        /** Give space back; what is read then does not matter. */
        DISCARD,
        /** Read zeros, and give space back. */
        ZERO,
        /** Read zeros, and keep space. */
        ZERO_KEEPING
    }

    void discard(long offset, long length) {
        if (header.version() < 3 && hasBacking) {
            // Version 2 cannot say that a cluster is zero, and what is underneath should not
            // come back.
            return;
        }
        long unit = 1L << subBits;
        long from = (offset + unit - 1) & -unit;
        long to = offset + length == size ? roundUp(size) : (offset + length) & -unit;
        change(from, to, Aim.DISCARD);
    }

    void writeZeroes(long offset, long length, boolean mayUnmap) {
        if (header.version() < 3 && hasBacking) {
            writeZeros(offset, offset + length);
            return;
        }
        long unit = 1L << subBits;
        long end = offset + length;
        long from = Math.min(end, (offset + unit - 1) & -unit);
        long to = end == size ? roundUp(size) : Math.max(from, end & -unit);
        writeZeros(offset, from);
        change(from, to, mayUnmap ? Aim.ZERO : Aim.ZERO_KEEPING);
        if (to < end) {
            writeZeros(to, end);
        }
    }

    private long roundUp(long offset) {
        return (offset + (1L << subBits) - 1) & -(1L << subBits);
    }

    /** Where zeros cannot be had by changing the tables. */
    private void writeZeros(long from, long to) {
        long most = Math.min(to - from, 1 << 20);
        if (most <= 0 || reader.readsAsZero(from, to - from)) {
            return;
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment zeros = arena.allocate(most, 4096);
            while (from < to) {
                long part = Math.min(most, to - from);
                writer.write(from, new MemorySegment[] {zeros.asSlice(0, part)});
                from += part;
            }
        }
    }

    private void change(long from, long to, Aim aim) {
        while (from < to) {
            long cluster = from >>> clusterBits;
            long sliceEnd = ((cluster >>> tables.sliceBits()) + 1) << tables.sliceBits();
            long end = Math.min(to, sliceEnd << clusterBits);
            if (end <= 0) {
                end = to;
            }
            if (!tables.hasTable(cluster) && (aim == Aim.DISCARD || !hasBacking)) {
                long tableEnd = ((cluster >>> header.l2Bits()) + 1) << header.l2Bits();
                end = Math.min(to, tableEnd << clusterBits);
                from = end <= 0 ? to : end;
                continue;
            }
            changeSlice(from, end, aim);
            from = end;
        }
    }

    private void changeSlice(long from, long to, Aim aim) {
        long first = from >>> clusterBits;
        long last = (to - 1) >>> clusterBits;
        List<Long> compressed = new ArrayList<>();
        RangeLock.Held held = ranges.lock(first, last);
        try {
            tables.locked(
                    () -> {
                        committer.release();
                        for (long cluster = first; cluster <= last; cluster++) {
                            long start = cluster << clusterBits;
                            long partFrom = Math.max(from, start);
                            long partTo = Math.min(to, start + header.clusterSize());
                            if (!changeCluster(cluster, partFrom, partTo, aim)) {
                                compressed.add(partFrom);
                                compressed.add(partTo);
                            }
                        }
                        return first;
                    });
        } finally {
            ranges.unlock(held);
        }
        for (int i = 0; i < compressed.size(); i += 2) {
            writeZeros(compressed.get(i), compressed.get(i + 1));
        }
    }

    /** Returns false if zeros must be written instead. */
    private boolean changeCluster(long cluster, long from, long to, Aim aim) {
        L2Slice slice = tables.writable(cluster);
        int index = tables.index(cluster);
        if (header.extendedL2()) {
            return changeParts(slice, index, from, to, aim);
        }
        long old = slice.entry(index);
        boolean compressed = (old & L2Entry.COMPRESSED) != 0;
        boolean owned = !compressed && (old & L2Entry.COPIED) != 0;
        boolean nothing = !compressed && (old & L2Entry.OFFSET) == 0;
        if (nothing && (aim == Aim.DISCARD || !hasBacking || (old & L2Entry.ZERO) != 0)) {
            return true;
        }
        if (owned && aim == Aim.ZERO_KEEPING && header.version() >= 3) {
            tables.set(slice, index, old | L2Entry.ZERO, 0);
            return true;
        }
        tables.requireCounted(old);
        tables.leave(old);
        tables.set(slice, index, hasBacking ? L2Entry.ZERO : 0, 0);
        return true;
    }

    private boolean changeParts(L2Slice slice, int index, long from, long to, Aim aim) {
        long old = slice.entry(index);
        long within = header.clusterSize() - 1;
        int firstPart = (int) ((from & within) >>> subBits);
        int lastPart = (int) (((to - 1) & within) >>> subBits);
        long parts = L2Entry.allocated(firstPart, lastPart);
        if ((old & L2Entry.COMPRESSED) != 0) {
            return changeCompressed(slice, index, parts, aim);
        }
        long bitmap = slice.bitmap(index);
        long affected = aim == Aim.DISCARD ? parts & bitmap : parts;
        long changed = bitmap & ~affected;
        if (hasBacking) {
            changed |= affected << 32;
        }
        boolean emptied = (changed & L2Entry.ALL_ALLOCATED) == 0;
        boolean frees = emptied && (old & L2Entry.OFFSET) != 0 && aim != Aim.ZERO_KEEPING;
        if (changed == bitmap && !frees) {
            return true;
        }
        if (frees) {
            tables.requireCounted(old);
            tables.leave(old);
        }
        tables.set(slice, index, frees ? 0 : old, changed);
        return true;
    }

    /** A compressed cluster has no parts: it goes as a whole or not at all. */
    private boolean changeCompressed(L2Slice slice, int index, long parts, Aim aim) {
        if (parts != L2Entry.ALL_ALLOCATED) {
            return aim == Aim.DISCARD;
        }
        long old = slice.entry(index);
        tables.requireCounted(old);
        tables.leave(old);
        tables.set(slice, index, 0, hasBacking ? L2Entry.ALL_ZERO : 0);
        return true;
    }
}
