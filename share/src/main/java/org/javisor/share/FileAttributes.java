package org.javisor.share;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * A file's attributes, as {@code struct statx} gives them (statx(2)).
 *
 * @param mode kind and permissions
 */
record FileAttributes(
        int mode,
        int uid,
        int gid,
        int links,
        long inode,
        long size,
        long blocks,
        int blockSize,
        long device,
        Time accessed,
        Time modified,
        Time changed) {
    static final int S_IFMT = 0xf000;
    static final int S_IFSOCK = 0xc000;
    static final int S_IFLNK = 0xa000;
    static final int S_IFREG = 0x8000;
    static final int S_IFDIR = 0x4000;
    static final int S_IFIFO = 0x1000;

    record Time(long seconds, int nanos) {}

    static FileAttributes read(MemorySegment statx) {
        long major = statx.get(ValueLayout.JAVA_INT, 136) & 0xffff_ffffL;
        long minor = statx.get(ValueLayout.JAVA_INT, 140) & 0xffff_ffffL;
        return new FileAttributes(
                statx.get(ValueLayout.JAVA_SHORT, 28) & 0xffff,
                statx.get(ValueLayout.JAVA_INT, 20),
                statx.get(ValueLayout.JAVA_INT, 24),
                statx.get(ValueLayout.JAVA_INT, 16),
                statx.get(ValueLayout.JAVA_LONG, 32),
                statx.get(ValueLayout.JAVA_LONG, 40),
                statx.get(ValueLayout.JAVA_LONG, 48),
                statx.get(ValueLayout.JAVA_INT, 4),
                major << 32 | minor,
                time(statx, 64),
                time(statx, 112),
                time(statx, 96));
    }

    private static Time time(MemorySegment statx, long at) {
        return new Time(
                statx.get(ValueLayout.JAVA_LONG, at), statx.get(ValueLayout.JAVA_INT, at + 8));
    }

    int kind() {
        return mode & S_IFMT;
    }

    boolean directory() {
        return kind() == S_IFDIR;
    }

    /**
     * @param root of the folder that the file is in: inodes of other file systems mounted in it
     *     must not look like its own
     */
    Qid qid(FileAttributes root) {
        int type =
                switch (kind()) {
                    case S_IFDIR -> Qid.DIRECTORY;
                    case S_IFLNK -> Qid.SYMBOLIC_LINK;
                    default -> 0;
                };
        long version = modified.seconds() * 1_000_000_000L + modified.nanos();
        return new Qid(type, (int) (version ^ version >>> 32 ^ size), inode ^ foreign(root.device));
    }

    private long foreign(long rootDevice) {
        return (device ^ rootDevice) * 0x9e37_79b9_7f4a_7c15L;
    }
}
