package org.javisor.filesystem;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** An inode as it stands in the inode table ("Index Nodes"), extended attributes included. */
final class Ext4InodeRecord {
    private static final int EXTENTS_FLAG = 0x80000;
    private static final int EXTRA_SIZE = 32;
    private static final int ATTRIBUTES_AT = 128 + EXTRA_SIZE;
    private static final int ATTRIBUTES_MAGIC = 0xea020000;
    private static final int ATTRIBUTE_HEADER = 16;
    private static final int SECTORS_PER_BLOCK = Ext4Geometry.BLOCK / 512;

    /** Names are stored as a number for their prefix and the rest ("Extended Attributes"). */
    private static final Map<String, Integer> PREFIXES =
            new TreeMap<>(
                    Map.of(
                            "user.", 1,
                            "trusted.", 4,
                            "security.", 6,
                            "system.", 7));

    private Ext4InodeRecord() {}

    static byte[] encode(byte[] uuid, Ext4Inode inode) {
        byte[] bytes = new byte[Ext4Geometry.INODE];
        ByteBuffer out = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        Attributes attributes = inode.attributes;
        long seconds = attributes.modified().getEpochSecond();
        // Two bits more than 32 for the seconds, above them 30 bits of nanoseconds.
        int epoch = (int) (seconds - (int) seconds >> 32) & 3;
        out.putShort(0x00, (short) (inode.kind.mode | attributes.permissions()));
        out.putShort(0x02, (short) attributes.uid());
        out.putInt(0x04, (int) inode.size);
        for (int time : new int[] {0x08, 0x0c, 0x10, 0x90}) {
            out.putInt(time, (int) seconds);
        }
        for (int extra : new int[] {0x84, 0x88, 0x8c, 0x94}) {
            out.putInt(extra, epoch);
        }
        out.putShort(0x18, (short) attributes.gid());
        out.putShort(0x1a, (short) inode.links);
        long sectors = inode.blocks() * SECTORS_PER_BLOCK;
        out.putInt(0x1c, (int) sectors);
        out.putShort(0x74, (short) (sectors >>> 32));
        content(out, inode);
        out.putInt(0x6c, (int) (inode.size >>> 32));
        out.putShort(0x78, (short) (attributes.uid() >>> 16));
        out.putShort(0x7a, (short) (attributes.gid() >>> 16));
        out.putShort(0x80, (short) EXTRA_SIZE);
        attributes(out, inode.extendedAttributes);
        int checksum = Ext4Checksum.ofInode(uuid, inode.number).add(bytes, 0, bytes.length).value();
        out.putShort(0x7c, (short) checksum);
        out.putShort(0x82, (short) (checksum >>> 16));
        return bytes;
    }

    private static void content(ByteBuffer out, Ext4Inode inode) {
        if (hasExtents(inode)) {
            out.putInt(0x20, EXTENTS_FLAG);
            out.put(0x28, new Ext4Extents(inode.runs).root(inode.treeBlocks));
        } else {
            out.put(0x28, inode.inline);
        }
    }

    private static boolean hasExtents(Ext4Inode inode) {
        return switch (inode.kind) {
            case FILE, DIRECTORY -> true;
            case SYMBOLIC_LINK -> inode.inline.length == 0;
            case CHARACTER_DEVICE, BLOCK_DEVICE, FIFO -> false;
        };
    }

    /** Whether the attributes fit into the inode, the only place where they are kept here. */
    static boolean fits(Map<String, byte[]> attributes) {
        int size = 4;
        for (Map.Entry<String, byte[]> attribute : attributes.entrySet()) {
            size += entrySize(suffix(attribute.getKey())) + padded(attribute.getValue().length);
        }
        return attributes.isEmpty() || ATTRIBUTES_AT + 4 + size <= Ext4Geometry.INODE;
    }

    /** Whether the format has a number for the name's prefix. */
    static boolean known(String name) {
        return PREFIXES.keySet().stream().anyMatch(p -> name.startsWith(p) && !name.equals(p));
    }

    /** Entries count up from the magic number, values down from the inode's end. */
    private static void attributes(ByteBuffer out, Map<String, byte[]> attributes) {
        if (attributes.isEmpty()) {
            return;
        }
        out.putInt(ATTRIBUTES_AT, ATTRIBUTES_MAGIC);
        int start = ATTRIBUTES_AT + 4;
        int entry = start;
        int value = Ext4Geometry.INODE;
        List<String> names = new ArrayList<>(attributes.keySet());
        names.sort(Comparator.comparing(Ext4InodeRecord::prefix).thenComparing(n -> suffix(n)));
        for (String name : names) {
            byte[] content = attributes.get(name);
            byte[] suffix = suffix(name).getBytes(StandardCharsets.UTF_8);
            value -= padded(content.length);
            out.put(entry, (byte) suffix.length);
            out.put(entry + 1, (byte) prefix(name));
            out.putShort(entry + 2, (short) (value - start));
            out.putInt(entry + 8, content.length);
            out.put(entry + ATTRIBUTE_HEADER, suffix);
            out.put(value, content);
            entry += entrySize(suffix(name));
        }
    }

    private static int prefix(String name) {
        return PREFIXES.get(name.substring(0, name.indexOf('.') + 1));
    }

    private static String suffix(String name) {
        return name.substring(name.indexOf('.') + 1);
    }

    private static int entrySize(String suffix) {
        return ATTRIBUTE_HEADER + padded(suffix.getBytes(StandardCharsets.UTF_8).length);
    }

    private static int padded(int length) {
        return length + 3 & ~3;
    }
}
