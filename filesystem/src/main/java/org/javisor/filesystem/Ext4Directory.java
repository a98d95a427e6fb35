package org.javisor.filesystem;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/**
 * A directory's blocks as a plain list of entries ("Linear (Classic) Directories"), which the
 * kernel reads as well as a hashed one. Each block ends in an entry that is none and holds its
 * checksum.
 */
final class Ext4Directory {
    static final int MAX_NAME = 255;

    private static final int TAIL = 12;
    private static final int TAIL_TYPE = 0xde;
    private static final int ENTRY_HEADER = 8;

    private final byte[] uuid;
    private final int inode;
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private byte[] bytes = new byte[Ext4Geometry.BLOCK];
    private ByteBuffer block = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    private int last;

    private Ext4Directory(byte[] uuid, int inode) {
        this.uuid = uuid;
        this.inode = inode;
    }

    /**
     * The blocks of a directory.
     *
     * @param atLeast the fewest blocks, which fsck wants of lost+found
     */
    static byte[] encode(byte[] uuid, Ext4Inode directory, Ext4Inode parent, int atLeast) {
        Ext4Directory writer = new Ext4Directory(uuid, directory.number);
        writer.add(".", directory);
        writer.add("..", parent);
        for (Map.Entry<String, Ext4Inode> child : directory.children.entrySet()) {
            writer.add(child.getKey(), child.getValue());
        }
        writer.endBlock();
        while (writer.out.size() < atLeast * Ext4Geometry.BLOCK) {
            writer.emptyBlock();
        }
        return writer.out.toByteArray();
    }

    private void add(String name, Ext4Inode target) {
        byte[] encoded = name.getBytes(StandardCharsets.UTF_8);
        int length = ENTRY_HEADER + (encoded.length + 3 & ~3);
        if (block.position() + length > Ext4Geometry.BLOCK - TAIL) {
            endBlock();
        }
        last = block.position();
        block.putInt(target.number);
        block.putShort((short) length);
        block.put((byte) encoded.length);
        block.put((byte) target.kind.entryType);
        block.put(encoded);
        block.position(last + length);
    }

    /** The last entry takes what is left, as entries cover the whole block. */
    private void endBlock() {
        block.putShort(last + 4, (short) (Ext4Geometry.BLOCK - TAIL - last));
        finishBlock();
    }

    private void emptyBlock() {
        block.putShort(4, (short) (Ext4Geometry.BLOCK - TAIL));
        finishBlock();
    }

    private void finishBlock() {
        int tail = Ext4Geometry.BLOCK - TAIL;
        block.putShort(tail + 4, (short) TAIL);
        block.put(tail + 7, (byte) TAIL_TYPE);
        int checksum = Ext4Checksum.ofInode(uuid, inode).add(bytes, 0, tail).value();
        block.putInt(tail + 8, checksum);
        out.writeBytes(bytes);
        bytes = new byte[Ext4Geometry.BLOCK];
        block = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        last = 0;
    }
}
