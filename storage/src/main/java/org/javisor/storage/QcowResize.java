package org.javisor.storage;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;

/** Changes the size of the disk in a qcow2 image that nobody uses. */
final class QcowResize {
    private final HostFile file;
    private final QcowHeader header;

    private QcowResize(HostFile file, QcowHeader header) {
        this.file = file;
        this.header = header;
    }

    static void resize(Path path, long size) {
        long old;
        try (HostFile file = HostFile.open(path, HostFile.Mode.READ)) {
            QcowHeader header = QcowHeaderReader.read(file);
            old = header.size();
            QcowOptions.checkSize(size, header.clusterBits(), header.extendedL2());
        }
        if (size < old) {
            // First nothing lies behind the new end, then nothing can.
            change(path, disk -> disk.discard(size, disk.size() - size));
            setSize(path, size);
        } else if (size > old) {
            setSize(path, size);
            // What an image underneath has there, or an earlier end left behind.
            change(path, disk -> disk.zeroNew(old));
        }
    }

    private static void change(Path path, java.util.function.Consumer<QcowDisk> action) {
        DiskSpec spec = DiskSpec.of(path).withFormat(DiskFormat.QCOW2);
        try (BlockBackend disk = DiskChain.open(spec, HostFile.Mode.WRITE)) {
            action.accept((QcowDisk) disk);
        }
    }

    private static void setSize(Path path, long size) {
        try (HostFile file = HostFile.open(path, HostFile.Mode.WRITE)) {
            QcowHeader header = QcowHeaderReader.read(file);
            QcowResize resize = new QcowResize(file, header);
            long entries =
                    QcowHeader.neededL1Entries(size, header.clusterBits(), header.extendedL2());
            if (entries > header.l1Size()) {
                resize.growL1((int) entries);
            }
            byte[] field = new byte[8];
            ByteBuffer.wrap(field).putLong(size);
            BigEndian.write(file, QcowHeader.SIZE_FIELD, field);
            file.flush();
        }
    }

    /** The longer table is whole and counted before the header leads to it. */
    private void growL1(int entries) {
        int bits = header.clusterBits();
        int clusters = (int) QcowHeader.ceilShift(8L * entries, bits);
        long[] table =
                Arrays.copyOf(
                        BigEndian.read(file, header.l1Offset(), header.l1Size()),
                        clusters << (bits - 3));
        Refcounts refcounts =
                new Refcounts(
                        file,
                        header,
                        new ClusterSet(),
                        what -> new QcowCorruption(file, header, true).found(what));
        long first = refcounts.append(clusters);
        refcounts.take().write(file);
        BigEndian.write(file, first << bits, table, 0, table.length);
        file.flush();
        byte[] fields = new byte[12];
        ByteBuffer.wrap(fields).putInt(entries).putLong(first << bits);
        BigEndian.write(file, QcowHeader.L1_FIELDS, fields);
        file.flush();
        long old = header.l1Offset() >>> bits;
        for (long i = 0; i < QcowHeader.ceilShift(8L * header.l1Size(), bits); i++) {
            refcounts.decrement(old + i);
        }
        for (Refcounts.Run run : refcounts.takeAbandoned()) {
            for (int i = 0; i < run.count(); i++) {
                refcounts.decrement(run.first() + i);
            }
        }
        refcounts.take().write(file);
        file.flush();
    }
}
