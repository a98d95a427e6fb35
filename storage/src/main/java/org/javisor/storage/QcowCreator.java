package org.javisor.storage;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/** Writes an empty qcow2 image into an empty file. */
final class QcowCreator {
    private static final int V3_HEADER = 112;
    private static final int V2_HEADER = 72;
    private static final int MAX_BACKING_NAME = 1023;

    private static final String[] FEATURE_NAMES = {
        "dirty bit", "corrupt bit", "external data file", "compression type", "extended L2 entries"
    };

    private final QcowOptions options;
    private final int clusterBits;
    private final long l1Entries;
    private final long l1Clusters;
    private long tableClusters = 1;
    private long blocks = 1;

    private QcowCreator(QcowOptions options) {
        this.options = options;
        this.clusterBits = options.clusterBits();
        this.l1Entries =
                Math.max(
                        1,
                        QcowHeader.neededL1Entries(
                                options.size(), clusterBits, options.extendedL2()));
        this.l1Clusters = QcowHeader.ceilShift(8 * l1Entries, clusterBits);
        layOut();
    }

    /**
     * Writes the image.
     *
     * @throws StorageException {@code BAD_ARGUMENT}, or as the file's
     */
    static void create(HostFile file, QcowOptions options) {
        QcowCreator creator = new QcowCreator(options.checked());
        BigEndian.write(file, 0, creator.header());
        creator.writeRefcounts(file);
        creator.writeL1(file);
        file.flush();
    }

    private int blockBits() {
        return clusterBits + 3 - options.refcountOrder();
    }

    private long end() {
        return 1 + tableClusters + blocks + l1Clusters;
    }

    /** Header, refcount table, its blocks, L1 table. The refcounts must count themselves. */
    private void layOut() {
        while (true) {
            long neededBlocks = QcowHeader.ceilShift(end(), blockBits());
            long neededTable = QcowHeader.ceilShift(8 * neededBlocks, clusterBits);
            if (neededBlocks <= blocks && neededTable <= tableClusters) {
                return;
            }
            blocks = Math.max(blocks, neededBlocks);
            tableClusters = Math.max(tableClusters, neededTable);
        }
    }

    private long l1Offset() {
        return (1 + tableClusters + blocks) << clusterBits;
    }

    private byte[] header() {
        ByteBuffer bytes = ByteBuffer.allocate(1 << clusterBits);
        int length = options.version() == 2 ? V2_HEADER : V3_HEADER;
        bytes.putInt(QcowHeader.MAGIC).putInt(options.version());
        bytes.position(20).putInt(clusterBits).putLong(options.size()).putInt(0);
        bytes.putInt((int) l1Entries).putLong(l1Offset());
        bytes.putLong(1L << clusterBits).putInt((int) tableClusters);
        if (options.version() == 3) {
            long incompatible =
                    (options.zstd() ? QcowHeader.COMPRESSION_TYPE : 0)
                            | (options.extendedL2() ? QcowHeader.EXTENDED_L2 : 0);
            bytes.position(72).putLong(incompatible);
            bytes.putLong(options.lazyRefcounts() ? QcowHeader.LAZY_REFCOUNTS : 0).putLong(0);
            bytes.putInt(options.refcountOrder()).putInt(length);
            bytes.put((byte) (options.zstd() ? 1 : 0));
        }
        bytes.position(length);
        options.backing()
                .ifPresent(backing -> extension(bytes, 0xe2792aca, backing.format().word()));
        putFeatureNames(bytes);
        if (bytes.remaining() >= 8) {
            bytes.putLong(0);
        }
        options.backing().ifPresent(backing -> putBackingName(bytes, backing.name()));
        return bytes.array();
    }

    private static void extension(ByteBuffer bytes, int type, String text) {
        byte[] data = text.getBytes(StandardCharsets.US_ASCII);
        bytes.putInt(type).putInt(data.length).put(data);
        bytes.position((bytes.position() + 7) & -8);
    }

    private void putFeatureNames(ByteBuffer bytes) {
        int length = 48 * FEATURE_NAMES.length;
        // The smallest clusters keep their room for the name of the image underneath.
        if (options.version() == 2 || clusterBits < 12) {
            return;
        }
        bytes.putInt(0x6803f857).putInt(length);
        for (int bit = 0; bit < FEATURE_NAMES.length; bit++) {
            int start = bytes.position();
            bytes.put((byte) 0).put((byte) bit);
            bytes.put(FEATURE_NAMES[bit].getBytes(StandardCharsets.US_ASCII));
            bytes.position(start + 48);
        }
    }

    private static void putBackingName(ByteBuffer bytes, String name) {
        byte[] data = name.getBytes(StandardCharsets.UTF_8);
        int most = Math.min(MAX_BACKING_NAME, bytes.remaining());
        if (data.length > most) {
            throw DiskSpec.wrong(
                    "The name of the image underneath has more than " + most + " bytes");
        }
        bytes.putLong(8, bytes.position()).putInt(16, data.length).put(data);
    }

    private void writeRefcounts(HostFile file) {
        long[] table = new long[(int) (tableClusters << (clusterBits - 3))];
        for (int i = 0; i < blocks; i++) {
            table[i] = (1 + tableClusters + i) << clusterBits;
            RefcountBlock block =
                    new RefcountBlock(new byte[1 << clusterBits], options.refcountOrder(), true);
            long first = (long) i << blockBits();
            for (long cluster = first;
                    cluster < Math.min(end(), first + block.entries());
                    cluster++) {
                block.set((int) (cluster - first), 1);
            }
            BigEndian.write(file, table[i], block.contents());
        }
        BigEndian.write(file, 1L << clusterBits, table, 0, table.length);
    }

    private void writeL1(HostFile file) {
        Zeros.write(file, l1Offset(), l1Clusters << clusterBits);
    }
}
