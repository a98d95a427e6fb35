package org.javisor.filesystem;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** A file of any kind while the file system is being made. */
final class Ext4Inode {

    /** The kinds, with their bits of the mode (stat(2)) and their number in directory entries. */
    enum Kind {
        FILE(0100000, 1),
        DIRECTORY(0040000, 2),
        CHARACTER_DEVICE(0020000, 3),
        BLOCK_DEVICE(0060000, 4),
        FIFO(0010000, 5),
        SYMBOLIC_LINK(0120000, 7);

        final int mode;
        final int entryType;

        Kind(int mode, int entryType) {
            this.mode = mode;
            this.entryType = entryType;
        }
    }

    final int number;
    final Kind kind;
    Attributes attributes;
    int links;
    long size;
    List<Ext4Blocks.Run> runs = List.of();

    /** Blocks that hold the extent tree below the inode. */
    List<Ext4Blocks.Run> treeBlocks = List.of();

    /** A symbolic link's target where it is kept in the inode, or a device's numbers. */
    byte[] inline = new byte[0];

    /** A directory's entries, sorted so that the same content gives the same bytes. */
    final Map<String, Ext4Inode> children = new TreeMap<>();

    final Map<String, byte[]> extendedAttributes = new TreeMap<>();

    Ext4Inode(int number, Kind kind, Attributes attributes) {
        this.number = number;
        this.kind = kind;
        this.attributes = attributes;
    }

    boolean isDirectory() {
        return kind == Kind.DIRECTORY;
    }

    /** The blocks it takes, its extent tree's included. */
    long blocks() {
        return count(runs) + count(treeBlocks);
    }

    static long count(List<Ext4Blocks.Run> runs) {
        long count = 0;
        for (Ext4Blocks.Run run : runs) {
            count += run.count();
        }
        return count;
    }
}
