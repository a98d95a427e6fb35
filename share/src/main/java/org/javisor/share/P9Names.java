package org.javisor.share;

import java.lang.foreign.ValueLayout;

/** What changes directories, and symbolic links. */
final class P9Names {
    private static final int DIRECTORY_BITS = 01777;
    private static final int PERMISSIONS = 0777;

    private P9Names() {}

    /** Something done in a directory, by its descriptor. */
    private interface Action {
        void in(int directory) throws FileError;
    }

    private static void in(
            P9Session session, P9Session.Worker worker, FilePath directory, Action action)
            throws FileError {
        session.folder.checkWritable();
        int fd = session.folder.find(worker.calls, directory);
        try {
            action.in(fd);
        } finally {
            worker.calls.close(fd);
        }
    }

    /** What has just been made: its identity into the answer. */
    private static int made(P9Session session, P9Session.Worker worker, int directory, String name)
            throws FileError {
        int flags = LinuxCalls.O_PATH | LinuxCalls.O_NOFOLLOW;
        int fd = worker.calls.open(directory, name, flags, 0);
        try {
            worker.out.qid(session.folder.qid(worker.calls, fd));
        } catch (FileError e) {
            worker.calls.close(fd);
            throw e;
        }
        return fd;
    }

    /** {@code Tmkdir dfid name mode gid}. */
    static void mkdir(P9Session session, P9Session.Worker worker) throws FileError {
        Fid parent = session.fid(worker.in.u32());
        String name = worker.in.name();
        int mode = worker.in.u32() & DIRECTORY_BITS;
        worker.in.u32();
        in(
                session,
                worker,
                parent.path,
                directory -> {
                    worker.calls.mkdir(directory, name, mode);
                    setMode(worker, made(session, worker, directory, name), mode);
                });
    }

    /** This process's umask is no business of the guest's, which has applied its own. */
    private static void setMode(P9Session.Worker worker, int fd, int mode) throws FileError {
        try {
            worker.calls.chmod(SharedFolder.nameOf(fd), mode);
        } finally {
            worker.calls.close(fd);
        }
    }

    /** {@code Tmknod dfid name mode major minor gid}: anything but devices. */
    static void mknod(P9Session session, P9Session.Worker worker) throws FileError {
        Fid parent = session.fid(worker.in.u32());
        String name = worker.in.name();
        int mode = worker.in.u32();
        worker.in.u64();
        worker.in.u32();
        int kind = mode & FileAttributes.S_IFMT;
        switch (kind) {
            case FileAttributes.S_IFREG, FileAttributes.S_IFIFO, FileAttributes.S_IFSOCK -> {}
            default -> throw new FileError(Errno.EPERM);
        }
        in(
                session,
                worker,
                parent.path,
                directory -> {
                    worker.calls.mknod(directory, name, kind | mode & PERMISSIONS);
                    setMode(worker, made(session, worker, directory, name), mode & PERMISSIONS);
                });
    }

    /** {@code Tsymlink dfid name target gid}: the target is for the guest to follow. */
    static void symlink(P9Session session, P9Session.Worker worker) throws FileError {
        Fid parent = session.fid(worker.in.u32());
        String name = worker.in.name();
        String target = worker.in.string();
        worker.in.u32();
        if (target.isEmpty() || target.indexOf(0) >= 0) {
            throw new FileError(Errno.EINVAL);
        }
        in(
                session,
                worker,
                parent.path,
                directory -> {
                    worker.calls.symlink(target, directory, name);
                    worker.calls.close(made(session, worker, directory, name));
                });
    }

    /** {@code Treadlink fid}. */
    static void readlink(P9Session session, P9Session.Worker worker) throws FileError {
        Fid fid = session.fid(worker.in.u32());
        int fd = session.folder.find(worker.calls, fid.path);
        int length;
        try {
            length = worker.calls.readlink(fd);
        } finally {
            worker.calls.close(fd);
        }
        StringBuilder target = new StringBuilder();
        for (int i = 0; i < length; i++) {
            target.append((char) (worker.calls.result.get(ValueLayout.JAVA_BYTE, i) & 0xff));
        }
        worker.out.string(target.toString());
    }

    /** {@code Tlink dfid fid name}. */
    static void link(P9Session session, P9Session.Worker worker) throws FileError {
        Fid parent = session.fid(worker.in.u32());
        Fid file = session.fid(worker.in.u32());
        String name = worker.in.name();
        in(
                session,
                worker,
                file.path.parent(),
                from ->
                        in(
                                session,
                                worker,
                                parent.path,
                                to -> link(worker, from, file.path, to, name)));
    }

    /** A link itself is what gets another name, not what it points to. */
    private static void link(P9Session.Worker worker, int from, FilePath path, int to, String name)
            throws FileError {
        if (path.root()) {
            throw new FileError(Errno.EPERM);
        }
        worker.calls.link(from, path.name(), to, name, 0);
    }

    /** {@code Trename fid dfid name}. */
    static void rename(P9Session session, P9Session.Worker worker) throws FileError {
        Fid file = session.fid(worker.in.u32());
        Fid parent = session.fid(worker.in.u32());
        rename(session, worker, file.path, parent.path, worker.in.name());
    }

    /** {@code Trenameat olddirfid oldname newdirfid newname}. */
    static void renameAt(P9Session session, P9Session.Worker worker) throws FileError {
        Fid oldParent = session.fid(worker.in.u32());
        FilePath from = oldParent.path.child(worker.in.name());
        Fid parent = session.fid(worker.in.u32());
        rename(session, worker, from, parent.path, worker.in.name());
    }

    private static void rename(
            P9Session session, P9Session.Worker worker, FilePath from, FilePath parent, String name)
            throws FileError {
        if (from.root()) {
            throw new FileError(Errno.EPERM);
        }
        FilePath to = parent.child(name);
        in(
                session,
                worker,
                from.parent(),
                oldDirectory ->
                        in(
                                session,
                                worker,
                                parent,
                                directory ->
                                        worker.calls.rename(
                                                oldDirectory, from.name(), directory, name)));
        session.moved(from, to);
    }

    /** {@code Tunlinkat dfid name flags}. */
    static void unlinkAt(P9Session session, P9Session.Worker worker) throws FileError {
        Fid parent = session.fid(worker.in.u32());
        String name = worker.in.name();
        int flags = worker.in.u32() & LinuxCalls.AT_REMOVEDIR;
        in(session, worker, parent.path, directory -> worker.calls.unlink(directory, name, flags));
    }

    /** {@code Tremove fid}: forgets the fid in any case. */
    static void remove(P9Session session, P9Session.Worker worker) throws FileError {
        int number = worker.in.u32();
        FilePath path = session.fid(number).path;
        session.forget(number, worker);
        if (path.root()) {
            throw new FileError(Errno.EPERM);
        }
        in(
                session,
                worker,
                path.parent(),
                directory -> {
                    try {
                        worker.calls.unlink(directory, path.name(), 0);
                    } catch (FileError e) {
                        if (e.errno() != Errno.EISDIR) {
                            throw e;
                        }
                        worker.calls.unlink(directory, path.name(), LinuxCalls.AT_REMOVEDIR);
                    }
                });
    }
}
