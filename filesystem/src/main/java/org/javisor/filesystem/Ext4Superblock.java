package org.javisor.filesystem;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/** The superblock ("Super Block") and the journal's own, which is big-endian ("Journal"). */
final class Ext4Superblock {
    static final int SIZE = 1024;

    private static final int HAS_JOURNAL = 0x4;
    private static final int EXT_ATTR = 0x8;
    private static final int DIR_INDEX = 0x20;
    private static final int FILETYPE = 0x2;
    private static final int EXTENTS = 0x40;
    private static final int SPARSE_SUPER = 0x1;
    private static final int LARGE_FILE = 0x2;
    private static final int HUGE_FILE = 0x8;
    private static final int DIR_NLINK = 0x20;
    private static final int EXTRA_ISIZE = 0x40;
    private static final int METADATA_CSUM = 0x400;
    private static final int JOURNAL_INODE = 8;
    private static final int EXTRA_SIZE = 32;

    /** One block in a hundred is kept for root. */
    private static final int RESERVED_PART = 100;

    private Ext4Superblock() {}

    static byte[] encode(
            Ext4Geometry geometry,
            Ext4Options options,
            long freeBlocks,
            int freeInodes,
            Ext4Inode journal,
            int group) {
        byte[] bytes = new byte[SIZE];
        ByteBuffer out = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        int time = (int) options.created().getEpochSecond();
        out.putInt(0x00, geometry.inodes());
        out.putInt(0x04, (int) geometry.blocks());
        out.putInt(0x08, (int) (geometry.blocks() / RESERVED_PART));
        out.putInt(0x0c, (int) freeBlocks);
        out.putInt(0x10, freeInodes);
        out.putInt(0x18, 2);
        out.putInt(0x1c, 2);
        out.putInt(0x20, Ext4Geometry.BLOCKS_PER_GROUP);
        out.putInt(0x24, Ext4Geometry.BLOCKS_PER_GROUP);
        out.putInt(0x28, geometry.inodesPerGroup());
        out.putInt(0x30, time);
        out.putShort(0x36, (short) -1);
        out.putShort(0x38, (short) 0xef53);
        out.putShort(0x3a, (short) 1);
        out.putShort(0x3c, (short) 1);
        out.putInt(0x40, time);
        out.putInt(0x4c, 1);
        out.putInt(0x54, Ext4Geometry.FIRST_FREE_INODE);
        out.putShort(0x58, (short) Ext4Geometry.INODE);
        out.putShort(0x5a, (short) group);
        boolean journaled = !journal.runs.isEmpty();
        out.putInt(0x5c, (journaled ? HAS_JOURNAL : 0) | EXT_ATTR | DIR_INDEX);
        out.putInt(0x60, FILETYPE | EXTENTS);
        out.putInt(
                0x64,
                SPARSE_SUPER | LARGE_FILE | HUGE_FILE | DIR_NLINK | EXTRA_ISIZE | METADATA_CSUM);
        out.put(0x68, options.uuidBytes());
        out.put(0x78, options.label().getBytes(StandardCharsets.UTF_8));
        // Directories that grow are hashed by the kernel with a secret, for which any bytes serve.
        out.put(0xec, options.uuidBytes());
        out.put(0xfc, (byte) 1);
        if (journaled) {
            journalBackup(out, journal);
        }
        // Extended attributes and access lists without being asked for at each mount.
        out.putInt(0x100, 0xc);
        out.putInt(0x108, time);
        out.putShort(0x15c, (short) EXTRA_SIZE);
        out.putShort(0x15e, (short) EXTRA_SIZE);
        out.putInt(0x160, 1);
        out.put(0x175, (byte) 1);
        int end = SIZE - 4;
        out.putInt(end, Ext4Checksum.plain().add(bytes, 0, end).value());
        return bytes;
    }

    /** A copy of where the journal is, for fsck to find it when its inode is lost. */
    private static void journalBackup(ByteBuffer out, Ext4Inode journal) {
        out.putInt(0xe0, JOURNAL_INODE);
        out.put(0xfd, (byte) 1);
        out.put(0x10c, new Ext4Extents(journal.runs).root(journal.treeBlocks));
        out.putInt(0x10c + Ext4Extents.ROOT_SIZE, (int) (journal.size >>> 32));
        out.putInt(0x10c + Ext4Extents.ROOT_SIZE + 4, (int) journal.size);
    }

    /** The first block of an empty journal (jbd2). */
    static byte[] journal(long blocks) {
        byte[] bytes = new byte[Ext4Geometry.BLOCK];
        ByteBuffer out = ByteBuffer.wrap(bytes);
        out.putInt(0x00, 0xc03b3998);
        out.putInt(0x04, 4);
        out.putInt(0x0c, Ext4Geometry.BLOCK);
        out.putInt(0x10, (int) blocks);
        out.putInt(0x14, 1);
        out.putInt(0x18, 1);
        out.putInt(0x40, 1);
        return bytes;
    }
}
