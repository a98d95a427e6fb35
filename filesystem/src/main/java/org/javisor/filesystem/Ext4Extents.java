package org.javisor.filesystem;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/**
 * A file's extent tree (Documentation/filesystems/ext4, "Extent Tree"): up to four extents stand in
 * the inode; more are in leaf blocks, of which the inode can name four, 340 extents each.
 */
final class Ext4Extents {
    static final int ROOT_SIZE = 60;

    private static final int MAGIC = 0xf30a;
    private static final int HEADER = 12;
    private static final int ENTRY = 12;
    private static final int ROOT_ENTRIES = 4;
    private static final int LEAF_ENTRIES = (Ext4Geometry.BLOCK - HEADER) / ENTRY;

    private final List<Ext4Blocks.Run> runs;

    Ext4Extents(List<Ext4Blocks.Run> runs) {
        this.runs = joined(runs);
        if (this.runs.size() > ROOT_ENTRIES * LEAF_ENTRIES) {
            throw new FileSystemException(
                    FileSystemException.Code.FULL, "A file lies in too many pieces");
        }
    }

    /** Neighbouring runs become one, so that no tree is larger than it must be. */
    private static List<Ext4Blocks.Run> joined(List<Ext4Blocks.Run> runs) {
        List<Ext4Blocks.Run> joined = new ArrayList<>();
        for (Ext4Blocks.Run run : runs) {
            Ext4Blocks.Run last = joined.isEmpty() ? run : joined.getLast();
            boolean continues =
                    !joined.isEmpty()
                            && last.first() + last.count() == run.first()
                            && last.count() + run.count() <= Ext4Geometry.BLOCKS_PER_GROUP;
            if (continues) {
                joined.set(
                        joined.size() - 1,
                        new Ext4Blocks.Run(last.first(), last.count() + run.count()));
            } else {
                joined.add(run);
            }
        }
        return joined;
    }

    /** The number of blocks that the tree needs outside of the inode. */
    int leaves() {
        return runs.size() <= ROOT_ENTRIES ? 0 : (runs.size() + LEAF_ENTRIES - 1) / LEAF_ENTRIES;
    }

    /** What stands in the inode, given where the leaves are. */
    byte[] root(List<Ext4Blocks.Run> treeBlocks) {
        byte[] bytes = new byte[ROOT_SIZE];
        ByteBuffer out = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        if (leaves() == 0) {
            header(out, runs.size(), ROOT_ENTRIES, 0);
            extents(out, 0, runs);
            return bytes;
        }
        header(out, leaves(), ROOT_ENTRIES, 1);
        long logical = 0;
        List<Long> blocks = numbers(treeBlocks);
        for (int leaf = 0; leaf < leaves(); leaf++) {
            out.putInt((int) logical);
            out.putInt(blocks.get(leaf).intValue());
            out.putShort((short) (blocks.get(leaf) >>> 32));
            out.putShort((short) 0);
            logical += Ext4Inode.count(leafRuns(leaf));
        }
        return bytes;
    }

    /** A leaf block with its checksum behind the last entry. */
    byte[] leaf(int index, byte[] uuid, int inode) {
        byte[] bytes = new byte[Ext4Geometry.BLOCK];
        ByteBuffer out = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        List<Ext4Blocks.Run> own = leafRuns(index);
        header(out, own.size(), LEAF_ENTRIES, 0);
        long logical = 0;
        for (int before = 0; before < index; before++) {
            logical += Ext4Inode.count(leafRuns(before));
        }
        extents(out, logical, own);
        int tail = HEADER + LEAF_ENTRIES * ENTRY;
        out.putInt(tail, Ext4Checksum.ofInode(uuid, inode).add(bytes, 0, tail).value());
        return bytes;
    }

    static List<Long> numbers(List<Ext4Blocks.Run> runs) {
        List<Long> numbers = new ArrayList<>();
        for (Ext4Blocks.Run run : runs) {
            for (int i = 0; i < run.count(); i++) {
                numbers.add(run.first() + i);
            }
        }
        return numbers;
    }

    private List<Ext4Blocks.Run> leafRuns(int leaf) {
        int from = leaf * LEAF_ENTRIES;
        return runs.subList(from, Math.min(runs.size(), from + LEAF_ENTRIES));
    }

    private static void header(ByteBuffer out, int entries, int room, int depth) {
        out.putShort((short) MAGIC);
        out.putShort((short) entries);
        out.putShort((short) room);
        out.putShort((short) depth);
        out.putInt(0);
    }

    private static void extents(ByteBuffer out, long firstLogical, List<Ext4Blocks.Run> runs) {
        long logical = firstLogical;
        for (Ext4Blocks.Run run : runs) {
            out.putInt((int) logical);
            out.putShort((short) run.count());
            out.putShort((short) (run.first() >>> 32));
            out.putInt((int) run.first());
            logical += run.count();
        }
    }
}
