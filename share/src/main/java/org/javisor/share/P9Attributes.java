package org.javisor.share;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** A file's attributes and its file system's. */
final class P9Attributes {
    private static final long BASIC = 0x7ff;

    private static final int MODE = 1;
    private static final int SIZE = 1 << 3;
    private static final int ACCESSED = 1 << 4;
    private static final int MODIFIED = 1 << 5;
    private static final int ACCESSED_GIVEN = 1 << 7;
    private static final int MODIFIED_GIVEN = 1 << 8;

    /** Not set-user-ID, not set-group-ID: they would count on the host too. */
    private static final int MODE_BITS = 01777;

    /** Instead of nanoseconds: the time it is, the time it was (utimensat(2)). */
    private static final long NOW = (1 << 30) - 1;

    private static final long OMITTED = (1 << 30) - 2;

    private static final int FILE_SYSTEM = 0x0102_1997;

    private P9Attributes() {}

    /** {@code Tgetattr fid mask}: the basic ones, whatever was asked for. */
    static void get(P9Session session, P9Session.Worker worker) throws FileError {
        Fid fid = session.fid(worker.in.u32());
        worker.in.u64();
        FileAttributes file = of(session, worker.calls, fid);
        P9Writer out = worker.out;
        out.u64(BASIC);
        out.qid(file.qid(session.folder.rootAttributes()));
        out.u32(file.mode());
        out.u32(file.uid());
        out.u32(file.gid());
        out.u64(file.links() & 0xffff_ffffL);
        out.u64(0);
        out.u64(file.size());
        out.u64(file.blockSize() & 0xffff_ffffL);
        out.u64(file.blocks());
        put(out, file.accessed());
        put(out, file.modified());
        put(out, file.changed());
        put(out, new FileAttributes.Time(0, 0));
        out.u64(0);
        out.u64(0);
    }

    private static void put(P9Writer out, FileAttributes.Time time) {
        out.u64(time.seconds());
        out.u64(time.nanos());
    }

    /** Of the open file if there is one: its name may be gone. */
    private static FileAttributes of(P9Session session, LinuxCalls calls, Fid fid)
            throws FileError {
        synchronized (fid) {
            if (fid.fd != Fid.CLOSED) {
                return SharedFolder.attributes(calls, fid.fd);
            }
        }
        int fd = session.folder.find(calls, fid.path);
        try {
            return SharedFolder.attributes(calls, fd);
        } finally {
            calls.close(fd);
        }
    }

    /** {@code Tsetattr fid valid mode uid gid size atime mtime}. */
    static void set(P9Session session, P9Session.Worker worker) throws FileError {
        Fid fid = session.fid(worker.in.u32());
        int valid = worker.in.u32();
        int mode = worker.in.u32();
        // Owner and group stay those of whoever runs this.
        worker.in.u64();
        long size = worker.in.u64();
        long[] times = {
            worker.in.u64(), worker.in.u64(), worker.in.u64(), worker.in.u64(),
        };
        session.folder.checkWritable();
        synchronized (fid) {
            if (fid.fd != Fid.CLOSED) {
                set(worker.calls, fid.fd, valid, mode, size, times);
                return;
            }
        }
        int fd = session.folder.find(worker.calls, fid.path);
        try {
            set(worker.calls, fd, valid, mode, size, times);
        } finally {
            worker.calls.close(fd);
        }
    }

    private static void set(LinuxCalls calls, int fd, int valid, int mode, long size, long[] times)
            throws FileError {
        int kind = SharedFolder.attributes(calls, fd).kind();
        String name = SharedFolder.nameOf(fd);
        if ((valid & MODE) != 0) {
            calls.chmod(name, mode & MODE_BITS);
        }
        if ((valid & SIZE) != 0) {
            if (kind != FileAttributes.S_IFREG || size < 0) {
                throw new FileError(Errno.EINVAL);
            }
            calls.truncate(name, size);
        }
        if ((valid & (ACCESSED | MODIFIED)) != 0) {
            MemorySegment result = calls.result;
            put(result, 0, valid & ACCESSED, valid & ACCESSED_GIVEN, times[0], times[1]);
            put(result, 16, valid & MODIFIED, valid & MODIFIED_GIVEN, times[2], times[3]);
            calls.utimens(name);
        }
    }

    private static void put(
            MemorySegment to, long at, int set, int given, long seconds, long nanos) {
        to.set(ValueLayout.JAVA_LONG, at, seconds);
        to.set(ValueLayout.JAVA_LONG, at + 8, set == 0 ? OMITTED : given == 0 ? NOW : nanos);
    }

    /** {@code Tstatfs fid}. */
    static void statfs(P9Session session, P9Session.Worker worker) throws FileError {
        Fid fid = session.fid(worker.in.u32());
        int fd = session.folder.find(worker.calls, fid.path);
        try {
            worker.calls.statfs(fd);
        } finally {
            worker.calls.close(fd);
        }
        MemorySegment host = worker.calls.result;
        P9Writer out = worker.out;
        out.u32(FILE_SYSTEM);
        out.u32((int) host.get(ValueLayout.JAVA_LONG, 8));
        for (int at = 16; at <= 48; at += 8) {
            out.u64(host.get(ValueLayout.JAVA_LONG, at));
        }
        out.u64(host.get(ValueLayout.JAVA_LONG, 56));
        out.u32((int) host.get(ValueLayout.JAVA_LONG, 64));
    }
}
