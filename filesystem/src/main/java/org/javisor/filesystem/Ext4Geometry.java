package org.javisor.filesystem;

/**
 * Where things lie: 4 KiB blocks in groups of 32768, each group with its block bitmap, inode bitmap
 * and inode table at its start, behind a copy of the superblock and the group descriptors in groups
 * 0, 1 and the powers of 3, 5 and 7 (sparse_super).
 *
 * @param blocks of the whole file system
 * @param groups number of block groups
 * @param inodesPerGroup a multiple of 16, so that inode tables are whole blocks
 */
record Ext4Geometry(long blocks, int groups, int inodesPerGroup) {
    static final int BLOCK = 4096;
    static final int BLOCKS_PER_GROUP = 32768;
    static final int INODE = 256;
    static final int DESCRIPTOR = 32;
    static final int FIRST_FREE_INODE = 11;

    /** As mke2fs has it for general use. */
    private static final int BYTES_PER_INODE = 16384;

    /** A last group with less room for content than this is not worth its tables. */
    private static final int SMALLEST_LAST_GROUP = 50;

    private static final long SMALLEST = 8L << 20;
    private static final long LARGEST = 8L << 40;

    /**
     * The geometry for a size; what does not make a useful last group is left over.
     *
     * @param bytes the space there is
     * @throws FileSystemException {@code SIZE}
     */
    static Ext4Geometry of(long bytes) {
        if (bytes < SMALLEST || bytes > LARGEST) {
            throw new FileSystemException(
                    FileSystemException.Code.SIZE,
                    "A file system is made in 8 MiB to 8 TiB, not in " + bytes + " bytes");
        }
        long blocks = bytes / BLOCK;
        int groups = groups(blocks);
        int perGroup = inodesPerGroup(blocks, groups);
        Ext4Geometry whole = new Ext4Geometry(blocks, groups, perGroup);
        int last = groups - 1;
        if (last > 0 && whole.groupBlocks(last) < whole.overhead(last) + SMALLEST_LAST_GROUP) {
            return new Ext4Geometry((long) last * BLOCKS_PER_GROUP, last, perGroup);
        }
        return whole;
    }

    private static int groups(long blocks) {
        return (int) ((blocks + BLOCKS_PER_GROUP - 1) / BLOCKS_PER_GROUP);
    }

    private static int inodesPerGroup(long blocks, int groups) {
        long wanted = blocks * BLOCK / BYTES_PER_INODE / groups;
        int step = BLOCK / INODE;
        return (int) Math.max(step * 8, (wanted + step - 1) / step * step);
    }

    int inodes() {
        return groups * inodesPerGroup;
    }

    long firstBlock(int group) {
        return (long) group * BLOCKS_PER_GROUP;
    }

    int groupBlocks(int group) {
        return (int) Math.min(BLOCKS_PER_GROUP, blocks - firstBlock(group));
    }

    int descriptorBlocks() {
        return (groups * DESCRIPTOR + BLOCK - 1) / BLOCK;
    }

    int tableBlocks() {
        return inodesPerGroup * INODE / BLOCK;
    }

    boolean hasSuperblock(int group) {
        return group <= 1 || isPower(group, 3) || isPower(group, 5) || isPower(group, 7);
    }

    private static boolean isPower(int number, int base) {
        int left = number;
        while (left % base == 0) {
            left /= base;
        }
        return left == 1;
    }

    long blockBitmap(int group) {
        return firstBlock(group) + (hasSuperblock(group) ? 1 + descriptorBlocks() : 0);
    }

    long inodeBitmap(int group) {
        return blockBitmap(group) + 1;
    }

    long inodeTable(int group) {
        return blockBitmap(group) + 2;
    }

    /** Blocks at the group's start that hold no content. */
    int overhead(int group) {
        return (int) (inodeTable(group) - firstBlock(group)) + tableBlocks();
    }

    /** Where the inode of that number is, in bytes from the start. Inodes count from 1. */
    long inodePosition(int inode) {
        int index = inode - 1;
        return inodeTable(index / inodesPerGroup) * BLOCK + (long) (index % inodesPerGroup) * INODE;
    }
}
