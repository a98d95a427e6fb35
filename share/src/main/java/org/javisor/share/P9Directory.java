package org.javisor.share;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Reading directories: {@code Treaddir fid offset count}, answered by entries of identity, offset
 * of the next entry, kind and name. Offsets are the host's own (getdents(2)).
 */
final class P9Directory {
    /** Size, type, tag and count in front of the entries. */
    private static final int HEADER = 11;

    /** Identity, offset, kind and the length of the name in front of the name. */
    private static final int ENTRY = 13 + 8 + 1 + 2;

    /** Fields of {@code struct linux_dirent64}. */
    private static final int NEXT = 8;

    private static final int LENGTH = 16;
    private static final int KIND = 18;
    private static final int NAME = 19;

    private static final int KIND_DIRECTORY = 4;
    private static final int KIND_LINK = 10;

    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED;
    private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED;

    private P9Directory() {}

    static void read(P9Session session, P9Session.Worker worker) throws FileError {
        Fid fid = session.fid(worker.in.u32());
        long offset = worker.in.u64();
        int count = P9Files.limit(worker.in.u32(), session.room(HEADER));
        P9Writer out = worker.out;
        int countAt = out.room(4);
        int start = out.length();
        synchronized (fid) {
            int fd = fid.opened();
            if (!fid.directory) {
                throw new FileError(Errno.ENOTDIR);
            }
            worker.calls.seek(fd, offset);
            boolean more = true;
            while (more) {
                int length = worker.calls.getdents(fd);
                more = length > 0 && take(session, worker, fid, length, start + count);
            }
        }
        P9Files.putCount(out, countAt, out.length() - start);
    }

    /** Returns whether there is room for more. */
    private static boolean take(
            P9Session session, P9Session.Worker worker, Fid fid, int length, int end) {
        MemorySegment entries = worker.calls.result;
        for (int at = 0; at < length; at += entries.get(SHORT, at + LENGTH) & 0xffff) {
            String name = name(entries, at + NAME);
            P9Writer out = worker.out;
            if (out.length() + ENTRY + name.length() > end) {
                return false;
            }
            // The root's parent is not the guest's to know.
            boolean above = name.equals("..") && fid.path.root();
            int kind = entries.get(ValueLayout.JAVA_BYTE, at + KIND) & 0xff;
            out.qid(
                    above
                            ? session.folder.rootAttributes().qid(session.folder.rootAttributes())
                            : new Qid(type(kind), 0, entries.get(LONG, at)));
            out.u64(entries.get(LONG, at + NEXT));
            out.u8(kind);
            out.string(name);
        }
        return true;
    }

    private static int type(int kind) {
        return switch (kind) {
            case KIND_DIRECTORY -> Qid.DIRECTORY;
            case KIND_LINK -> Qid.SYMBOLIC_LINK;
            default -> 0;
        };
    }

    private static String name(MemorySegment entries, long at) {
        StringBuilder name = new StringBuilder();
        for (long i = at; entries.get(ValueLayout.JAVA_BYTE, i) != 0; i++) {
            name.append((char) (entries.get(ValueLayout.JAVA_BYTE, i) & 0xff));
        }
        return name.toString();
    }
}
