package org.javisor.storage;

import java.nio.ByteBuffer;

/**
 * Persistent bitmaps, of which only the places are of interest. Source: QEMU, docs/interop/qcow2,
 * "Bitmaps".
 */
final class QcowBitmaps {
    private static final int FIXED = 24;
    private static final int MAX_DIRECTORY = 64 << 20;
    private static final int MAX_TABLE_WORDS = 1 << 20;

    private final HostFile file;
    private final QcowHeader header;

    QcowBitmaps(HostFile file, QcowHeader header) {
        this.file = file;
        this.header = header;
    }

    /** Receives places in the file. */
    interface RangeConsumer {
        void range(String what, long offset, long length);
    }

    void ranges(RangeConsumer consumer) {
        QcowHeader.Bitmaps bitmaps = header.bitmaps().orElseThrow();
        long size = bitmaps.directorySize();
        if (size < 0 || size > MAX_DIRECTORY || bitmaps.directoryOffset() < 0) {
            consumer.range("the list of bitmaps", -1, 1);
            return;
        }
        consumer.range("the list of bitmaps", bitmaps.directoryOffset(), size);
        ByteBuffer directory =
                ByteBuffer.wrap(BigEndian.readBytes(file, bitmaps.directoryOffset(), (int) size));
        int at = 0;
        for (int i = 0; i < bitmaps.count() && at + FIXED <= size; i++) {
            bitmap(directory.getLong(at), directory.getInt(at + 8), consumer);
            long length =
                    FIXED
                            + (directory.getShort(at + 18) & 0xffffL)
                            + Integer.toUnsignedLong(directory.getInt(at + 20));
            at += (int) Math.min(size, (length + 7) & -8);
        }
    }

    private void bitmap(long offset, int words, RangeConsumer consumer) {
        if (offset < 0 || words < 0 || words > MAX_TABLE_WORDS) {
            consumer.range("a bitmap", -1, 1);
            return;
        }
        consumer.range("a bitmap's table", offset, 8L * words);
        for (long entry : BigEndian.read(file, offset, words)) {
            long place = entry & L2Entry.OFFSET;
            if (place != 0) {
                consumer.range("a bitmap", place, header.clusterSize());
            }
        }
    }
}
