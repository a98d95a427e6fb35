package org.javisor.storage;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;

/**
 * Locks on an image as QEMU takes them (its file-posix.c), so that QEMU, its tools and other
 * machines of ours, in this process or another, all keep each other out. They end with the
 * descriptor, however the process ends.
 *
 * <p>Each thing that can be done with an image has a number. Who does it holds a shared lock on the
 * byte 100 + number; who does not want others to do it holds one on 200 + number. A newcomer first
 * takes its own locks and then looks for the opposite ones of others.
 */
final class LinuxLock {
    private static final int USED = 100;
    private static final int UNWANTED = 200;

    private static final int CONSISTENT_READ = 0;
    private static final int WRITE = 1;
    private static final int RESIZE = 3;

    private static final int FLOCK_BYTES = 32;

    private LinuxLock() {}

    /**
     * Locks the file for reading, beside other readers, or for writing, alone.
     *
     * @throws StorageException {@code LOCKED}
     */
    static void take(Path path, int fd, boolean writable) {
        LinuxCalls.Frame frame = new LinuxCalls.Frame();
        int[] uses = writable ? new int[] {CONSISTENT_READ, WRITE, RESIZE} : new int[] {0};
        int[] excludes = {WRITE, RESIZE};
        for (int use : uses) {
            if (!shared(frame, path, fd, USED + use)) {
                return;
            }
        }
        for (int exclude : excludes) {
            if (!shared(frame, path, fd, UNWANTED + exclude)) {
                return;
            }
        }
        for (int use : uses) {
            if (heldByOthers(frame, fd, UNWANTED + use)) {
                throw conflict(path, writable);
            }
        }
        for (int exclude : excludes) {
            if (heldByOthers(frame, fd, USED + exclude)) {
                throw conflict(path, writable);
            }
        }
    }

    private static StorageException conflict(Path path, boolean writable) {
        return new StorageException(
                StorageException.Code.LOCKED,
                writable
                        ? "Cannot write to "
                                + path
                                + ": another machine or program uses it; end that first, or add"
                                + " 'ephemeral'"
                        : "Cannot read "
                                + path
                                + ": another machine or program writes to it; end that first");
    }

    /** Returns false where the file system has no locks: there is nothing that could be done. */
    private static boolean shared(LinuxCalls.Frame frame, Path path, int fd, int position) {
        MemorySegment lock = describe(frame, LinuxCalls.F_RDLCK, position);
        while (LinuxCalls.fcntl(frame, fd, LinuxCalls.F_OFD_SETLK, lock) != 0) {
            int errno = frame.errno();
            if (errno == LinuxCalls.EAGAIN || errno == 13) {
                throw conflict(path, false);
            }
            if (errno != LinuxCalls.EINTR) {
                return false;
            }
        }
        return true;
    }

    private static boolean heldByOthers(LinuxCalls.Frame frame, int fd, int position) {
        MemorySegment lock = describe(frame, LinuxCalls.F_WRLCK, position);
        if (LinuxCalls.fcntl(frame, fd, LinuxCalls.F_OFD_GETLK, lock) != 0) {
            return false;
        }
        return lock.get(ValueLayout.JAVA_SHORT, 0) != LinuxCalls.F_UNLCK;
    }

    /** struct flock: type, whence, start, length, pid. */
    private static MemorySegment describe(LinuxCalls.Frame frame, short type, int position) {
        MemorySegment lock = frame.body().asSlice(0, FLOCK_BYTES);
        lock.fill((byte) 0);
        lock.set(ValueLayout.JAVA_SHORT, 0, type);
        lock.set(ValueLayout.JAVA_LONG, 8, position);
        lock.set(ValueLayout.JAVA_LONG, 16, 1);
        return lock;
    }
}
