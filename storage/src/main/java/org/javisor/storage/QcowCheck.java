package org.javisor.storage;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/**
 * Counts how often each cluster of a qcow2 image is used, compares that with its refcounts, and can
 * put right what is wrong. Nobody else has the image open meanwhile.
 */
final class QcowCheck {
    private final HostFile file;
    private final QcowHeader header;
    private final int clusterBits;
    private final long fileClusters;
    private final ClusterCounts counts = new ClusterCounts();
    private final CheckReport.Findings findings = new CheckReport.Findings();

    /** L2 tables by place: how many L1 entries lead there. */
    private final Map<Long, Integer> l2Tables = new LinkedHashMap<>();

    /** Refcount blocks that are where they can be, by index. */
    private final Map<Integer, Long> refcountBlocks = new LinkedHashMap<>();

    private long[] activeL1 = {};

    private QcowCheck(HostFile file, QcowHeader header) {
        this.file = file;
        this.header = header;
        this.clusterBits = header.clusterBits();
        this.fileClusters = QcowHeader.ceilShift(file.length(), clusterBits);
    }

    /** What may be put right. */
    enum Repair {
        NOTHING,
        LEAKS,
        ALL
    }

    /** Checks an image, and repairs it if wanted. */
    static CheckReport run(HostFile file, QcowHeader header, Repair repair) {
        QcowCheck check = new QcowCheck(file, header);
        check.count();
        check.compare();
        long leaks = check.findings.leaks();
        long damages = check.findings.damages();
        boolean marked = header.dirty() || header.corrupt();
        boolean wanted =
                switch (repair) {
                    case NOTHING -> false;
                    case LEAKS -> leaks > 0 && damages == 0;
                    case ALL -> leaks + damages > 0 || marked;
                };
        if (!wanted) {
            return check.findings.report(header, 0);
        }
        if (leaks + damages > 0) {
            new QcowRepair(file, header, check.counts, check.fileClusters).run(check.activeL1);
        }
        QcowCheck again = new QcowCheck(file, QcowHeaderReader.read(file));
        again.count();
        again.compare();
        long rest = again.findings.leaks() + again.findings.damages();
        if (rest == 0) {
            QcowRepair.clearMarks(file, header);
        }
        return check.findings.report(header, leaks + damages - rest);
    }

    /** Puts the refcounts of an image right that was not closed. */
    static void repairRefcounts(HostFile file, QcowHeader header) {
        CheckReport report = run(file, header, Repair.ALL);
        if (!report.isClean()) {
            throw new StorageException(
                    StorageException.Code.CORRUPT,
                    "The qcow2 image %s was not closed and cannot be repaired: %s"
                            .formatted(file.path(), report.messages().getFirst()));
        }
    }

    private void count() {
        counts.add(0, 1);
        long l1Bytes = 8L * header.l1Size();
        if (header.l1Size() > 0) {
            addRange("the L1 table", header.l1Offset(), l1Bytes);
        }
        activeL1 = BigEndian.read(file, header.l1Offset(), header.l1Size());
        countL1(activeL1);
        countSnapshots();
        countRefcountTable();
        if (header.bitmaps().isPresent()
                && (header.autoclear() & QcowHeader.AUTOCLEAR_BITMAPS) != 0) {
            new QcowBitmaps(file, header).ranges(this::addRange);
        }
        l2Tables.forEach(this::countL2);
    }

    private void addRange(String what, long offset, long length) {
        if (length <= 0) {
            return;
        }
        long first = offset >>> clusterBits;
        long last = (offset + length - 1) >>> clusterBits;
        if (offset < 0 || last >= fileClusters) {
            findings.damage(what + " lies past the end of the file");
            return;
        }
        for (long cluster = first; cluster <= last; cluster++) {
            counts.add(cluster, 1);
        }
    }

    private void countL1(long[] entries) {
        for (int i = 0; i < entries.length; i++) {
            long table = entries[i] & L2Entry.OFFSET;
            if (table == 0) {
                continue;
            }
            if ((table & (header.clusterSize() - 1)) != 0
                    || table >>> clusterBits >= fileClusters) {
                findings.damage("L1 entry " + i + " leads to an impossible place");
                continue;
            }
            l2Tables.merge(table, 1, Integer::sum);
            counts.add(table >>> clusterBits, 1);
        }
    }

    private void countSnapshots() {
        if (header.snapshotCount() == 0) {
            return;
        }
        QcowSnapshot.Table table;
        try {
            table = QcowSnapshot.table(file, header);
        } catch (StorageException e) {
            findings.damage("the snapshot table cannot be read");
            return;
        }
        addRange("the snapshot table", header.snapshotsOffset(), table.bytes());
        List<QcowSnapshot> snapshots = table.snapshots();
        long all = snapshots.stream().mapToLong(snapshot -> 8L * snapshot.l1Size()).sum();
        if (all > file.length()) {
            // Each has a table of its own in a sound image, and the file holds them all.
            findings.damage("the snapshots' L1 tables overlap");
            return;
        }
        for (QcowSnapshot snapshot : snapshots) {
            addRange("a snapshot's L1 table", snapshot.l1Offset(), 8L * snapshot.l1Size());
            countL1(BigEndian.read(file, snapshot.l1Offset(), snapshot.l1Size()));
        }
    }

    private void countRefcountTable() {
        long bytes = (long) header.refcountTableClusters() << clusterBits;
        addRange("the refcount table", header.refcountTableOffset(), bytes);
        long[] table = BigEndian.read(file, header.refcountTableOffset(), (int) (bytes >> 3));
        for (int i = 0; i < table.length; i++) {
            if (table[i] == 0) {
                continue;
            }
            long cluster = table[i] >>> clusterBits;
            if ((table[i] & (header.clusterSize() - 1)) != 0 || cluster >= fileClusters) {
                findings.damage("refcount block " + i + " lies at an impossible place");
                continue;
            }
            if (counts.get(cluster) > 0) {
                findings.damage("refcount block " + i + " overlaps another table");
            }
            counts.add(cluster, 1);
            refcountBlocks.put(i, table[i]);
        }
    }

    private void countL2(long table, int times) {
        int words = (int) (header.clusterSize() >> 3);
        long[] entries = BigEndian.read(file, table, words);
        int step = header.extendedL2() ? 2 : 1;
        for (int i = 0; i < words; i += step) {
            countEntry(entries[i], step == 2 ? entries[i + 1] : 0, times, table, i / step);
        }
    }

    private void countEntry(long entry, long bitmap, int times, long table, int index) {
        if ((entry & L2Entry.COMPRESSED) != 0) {
            if ((entry & L2Entry.COPIED) != 0) {
                findings.damage(at(table, index) + " is compressed and marked as writable");
            }
            long offset = L2Entry.compressedOffset(entry, clusterBits);
            long length = L2Entry.compressedLength(entry, clusterBits);
            addData(
                    offset >>> clusterBits,
                    (offset + length - 1) >>> clusterBits,
                    times,
                    table,
                    index);
            findings.used(true);
            return;
        }
        if (header.extendedL2() && (bitmap & bitmap >>> 32 & L2Entry.ALL_ALLOCATED) != 0) {
            findings.damage(at(table, index) + " has a bitmap that contradicts itself");
        }
        long host = entry & L2Entry.OFFSET;
        if (host == 0) {
            return;
        }
        if ((host & (header.clusterSize() - 1)) != 0) {
            findings.damage(at(table, index) + " leads to an impossible place");
            return;
        }
        addData(host >>> clusterBits, host >>> clusterBits, times, table, index);
        findings.used(false);
    }

    private void addData(long first, long last, int times, long table, int index) {
        for (long cluster = first; cluster <= last; cluster++) {
            if (cluster >= fileClusters) {
                // The sectors of compressed data may reach past the end; their beginning may not.
                if (cluster == first) {
                    findings.damage(at(table, index) + " leads past the end of the file");
                }
                return;
            }
            counts.add(cluster, times);
        }
    }

    private static String at(long table, int index) {
        return "entry " + index + " of the L2 table at " + table;
    }

    /** Compares what was counted with the refcounts and the marks made of them. */
    private void compare() {
        int blockBits = header.refcountBlockBits();
        refcountBlocks.forEach(
                (index, offset) -> {
                    byte[] bytes = BigEndian.readBytes(file, offset, (int) header.clusterSize());
                    RefcountBlock block = new RefcountBlock(bytes, header.refcountOrder(), false);
                    long first = (long) index << blockBits;
                    for (int i = 0; i < block.entries(); i++) {
                        compare(first + i, block.get(i));
                    }
                });
        counts.forEachUsed(
                cluster -> {
                    long index = cluster >>> blockBits;
                    if (index > Integer.MAX_VALUE || !refcountBlocks.containsKey((int) index)) {
                        compare(cluster, 0);
                    }
                });
        compareMarks();
    }

    private void compare(long cluster, long refcount) {
        int counted = counts.get(cluster);
        if (refcount == counted) {
            return;
        }
        Supplier<String> message =
                () ->
                        "cluster %d is used %d times and counted %s times"
                                .formatted(cluster, counted, Long.toUnsignedString(refcount));
        // Counts of 64 bits may be past the sign.
        if (Long.compareUnsigned(refcount, counted) > 0) {
            findings.leak(message);
        } else {
            findings.damage(message);
        }
    }

    private void compareMarks() {
        for (int i = 0; i < activeL1.length; i++) {
            long table = activeL1[i] & L2Entry.OFFSET;
            if (table == 0 || !l2Tables.containsKey(table)) {
                continue;
            }
            if (wrongMark(activeL1[i])) {
                findings.damage("L1 entry " + i + " is marked wrongly as shared or not");
            }
            int words = (int) (header.clusterSize() >> 3);
            long[] entries = BigEndian.read(file, table, words);
            for (int j = 0; j < words; j += header.extendedL2() ? 2 : 1) {
                boolean normal = (entries[j] & L2Entry.COMPRESSED) == 0;
                if (normal && (entries[j] & L2Entry.OFFSET) != 0 && wrongMark(entries[j])) {
                    int index = header.extendedL2() ? j / 2 : j;
                    findings.damage(at(table, index) + " is marked wrongly as shared or not");
                }
            }
        }
    }

    private boolean wrongMark(long entry) {
        int counted = counts.get((entry & L2Entry.OFFSET) >>> clusterBits);
        return (counted == 1) != ((entry & L2Entry.COPIED) != 0) && counted > 0;
    }
}
