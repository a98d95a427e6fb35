package org.javisor.share;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/**
 * One client's conversation with the server: the files it has numbers for, and the answers to its
 * requests. Requests may be answered by several threads at once, each with a {@link Worker} of its
 * own.
 */
public final class P9Session implements AutoCloseable {
    /** The longest message. */
    public static final int MAXIMUM_MESSAGE = 512 << 10;

    private static final int SHORTEST_MESSAGE = 4096;
    private static final String DIALECT = "9P2000.L";
    private static final int NO_FID = -1;

    private static final int MOST_FIDS = 1 << 16;
    private static final int MOST_OPEN = 1024;
    private static final int MOST_NAMES = 16;

    /** Characters in all paths of the session. */
    private static final long MOST_CHARACTERS = 16 << 20;

    private static final int ERROR = 7;

    final SharedFolder folder;
    private final Map<Integer, Fid> fids = new ConcurrentHashMap<>();
    private final AtomicInteger open = new AtomicInteger();
    private final AtomicLong characters = new AtomicLong();

    /** Held for writing while paths change. */
    private final ReentrantReadWriteLock paths = new ReentrantReadWriteLock();

    private volatile int maximum = SHORTEST_MESSAGE;

    P9Session(SharedFolder folder) {
        this.folder = folder;
    }

    /** What one thread needs to answer requests. */
    public static final class Worker {
        final LinuxCalls calls = new LinuxCalls();
        final P9Reader in = new P9Reader();
        final P9Writer out = new P9Writer();
        private byte[] message = {};

        /** The bytes of the last request, to be looked at only while it is answered. */
        byte[] message() {
            return message;
        }

        /** The answer, in its first bytes. */
        public byte[] reply() {
            return out.bytes();
        }
    }

    /**
     * Answers a request; whatever it is, there is an answer.
     *
     * @param request a message with its header, without which it is answered as an error with tag
     *     FFFFh
     * @return the length of the answer in {@link Worker#reply}
     */
    public int answer(Worker worker, byte[] request, int length) {
        worker.message = request;
        worker.in.reset(request, 0, length);
        int tag = 0xffff;
        try {
            int size = worker.in.u32();
            int type = worker.in.u8();
            tag = worker.in.u16();
            if (size < P9Writer.HEADER || size > length) {
                throw new FileError(Errno.EPROTO);
            }
            worker.in.reset(request, P9Writer.HEADER, size);
            worker.out.begin(type + 1, tag);
            boolean alone = type == P9Type.VERSION || P9Type.renames(type);
            var lock = alone ? paths.writeLock() : paths.readLock();
            lock.lock();
            try {
                carryOut(worker, type);
            } finally {
                lock.unlock();
            }
        } catch (FileError e) {
            worker.out.begin(ERROR, tag);
            worker.out.u32(e.errno());
        }
        worker.out.finish();
        return worker.out.length();
    }

    private void carryOut(Worker worker, int type) throws FileError {
        switch (type) {
            case P9Type.VERSION -> version(worker);
            case P9Type.ATTACH -> attach(worker);
            case P9Type.FLUSH -> worker.in.u16();
            case P9Type.WALK -> walk(worker);
            case P9Type.CLUNK -> forget(worker.in.u32(), worker);
            case P9Type.REMOVE -> P9Names.remove(this, worker);
            case P9Type.LOPEN -> P9Files.open(this, worker);
            case P9Type.LCREATE -> P9Files.create(this, worker);
            case P9Type.READ -> P9Files.read(this, worker);
            case P9Type.WRITE -> P9Files.write(this, worker);
            case P9Type.READDIR -> P9Directory.read(this, worker);
            case P9Type.FSYNC -> P9Files.sync(this, worker);
            case P9Type.LOCK -> P9Locks.lock(this, worker);
            case P9Type.GETLOCK -> P9Locks.get(this, worker);
            case P9Type.GETATTR -> P9Attributes.get(this, worker);
            case P9Type.SETATTR -> P9Attributes.set(this, worker);
            case P9Type.STATFS -> P9Attributes.statfs(this, worker);
            case P9Type.READLINK -> P9Names.readlink(this, worker);
            case P9Type.SYMLINK -> P9Names.symlink(this, worker);
            case P9Type.MKNOD -> P9Names.mknod(this, worker);
            case P9Type.MKDIR -> P9Names.mkdir(this, worker);
            case P9Type.LINK -> P9Names.link(this, worker);
            case P9Type.RENAME -> P9Names.rename(this, worker);
            case P9Type.RENAMEAT -> P9Names.renameAt(this, worker);
            case P9Type.UNLINKAT -> P9Names.unlinkAt(this, worker);
            // Authentication and extended attributes are not served.
            default -> throw new FileError(Errno.EOPNOTSUPP);
        }
    }

    private void version(Worker worker) throws FileError {
        int asked = worker.in.u32();
        String dialect = worker.in.string();
        if (Integer.compareUnsigned(asked, SHORTEST_MESSAGE) < 0) {
            throw new FileError(Errno.EINVAL);
        }
        forgetAll(worker.calls);
        maximum = Integer.compareUnsigned(asked, MAXIMUM_MESSAGE) < 0 ? asked : MAXIMUM_MESSAGE;
        worker.out.u32(maximum);
        worker.out.string(dialect.equals(DIALECT) ? DIALECT : "unknown");
    }

    private void attach(Worker worker) throws FileError {
        int fid = worker.in.u32();
        int authentication = worker.in.u32();
        worker.in.string();
        worker.in.string();
        if (authentication != NO_FID) {
            throw new FileError(Errno.EINVAL);
        }
        add(fid, new Fid(FilePath.ROOT));
        worker.out.qid(folder.rootAttributes().qid(folder.rootAttributes()));
    }

    /** Goes as far as it can; only if that is not one step it fails. */
    private void walk(Worker worker) throws FileError {
        Fid from = fid(worker.in.u32());
        int to = worker.in.u32();
        int count = worker.in.u16();
        if (count > MOST_NAMES) {
            throw new FileError(Errno.EINVAL);
        }
        FilePath path = from.path;
        List<Qid> found = new ArrayList<>();
        try {
            for (int i = 0; i < count; i++) {
                path = step(path, worker.in);
                found.add(qid(worker, path));
            }
        } catch (FileError e) {
            if (found.isEmpty()) {
                throw e;
            }
        }
        if (found.size() == count) {
            if (fids.get(to) == from) {
                moveUnopened(from, path);
            } else {
                add(to, new Fid(path));
            }
        }
        worker.out.u16(found.size());
        found.forEach(worker.out::qid);
    }

    private static FilePath step(FilePath path, P9Reader in) throws FileError {
        String name = in.string();
        return name.equals("..") ? path.parent() : path.child(P9Reader.checkedName(name));
    }

    private void moveUnopened(Fid fid, FilePath path) throws FileError {
        synchronized (fid) {
            if (fid.fd != Fid.CLOSED) {
                throw new FileError(Errno.EBADF);
            }
            replacePath(fid, path);
        }
    }

    private Qid qid(Worker worker, FilePath path) throws FileError {
        int fd = folder.find(worker.calls, path);
        try {
            return folder.qid(worker.calls, fd);
        } finally {
            worker.calls.close(fd);
        }
    }

    // The table of fids

    Fid fid(int number) throws FileError {
        Fid fid = fids.get(number);
        if (fid == null) {
            throw new FileError(Errno.EBADF);
        }
        return fid;
    }

    private void add(int number, Fid fid) throws FileError {
        int length = fid.path.length();
        if (number == NO_FID || fids.size() >= MOST_FIDS) {
            throw new FileError(Errno.ENFILE);
        }
        if (characters.addAndGet(length) > MOST_CHARACTERS) {
            characters.addAndGet(-length);
            throw new FileError(Errno.ENOMEM);
        }
        if (fids.putIfAbsent(number, fid) != null) {
            characters.addAndGet(-length);
            throw new FileError(Errno.EBADF);
        }
    }

    void replacePath(Fid fid, FilePath path) {
        synchronized (fid) {
            characters.addAndGet(path.length() - fid.path.length());
            fid.path = path;
        }
    }

    void forget(int number, Worker worker) throws FileError {
        Fid fid = fids.remove(number);
        if (fid == null) {
            throw new FileError(Errno.EBADF);
        }
        release(fid, worker.calls);
    }

    private void release(Fid fid, LinuxCalls calls) {
        synchronized (fid) {
            characters.addAndGet(-fid.path.length());
            fid.forgotten = true;
            if (fid.fd != Fid.CLOSED) {
                calls.close(fid.fd);
                fid.fd = Fid.CLOSED;
                open.decrementAndGet();
            }
        }
    }

    /** Counts one more open file; to be taken back by {@link #notOpened} if that fails. */
    void opening(Fid fid) throws FileError {
        if (fid.fd != Fid.CLOSED || fid.forgotten) {
            throw new FileError(Errno.EBADF);
        }
        if (open.incrementAndGet() > MOST_OPEN) {
            open.decrementAndGet();
            throw new FileError(Errno.ENFILE);
        }
    }

    void notOpened() {
        open.decrementAndGet();
    }

    /** The paths of all fids at or below a file that has moved; with the paths' lock held. */
    void moved(FilePath from, FilePath to) {
        for (Fid fid : fids.values()) {
            if (fid.path.within(from)) {
                replacePath(fid, fid.path.moved(from, to));
            }
        }
    }

    /** The most that a reply can carry besides so many bytes. */
    int room(int header) {
        return maximum - header;
    }

    private void forgetAll(LinuxCalls calls) {
        for (Integer number : List.copyOf(fids.keySet())) {
            Fid fid = fids.remove(number);
            if (fid != null) {
                release(fid, calls);
            }
        }
    }

    /** Forgets the client: closes its files. Another conversation may begin. */
    public void reset() {
        paths.writeLock().lock();
        try {
            forgetAll(new LinuxCalls());
            maximum = SHORTEST_MESSAGE;
        } finally {
            paths.writeLock().unlock();
        }
    }

    /** What there is to remember; while no request is being answered. */
    public P9State save() {
        List<P9State.File> files = new ArrayList<>();
        fids.forEach(
                (number, fid) -> {
                    synchronized (fid) {
                        boolean opened = fid.fd != Fid.CLOSED;
                        files.add(new P9State.File(number, fid.path.names(), opened, fid.flags));
                    }
                });
        return new P9State(maximum, files);
    }

    /** Takes over what {@link #save} returned, in place of what there is. */
    public void restore(P9State state) {
        reset();
        maximum = Math.clamp(state.maximum(), SHORTEST_MESSAGE, MAXIMUM_MESSAGE);
        LinuxCalls calls = new LinuxCalls();
        for (P9State.File file : state.files()) {
            try {
                FilePath path = FilePath.ROOT;
                for (String name : file.path()) {
                    path = path.child(P9Reader.checkedName(name));
                }
                Fid fid = new Fid(path);
                add(file.fid(), fid);
                if (file.open()) {
                    P9Files.reopen(this, calls, fid, file.flags());
                }
            } catch (FileError e) {
                // The guest is told when it uses the file.
            }
        }
    }

    /** As {@link #reset}; the folder stays open. */
    @Override
    public void close() {
        reset();
    }
}
