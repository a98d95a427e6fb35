package org.javisor.share;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Opening, reading and writing files. */
final class P9Files {
    /** What of a client's flags reaches the host. */
    private static final int FLAGS =
            LinuxCalls.O_ACCMODE | LinuxCalls.O_TRUNC | LinuxCalls.O_APPEND;

    private static final int PERMISSIONS = 0777;

    /** Size, type, tag and count in front of the data of a read. */
    private static final int READ_HEADER = 11;

    private P9Files() {}

    private static boolean writes(int flags) {
        return (flags & LinuxCalls.O_ACCMODE) != LinuxCalls.O_RDONLY
                || (flags & LinuxCalls.O_TRUNC) != 0;
    }

    /** {@code Tlopen fid flags}. */
    static void open(P9Session session, P9Session.Worker worker) throws FileError {
        Fid fid = session.fid(worker.in.u32());
        worker.out.qid(reopen(session, worker.calls, fid, worker.in.u32()));
        worker.out.u32(0);
    }

    /** Opens what a fid stands for. */
    static Qid reopen(P9Session session, LinuxCalls calls, Fid fid, int asked) throws FileError {
        int flags = asked & FLAGS;
        if (writes(flags)) {
            session.folder.checkWritable();
        }
        synchronized (fid) {
            session.opening(fid);
            int found = Fid.CLOSED;
            try {
                found = session.folder.find(calls, fid.path);
                return open(session, calls, fid, found, flags);
            } finally {
                if (found != Fid.CLOSED) {
                    calls.close(found);
                }
                if (fid.fd == Fid.CLOSED) {
                    session.notOpened();
                }
            }
        }
    }

    private static Qid open(P9Session session, LinuxCalls calls, Fid fid, int found, int flags)
            throws FileError {
        FileAttributes attributes = SharedFolder.attributes(calls, found);
        fid.fd = session.folder.reopen(calls, found, flags);
        fid.flags = flags & ~LinuxCalls.O_TRUNC;
        fid.directory = attributes.directory();
        return attributes.qid(session.folder.rootAttributes());
    }

    /** {@code Tlcreate fid name flags mode gid}: the fid becomes the open file. */
    static void create(P9Session session, P9Session.Worker worker) throws FileError {
        Fid fid = session.fid(worker.in.u32());
        String name = worker.in.name();
        int asked = worker.in.u32();
        int mode = worker.in.u32() & PERMISSIONS;
        worker.in.u32();
        session.folder.checkWritable();
        synchronized (fid) {
            session.opening(fid);
            try {
                FilePath path = fid.path.child(name);
                int directory = session.folder.find(worker.calls, fid.path);
                try {
                    createIn(session, worker, fid, directory, name, asked, mode);
                } finally {
                    worker.calls.close(directory);
                }
                session.replacePath(fid, path);
            } finally {
                if (fid.fd == Fid.CLOSED) {
                    session.notOpened();
                }
            }
        }
    }

    /** A file that is there already is opened with as much care as any. */
    private static void createIn(
            P9Session session,
            P9Session.Worker worker,
            Fid fid,
            int directory,
            String name,
            int asked,
            int mode)
            throws FileError {
        int flags = asked & FLAGS;
        int create = LinuxCalls.O_CREAT | LinuxCalls.O_EXCL | LinuxCalls.O_NOFOLLOW;
        try {
            fid.fd = worker.calls.open(directory, name, flags | create, mode);
        } catch (FileError e) {
            if (e.errno() != Errno.EEXIST || (asked & LinuxCalls.O_EXCL) != 0) {
                throw e;
            }
            int nothingMore = LinuxCalls.O_PATH | LinuxCalls.O_NOFOLLOW;
            int found = worker.calls.open(directory, name, nothingMore, 0);
            try {
                worker.out.qid(open(session, worker.calls, fid, found, flags));
                worker.out.u32(0);
            } finally {
                worker.calls.close(found);
            }
            return;
        }
        fid.flags = flags & ~LinuxCalls.O_TRUNC;
        fid.directory = false;
        // This process's umask is no business of the guest's, which has applied its own.
        worker.calls.chmod(SharedFolder.nameOf(fid.fd), mode);
        worker.out.qid(session.folder.qid(worker.calls, fid.fd));
        worker.out.u32(0);
    }

    /** {@code Tread fid offset count}. */
    static void read(P9Session session, P9Session.Worker worker) throws FileError {
        Fid fid = session.fid(worker.in.u32());
        long offset = worker.in.u64();
        int count = limit(worker.in.u32(), session.room(READ_HEADER));
        P9Writer out = worker.out;
        int countAt = out.room(4);
        int done = 0;
        synchronized (fid) {
            int fd = fid.opened();
            while (done < count) {
                int read = worker.calls.pread(fd, count - done, offset + done);
                int at = out.room(read);
                copy(worker.calls.data, out.bytes(), at, read);
                done += read;
                if (read < LinuxCalls.DATA_SIZE) {
                    break;
                }
            }
        }
        putCount(out, countAt, done);
    }

    /** The client's number is unsigned. */
    static int limit(int count, int most) {
        return Integer.compareUnsigned(count, most) < 0 ? count : most;
    }

    static void putCount(P9Writer out, int at, int count) {
        int end = out.length();
        out.rewind(at);
        out.u32(count);
        out.rewind(end);
    }

    private static void copy(MemorySegment from, byte[] to, int at, int length) {
        MemorySegment.copy(from, ValueLayout.JAVA_BYTE, 0, to, at, length);
    }

    /** {@code Twrite fid offset count data}. */
    static void write(P9Session session, P9Session.Worker worker) throws FileError {
        Fid fid = session.fid(worker.in.u32());
        long offset = worker.in.u64();
        int count = worker.in.u32();
        int at = worker.in.data(count);
        session.folder.checkWritable();
        int done = 0;
        synchronized (fid) {
            int fd = fid.opened();
            while (done < count) {
                int part = Math.min(count - done, LinuxCalls.DATA_SIZE);
                MemorySegment.copy(
                        worker.message(),
                        at + done,
                        worker.calls.data,
                        ValueLayout.JAVA_BYTE,
                        0,
                        part);
                int written = writePart(worker, fd, part, offset + done, done);
                done += written;
                if (written < part) {
                    break;
                }
            }
        }
        worker.out.u32(done);
    }

    /** An error after something has been written is told by the short count alone. */
    private static int writePart(P9Session.Worker worker, int fd, int part, long offset, int before)
            throws FileError {
        try {
            return worker.calls.pwrite(fd, part, offset);
        } catch (FileError e) {
            if (before == 0) {
                throw e;
            }
            return 0;
        }
    }

    /** {@code Tfsync fid datasync}. */
    static void sync(P9Session session, P9Session.Worker worker) throws FileError {
        Fid fid = session.fid(worker.in.u32());
        boolean dataOnly = worker.in.u32() != 0;
        synchronized (fid) {
            worker.calls.sync(fid.opened(), dataOnly);
        }
    }
}
