package org.javisor.share;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Advisory locks on open files: the client keeps its own processes apart, these keep apart clients
 * and the host's processes (fcntl(2), open file description locks).
 */
final class P9Locks {
    private static final int SUCCESS = 0;
    private static final int BLOCKED = 1;
    private static final int FAILED = 2;

    /** Read, write and unlock have the same numbers here and there. */
    private static final int MOST_KIND = 2;

    private static final int UNLOCK = 2;

    private static final long KIND = 0;
    private static final long START = 8;
    private static final long LENGTH = 16;
    private static final long PROCESS = 24;

    private P9Locks() {}

    private static void put(MemorySegment lock, int kind, long start, long length) {
        lock.asSlice(0, 32).fill((byte) 0);
        lock.set(ValueLayout.JAVA_SHORT, KIND, (short) kind);
        lock.set(ValueLayout.JAVA_LONG, START, start);
        lock.set(ValueLayout.JAVA_LONG, LENGTH, length);
    }

    /** {@code Tlock fid type flags start length proc_id client_id}; never waits. */
    static void lock(P9Session session, P9Session.Worker worker) throws FileError {
        Fid fid = session.fid(worker.in.u32());
        int kind = worker.in.u8();
        worker.in.u32();
        long start = worker.in.u64();
        long length = worker.in.u64();
        if (kind > MOST_KIND) {
            throw new FileError(Errno.EINVAL);
        }
        int status = SUCCESS;
        synchronized (fid) {
            put(worker.calls.result, kind, start, length);
            try {
                worker.calls.lock(fid.opened(), LinuxCalls.F_OFD_SETLK);
            } catch (FileError e) {
                boolean held = e.errno() == Errno.EAGAIN || e.errno() == Errno.EACCES;
                status = held ? BLOCKED : FAILED;
            }
        }
        worker.out.u8(status);
    }

    /** {@code Tgetlock fid type start length proc_id client_id}: who would be in the way. */
    static void get(P9Session session, P9Session.Worker worker) throws FileError {
        Fid fid = session.fid(worker.in.u32());
        int kind = worker.in.u8();
        long start = worker.in.u64();
        long length = worker.in.u64();
        int process = worker.in.u32();
        String client = worker.in.string();
        if (kind > MOST_KIND) {
            throw new FileError(Errno.EINVAL);
        }
        MemorySegment lock = worker.calls.result;
        synchronized (fid) {
            put(lock, kind, start, length);
            worker.calls.lock(fid.opened(), LinuxCalls.F_OFD_GETLK);
        }
        int found = lock.get(ValueLayout.JAVA_SHORT, KIND);
        P9Writer out = worker.out;
        out.u8(found);
        out.u64(found == UNLOCK ? start : lock.get(ValueLayout.JAVA_LONG, START));
        out.u64(found == UNLOCK ? length : lock.get(ValueLayout.JAVA_LONG, LENGTH));
        out.u32(found == UNLOCK ? process : lock.get(ValueLayout.JAVA_INT, PROCESS));
        out.string(client);
    }
}
