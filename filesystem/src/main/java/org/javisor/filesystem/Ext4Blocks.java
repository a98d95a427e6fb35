package org.javisor.filesystem;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;

/** Which blocks are in use. Allocates next to what it allocated last, so files lie in one piece. */
final class Ext4Blocks {
    /** The longest that an initialised extent can be (Documentation/filesystems/ext4, ee_len). */
    private static final int LONGEST_RUN = 32768;

    private final Ext4Geometry geometry;
    private final BitSet used;
    private long free;
    private int cursor;

    /**
     * A run of blocks.
     *
     * @param first the first block's number
     * @param count 1 to 32768
     */
    record Run(long first, int count) {}

    Ext4Blocks(Ext4Geometry geometry) {
        this.geometry = geometry;
        this.used = new BitSet((int) geometry.blocks());
        for (int group = 0; group < geometry.groups(); group++) {
            int first = (int) geometry.firstBlock(group);
            used.set(first, first + geometry.overhead(group));
        }
        this.free = geometry.blocks() - used.cardinality();
    }

    long free() {
        return free;
    }

    /**
     * Takes blocks.
     *
     * @return the runs, in the order in which content goes into them
     * @throws FileSystemException {@code FULL}; nothing is taken then
     */
    List<Run> take(long count) {
        if (count > free) {
            throw new FileSystemException(
                    FileSystemException.Code.FULL,
                    "The file system is full: "
                            + (count * Ext4Geometry.BLOCK >> 10)
                            + " KiB are wanted and "
                            + (free * Ext4Geometry.BLOCK >> 10)
                            + " KiB are left");
        }
        List<Run> runs = new ArrayList<>(1);
        long wanted = count;
        while (wanted > 0) {
            int first = used.nextClearBit(cursor);
            if (first >= geometry.blocks()) {
                cursor = 0;
                continue;
            }
            int end = used.nextSetBit(first);
            long limit = end < 0 ? geometry.blocks() : end;
            int length = (int) Math.min(Math.min(limit - first, wanted), LONGEST_RUN);
            used.set(first, first + length);
            runs.add(new Run(first, length));
            cursor = first + length;
            wanted -= length;
        }
        free -= count;
        return runs;
    }

    void release(List<Run> runs) {
        for (Run run : runs) {
            used.clear((int) run.first(), (int) run.first() + run.count());
            free += run.count();
        }
    }

    int freeIn(int group) {
        int first = (int) geometry.firstBlock(group);
        int size = geometry.groupBlocks(group);
        return size - used.get(first, first + size).cardinality();
    }

    /** The group's bitmap block; the bits of blocks that do not exist are set. */
    byte[] bitmap(int group) {
        int first = (int) geometry.firstBlock(group);
        BitSet bits = used.get(first, first + geometry.groupBlocks(group));
        bits.set(geometry.groupBlocks(group), Ext4Geometry.BLOCKS_PER_GROUP);
        return Arrays.copyOf(bits.toByteArray(), Ext4Geometry.BLOCK);
    }
}
