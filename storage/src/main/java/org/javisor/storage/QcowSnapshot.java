package org.javisor.storage;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/**
 * A state of the disk that is kept inside a qcow2 image. Source: QEMU, docs/interop/qcow2,
 * "Snapshots".
 *
 * @param id unique in the image
 * @param name given by whoever made it
 * @param date when it was made
 * @param vmStateSize bytes of machine state beside the disk's
 * @param diskSize bytes, or -1 if it is the image's own
 * @param l1Offset where its L1 table lies
 * @param l1Size entries of that table
 */
record QcowSnapshot(
        String id,
        String name,
        Instant date,
        long vmStateSize,
        long diskSize,
        long l1Offset,
        int l1Size) {

    private static final int FIXED = 40;
    private static final int MAX_EXTRA = 1024;
    private static final int MAX_TABLE_BYTES = 64 << 20;

    /** The size of the disk then. */
    long size(long imageSize) {
        return diskSize >= 0 ? diskSize : imageSize;
    }

    /**
     * All snapshots of an image.
     *
     * @throws StorageException {@code CORRUPT}
     */
    static List<QcowSnapshot> list(HostFile file, QcowHeader header) {
        return table(file, header).snapshots();
    }

    /**
     * The snapshots and how long their table is.
     *
     * @param bytes of the table
     */
    record Table(List<QcowSnapshot> snapshots, long bytes) {}

    static Table table(HostFile file, QcowHeader header) {
        List<QcowSnapshot> all = new ArrayList<>();
        long at = header.snapshotsOffset();
        for (int i = 0; i < header.snapshotCount(); i++) {
            if (at - header.snapshotsOffset() > MAX_TABLE_BYTES) {
                throw corrupt(file);
            }
            ByteBuffer fixed = ByteBuffer.wrap(BigEndian.readBytes(file, at, FIXED));
            int idLength = fixed.getShort(12) & 0xffff;
            int nameLength = fixed.getShort(14) & 0xffff;
            int extra = fixed.getInt(36);
            if (extra < 0 || extra > MAX_EXTRA) {
                throw corrupt(file);
            }
            int length = extra + idLength + nameLength;
            ByteBuffer rest = ByteBuffer.wrap(BigEndian.readBytes(file, at + FIXED, length));
            all.add(parse(fixed, rest, extra, idLength, nameLength));
            check(file, header, all.getLast());
            at += (FIXED + length + 7) & -8;
        }
        return new Table(all, at - header.snapshotsOffset());
    }

    private static QcowSnapshot parse(
            ByteBuffer fixed, ByteBuffer rest, int extra, int idLength, int nameLength) {
        long seconds = Integer.toUnsignedLong(fixed.getInt(16));
        return new QcowSnapshot(
                text(rest, extra, idLength),
                text(rest, extra + idLength, nameLength),
                Instant.ofEpochSecond(seconds, fixed.getInt(20)),
                extra >= 8 ? rest.getLong(0) : Integer.toUnsignedLong(fixed.getInt(32)),
                extra >= 16 ? rest.getLong(8) : -1,
                fixed.getLong(0),
                fixed.getInt(8));
    }

    private static void check(HostFile file, QcowHeader header, QcowSnapshot snapshot) {
        long offset = snapshot.l1Offset();
        boolean unaligned = (offset & (header.clusterSize() - 1)) != 0;
        long size = snapshot.size(header.size());
        long needed =
                QcowHeader.neededL1Entries(
                        Math.max(0, size), header.clusterBits(), header.extendedL2());
        if (unaligned
                || offset < 0
                || offset > QcowHeader.MAX_HOST_OFFSET
                || snapshot.l1Size() < 0
                || snapshot.l1Size() > QcowHeader.MAX_L1_BYTES / 8
                || snapshot.diskSize() < -1
                || needed > snapshot.l1Size()) {
            throw corrupt(file);
        }
    }

    private static String text(ByteBuffer bytes, int at, int length) {
        byte[] text = new byte[length];
        bytes.get(at, text);
        return new String(text, StandardCharsets.UTF_8);
    }

    private static StorageException corrupt(HostFile file) {
        return new StorageException(
                StorageException.Code.CORRUPT,
                "The qcow2 image " + file.path() + " has a damaged snapshot table");
    }

    /**
     * The snapshot of this name, or else of this id.
     *
     * @throws StorageException {@code NOT_FOUND}
     */
    static QcowSnapshot named(HostFile file, QcowHeader header, String name) {
        List<QcowSnapshot> all = list(file, header);
        return all.stream()
                .filter(snapshot -> snapshot.name().equals(name))
                .findFirst()
                .or(() -> all.stream().filter(s -> s.id().equals(name)).findFirst())
                .orElseThrow(
                        () ->
                                new StorageException(
                                        StorageException.Code.NOT_FOUND,
                                        file.path()
                                                + " has no snapshot '"
                                                + name
                                                + "'; see 'javisor image info'"));
    }
}
