package org.javisor.filesystem;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.BitSet;

/** The block groups' descriptors and inode bitmaps ("Block Group Descriptors"). */
final class Ext4Groups {
    /** The inode table needs no lazy zeroing: the file was empty. */
    private static final int INODE_ZEROED = 0x4;

    private final Ext4Geometry geometry;
    private final Ext4Blocks blocks;
    private final BitSet inodes;
    private final BitSet directories;
    private final byte[] uuid;

    /**
     * @param inodes the numbers in use, which count from 1
     * @param directories those of them that are directories
     */
    Ext4Groups(
            Ext4Geometry geometry,
            Ext4Blocks blocks,
            BitSet inodes,
            BitSet directories,
            byte[] uuid) {
        this.geometry = geometry;
        this.blocks = blocks;
        this.inodes = inodes;
        this.directories = directories;
        this.uuid = uuid;
    }

    byte[] inodeBitmap(int group) {
        BitSet bits = own(inodes, group);
        bits.set(geometry.inodesPerGroup(), Ext4Geometry.BLOCK * 8);
        return Arrays.copyOf(bits.toByteArray(), Ext4Geometry.BLOCK);
    }

    private BitSet own(BitSet numbers, int group) {
        int first = group * geometry.inodesPerGroup() + 1;
        return numbers.get(first, first + geometry.inodesPerGroup());
    }

    /** All descriptors, padded to whole blocks. */
    byte[] descriptors() {
        byte[] all = new byte[geometry.descriptorBlocks() * Ext4Geometry.BLOCK];
        for (int group = 0; group < geometry.groups(); group++) {
            byte[] one = descriptor(group);
            System.arraycopy(one, 0, all, group * one.length, one.length);
        }
        return all;
    }

    private byte[] descriptor(int group) {
        byte[] bytes = new byte[Ext4Geometry.DESCRIPTOR];
        ByteBuffer out = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        BitSet used = own(inodes, group);
        byte[] inodeBitmap = Arrays.copyOf(inodeBitmap(group), geometry.inodesPerGroup() / 8);
        out.putInt(0x00, (int) geometry.blockBitmap(group));
        out.putInt(0x04, (int) geometry.inodeBitmap(group));
        out.putInt(0x08, (int) geometry.inodeTable(group));
        out.putShort(0x0c, (short) blocks.freeIn(group));
        out.putShort(0x0e, (short) (geometry.inodesPerGroup() - used.cardinality()));
        out.putShort(0x10, (short) own(directories, group).cardinality());
        out.putShort(0x12, (short) INODE_ZEROED);
        out.putShort(0x18, (short) checksum(blocks.bitmap(group)));
        out.putShort(0x1a, (short) checksum(inodeBitmap));
        out.putShort(0x1c, (short) (geometry.inodesPerGroup() - used.length()));
        out.putShort(
                0x1e, (short) Ext4Checksum.of(uuid).add(group).add(bytes, 0, bytes.length).value());
        return bytes;
    }

    private int checksum(byte[] bitmap) {
        return Ext4Checksum.of(uuid).add(bitmap, 0, bitmap.length).value();
    }
}
