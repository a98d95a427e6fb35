package org.javisor.storage;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * Gives an image new refcounts, made of what was counted, behind everything else in its file; the
 * old ones are left alone until the header leads to the new ones. Then the marks in the active
 * tables that say which clusters are shared are made to agree.
 */
final class QcowRepair {
    private final HostFile file;
    private final QcowHeader header;
    private final ClusterCounts counts;
    private final long end;
    private final int clusterBits;
    private final int blockBits;

    /**
     * @param counts how often each cluster is used
     * @param end where the file ends, in clusters
     */
    QcowRepair(HostFile file, QcowHeader header, ClusterCounts counts, long end) {
        this.file = file;
        this.header = header;
        this.counts = counts;
        this.end = end;
        this.clusterBits = header.clusterBits();
        this.blockBits = header.refcountBlockBits();
    }

    void run(long[] activeL1) {
        uncountOldRefcounts();
        rebuild();
        mark(activeL1);
        file.flush();
    }

    private void uncountOldRefcounts() {
        long first = header.refcountTableOffset() >>> clusterBits;
        int clusters = header.refcountTableClusters();
        if (first + clusters > end) {
            return;
        }
        long[] table =
                BigEndian.read(file, header.refcountTableOffset(), clusters << (clusterBits - 3));
        for (int i = 0; i < clusters; i++) {
            counts.add(first + i, -1);
        }
        for (long entry : table) {
            long cluster = entry >>> clusterBits;
            if (entry != 0 && (entry & (header.clusterSize() - 1)) == 0 && cluster < end) {
                counts.add(cluster, -1);
            }
        }
    }

    private void rebuild() {
        List<Long> blocks = usedBlocks();
        long tableClusters = 1;
        while (true) {
            long used = end + blocks.size() + tableClusters;
            long neededEntries = ((used - 1) >>> blockBits) + 1;
            long neededClusters = QcowHeader.ceilShift(neededEntries * 8, clusterBits);
            boolean grew = addBlocks(blocks, end, used);
            if (neededClusters > tableClusters) {
                tableClusters = neededClusters;
                grew = true;
            }
            if (!grew) {
                break;
            }
        }
        if (tableClusters << clusterBits > QcowHeader.MAX_REFCOUNT_TABLE_BYTES) {
            throw new StorageException(
                    StorageException.Code.UNSUPPORTED,
                    file.path() + " is too large for its clusters to be repaired");
        }
        for (long i = 0; i < blocks.size() + tableClusters; i++) {
            counts.add(end + i, 1);
        }
        long[] table = new long[(int) (tableClusters << (clusterBits - 3))];
        for (int i = 0; i < blocks.size(); i++) {
            long place = (end + i) << clusterBits;
            table[(int) (long) blocks.get(i)] = place;
            BigEndian.write(file, place, contents(blocks.get(i)));
        }
        long place = (end + blocks.size()) << clusterBits;
        BigEndian.write(file, place, table, 0, table.length);
        file.flush();
        byte[] fields = new byte[12];
        ByteBuffer.wrap(fields).putLong(place).putInt((int) tableClusters);
        BigEndian.write(file, QcowHeader.REFCOUNT_TABLE_FIELDS, fields);
        file.flush();
    }

    private List<Long> usedBlocks() {
        List<Long> blocks = new ArrayList<>();
        counts.forEachUsed(
                cluster -> {
                    long index = cluster >>> blockBits;
                    if (blocks.isEmpty() || blocks.getLast() != index) {
                        blocks.add(index);
                    }
                });
        return blocks;
    }

    private boolean addBlocks(List<Long> blocks, long from, long to) {
        boolean grew = false;
        for (long index = from >>> blockBits; index <= (to - 1) >>> blockBits; index++) {
            if (blocks.isEmpty() || blocks.getLast() < index) {
                blocks.add(index);
                grew = true;
            }
        }
        return grew;
    }

    private byte[] contents(long index) {
        RefcountBlock block =
                new RefcountBlock(
                        new byte[(int) header.clusterSize()], header.refcountOrder(), true);
        long max =
                header.refcountOrder() >= 5
                        ? Long.MAX_VALUE
                        : (1L << (1 << header.refcountOrder())) - 1;
        for (int i = 0; i < block.entries(); i++) {
            int counted = counts.get((index << blockBits) + i);
            if (counted > max) {
                throw new StorageException(
                        StorageException.Code.UNSUPPORTED,
                        file.path() + " uses a cluster more often than it can count");
            }
            if (counted != 0) {
                block.set(i, counted);
            }
        }
        return block.contents();
    }

    private void mark(long[] activeL1) {
        int step = header.extendedL2() ? 2 : 1;
        for (int i = 0; i < activeL1.length; i++) {
            long table = activeL1[i] & L2Entry.OFFSET;
            if (table == 0
                    || (table & (header.clusterSize() - 1)) != 0
                    || table >>> clusterBits >= end) {
                continue;
            }
            activeL1[i] = marked(activeL1[i]);
            long[] entries = BigEndian.read(file, table, (int) (header.clusterSize() >> 3));
            for (int j = 0; j < entries.length; j += step) {
                if ((entries[j] & L2Entry.COMPRESSED) != 0) {
                    entries[j] &= ~L2Entry.COPIED;
                } else if ((entries[j] & L2Entry.OFFSET) != 0) {
                    entries[j] = marked(entries[j]);
                }
            }
            BigEndian.write(file, table, entries, 0, entries.length);
        }
        if (activeL1.length > 0) {
            BigEndian.write(file, header.l1Offset(), activeL1, 0, activeL1.length);
        }
    }

    private long marked(long entry) {
        boolean alone = counts.get((entry & L2Entry.OFFSET) >>> clusterBits) == 1;
        return alone ? entry | L2Entry.COPIED : entry & ~L2Entry.COPIED;
    }

    /** Takes the marks away that say the image is damaged or was not closed. */
    static void clearMarks(HostFile file, QcowHeader header) {
        if (header.version() < 3) {
            return;
        }
        long features = header.incompatible() & ~(QcowHeader.DIRTY | QcowHeader.CORRUPT);
        byte[] field = new byte[8];
        ByteBuffer.wrap(field).putLong(features);
        BigEndian.write(file, QcowHeader.INCOMPATIBLE_FIELD, field);
        file.flush();
    }
}
