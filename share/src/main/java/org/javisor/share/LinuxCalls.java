package org.javisor.share;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/**
 * The file calls of Linux' C library (x86-64 and AArch64) that work relative to a descriptor, which
 * Java has no words for. An instance is one thread's: it owns the memory that results and names
 * pass through.
 *
 * <p>Safe, because every pointer handed over is to this instance's own memory, with a length that
 * the same call bounds.
 */
final class LinuxCalls {
    static final int AT_FDCWD = -100;
    static final int AT_REMOVEDIR = 0x200;
    static final int AT_SYMLINK_FOLLOW = 0x400;
    static final int AT_EMPTY_PATH = 0x1000;

    static final int O_RDONLY = 0;
    static final int O_WRONLY = 1;
    static final int O_RDWR = 2;
    static final int O_ACCMODE = 3;
    static final int O_CREAT = 0x40;
    static final int O_EXCL = 0x80;
    static final int O_TRUNC = 0x200;
    static final int O_APPEND = 0x400;
    static final int O_NONBLOCK = 0x800;
    static final int O_CLOEXEC = 0x80000;
    static final int O_PATH = 0x200000;

    /** Two of the few flags that differ between architectures. */
    static final int O_DIRECTORY = arm() ? 0x4000 : 0x10000;

    static final int O_NOFOLLOW = arm() ? 0x8000 : 0x20000;

    /** Two for file locks that belong to an open file, not to a process. */
    static final int F_OFD_GETLK = 36;

    static final int F_OFD_SETLK = 37;

    /** The basic attributes of statx. */
    static final int STATX_BASIC = 0x7ff;

    static final int STATX_SIZE = 256;
    static final int LINK_SIZE = 4096;
    static final int NAMES_SIZE = 32768;
    static final int DATA_SIZE = 128 << 10;

    private static final int PATH_SIZE = 8192;

    private static final Linker.Option ERRNO = Linker.Option.captureCallState("errno");
    private static final MemoryLayout STATE = Linker.Option.captureStateLayout();
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;
    private static final ValueLayout POINTER = ValueLayout.ADDRESS;

    private static final MethodHandle OPENAT = call("openat", 3, INT, INT, POINTER, INT, INT);
    private static final MethodHandle CLOSE = call("close", INT, INT);
    private static final MethodHandle STATX = call("statx", INT, INT, POINTER, INT, INT, POINTER);
    private static final MethodHandle PREAD = call("pread", LONG, INT, POINTER, LONG, LONG);
    private static final MethodHandle PWRITE = call("pwrite", LONG, INT, POINTER, LONG, LONG);
    private static final MethodHandle LSEEK = call("lseek", LONG, INT, LONG, INT);
    private static final MethodHandle GETDENTS = call("getdents64", LONG, INT, POINTER, LONG);
    private static final MethodHandle READLINKAT =
            call("readlinkat", LONG, INT, POINTER, POINTER, LONG);
    private static final MethodHandle MKDIRAT = call("mkdirat", INT, INT, POINTER, INT);
    private static final MethodHandle MKNODAT = call("mknodat", INT, INT, POINTER, INT, LONG);
    private static final MethodHandle SYMLINKAT = call("symlinkat", INT, POINTER, INT, POINTER);
    private static final MethodHandle LINKAT = call("linkat", INT, INT, POINTER, INT, POINTER, INT);
    private static final MethodHandle UNLINKAT = call("unlinkat", INT, INT, POINTER, INT);
    private static final MethodHandle RENAMEAT = call("renameat", INT, INT, POINTER, INT, POINTER);
    private static final MethodHandle CHMOD = call("chmod", INT, POINTER, INT);
    private static final MethodHandle TRUNCATE = call("truncate", INT, POINTER, LONG);
    private static final MethodHandle UTIMENSAT =
            call("utimensat", INT, INT, POINTER, POINTER, INT);
    private static final MethodHandle FSYNC = call("fsync", INT, INT);
    private static final MethodHandle FDATASYNC = call("fdatasync", INT, INT);
    private static final MethodHandle FSTATFS = call("fstatfs", INT, INT, POINTER);
    private static final MethodHandle FCNTL = call("fcntl", 2, INT, INT, INT, POINTER);

    private final Arena arena = Arena.ofAuto();
    private final MemorySegment state = arena.allocate(STATE);
    private final MemorySegment first = arena.allocate(PATH_SIZE);
    private final MemorySegment second = arena.allocate(PATH_SIZE);

    /** Where results are: attributes, links, names of a directory, times, locks. */
    final MemorySegment result = arena.allocate(NAMES_SIZE, 8);

    /** A file's contents on their way. */
    final MemorySegment data = arena.allocate(DATA_SIZE, 8);

    private static boolean arm() {
        return System.getProperty("os.arch").equals("aarch64");
    }

    /** Whether this host has them all. */
    static boolean available() {
        return System.getProperty("os.name").equals("Linux") && STATX != null && GETDENTS != null;
    }

    private static MethodHandle call(String name, ValueLayout result, ValueLayout... parameters) {
        return call(name, parameters.length, result, parameters);
    }

    private static MethodHandle call(
            String name, int fixed, ValueLayout result, ValueLayout... parameters) {
        Linker linker = Linker.nativeLinker();
        Linker.Option[] options =
                fixed == parameters.length
                        ? new Linker.Option[] {ERRNO}
                        : new Linker.Option[] {ERRNO, Linker.Option.firstVariadicArg(fixed)};
        return linker.defaultLookup()
                .find(name)
                .map(
                        address ->
                                linker.downcallHandle(
                                        address,
                                        FunctionDescriptor.of(result, parameters),
                                        options))
                .orElse(null);
    }

    private int errno() {
        return state.get(INT, 0);
    }

    private int checked(int result) throws FileError {
        if (result < 0) {
            throw new FileError(errno());
        }
        return result;
    }

    private long checked(long result) throws FileError {
        if (result < 0) {
            throw new FileError(errno());
        }
        return result;
    }

    private static RuntimeException impossible(Throwable e) {
        return e instanceof RuntimeException known ? known : new IllegalStateException(e);
    }

    /** Names carry their bytes as characters, see {@link P9Reader#string}. */
    private static MemorySegment put(MemorySegment to, String name) throws FileError {
        int length = name.length();
        if (length >= PATH_SIZE) {
            throw new FileError(Errno.ENAMETOOLONG);
        }
        for (int i = 0; i < length; i++) {
            to.set(ValueLayout.JAVA_BYTE, i, (byte) name.charAt(i));
        }
        to.set(ValueLayout.JAVA_BYTE, length, (byte) 0);
        return to;
    }

    int open(int at, String name, int flags, int mode) throws FileError {
        MemorySegment path = put(first, name);
        int fd;
        try {
            fd = (int) OPENAT.invokeExact(state, at, path, flags | O_CLOEXEC, mode);
        } catch (Throwable e) {
            throw impossible(e);
        }
        return checked(fd);
    }

    void close(int fd) {
        try {
            int ignored = (int) CLOSE.invokeExact(state, fd);
        } catch (Throwable e) {
            throw impossible(e);
        }
    }

    /** Into {@link #result}. */
    void statx(int fd) throws FileError {
        MemorySegment path = put(first, "");
        int done;
        try {
            done = (int) STATX.invokeExact(state, fd, path, AT_EMPTY_PATH, STATX_BASIC, result);
        } catch (Throwable e) {
            throw impossible(e);
        }
        checked(done);
    }

    /** Into {@link #data}. */
    int pread(int fd, int length, long offset) throws FileError {
        long done;
        try {
            long limit = Math.min(length, DATA_SIZE);
            done = (long) PREAD.invokeExact(state, fd, data, limit, offset);
        } catch (Throwable e) {
            throw impossible(e);
        }
        return (int) checked(done);
    }

    /** Out of {@link #data}. */
    int pwrite(int fd, int length, long offset) throws FileError {
        long done;
        try {
            long limit = Math.min(length, DATA_SIZE);
            done = (long) PWRITE.invokeExact(state, fd, data, limit, offset);
        } catch (Throwable e) {
            throw impossible(e);
        }
        return (int) checked(done);
    }

    void seek(int fd, long offset) throws FileError {
        long done;
        try {
            done = (long) LSEEK.invokeExact(state, fd, offset, 0);
        } catch (Throwable e) {
            throw impossible(e);
        }
        checked(done);
    }

    /** Entries of a directory into {@link #result}; 0 bytes at its end. */
    int getdents(int fd) throws FileError {
        long done;
        try {
            done = (long) GETDENTS.invokeExact(state, fd, result, (long) NAMES_SIZE);
        } catch (Throwable e) {
            throw impossible(e);
        }
        return (int) checked(done);
    }

    /** Into {@link #result}. */
    int readlink(int fd) throws FileError {
        MemorySegment path = put(first, "");
        long done;
        try {
            done = (long) READLINKAT.invokeExact(state, fd, path, result, (long) LINK_SIZE);
        } catch (Throwable e) {
            throw impossible(e);
        }
        return (int) checked(done);
    }

    void mkdir(int at, String name, int mode) throws FileError {
        MemorySegment path = put(first, name);
        int done;
        try {
            done = (int) MKDIRAT.invokeExact(state, at, path, mode);
        } catch (Throwable e) {
            throw impossible(e);
        }
        checked(done);
    }

    void mknod(int at, String name, int mode) throws FileError {
        MemorySegment path = put(first, name);
        int done;
        try {
            done = (int) MKNODAT.invokeExact(state, at, path, mode, 0L);
        } catch (Throwable e) {
            throw impossible(e);
        }
        checked(done);
    }

    void symlink(String target, int at, String name) throws FileError {
        MemorySegment to = put(second, target);
        MemorySegment path = put(first, name);
        int done;
        try {
            done = (int) SYMLINKAT.invokeExact(state, to, at, path);
        } catch (Throwable e) {
            throw impossible(e);
        }
        checked(done);
    }

    void link(int fromAt, String from, int at, String name, int flags) throws FileError {
        MemorySegment source = put(second, from);
        MemorySegment path = put(first, name);
        int done;
        try {
            done = (int) LINKAT.invokeExact(state, fromAt, source, at, path, flags);
        } catch (Throwable e) {
            throw impossible(e);
        }
        checked(done);
    }

    void unlink(int at, String name, int flags) throws FileError {
        MemorySegment path = put(first, name);
        int done;
        try {
            done = (int) UNLINKAT.invokeExact(state, at, path, flags);
        } catch (Throwable e) {
            throw impossible(e);
        }
        checked(done);
    }

    void rename(int fromAt, String from, int at, String name) throws FileError {
        MemorySegment source = put(second, from);
        MemorySegment path = put(first, name);
        int done;
        try {
            done = (int) RENAMEAT.invokeExact(state, fromAt, source, at, path);
        } catch (Throwable e) {
            throw impossible(e);
        }
        checked(done);
    }

    void chmod(String name, int mode) throws FileError {
        MemorySegment path = put(first, name);
        int done;
        try {
            done = (int) CHMOD.invokeExact(state, path, mode);
        } catch (Throwable e) {
            throw impossible(e);
        }
        checked(done);
    }

    void truncate(String name, long size) throws FileError {
        MemorySegment path = put(first, name);
        int done;
        try {
            done = (int) TRUNCATE.invokeExact(state, path, size);
        } catch (Throwable e) {
            throw impossible(e);
        }
        checked(done);
    }

    /** Access and modification time, out of {@link #result}: seconds and nanoseconds each. */
    void utimens(String name) throws FileError {
        MemorySegment path = put(first, name);
        int done;
        try {
            done = (int) UTIMENSAT.invokeExact(state, AT_FDCWD, path, result, 0);
        } catch (Throwable e) {
            throw impossible(e);
        }
        checked(done);
    }

    void sync(int fd, boolean dataOnly) throws FileError {
        int done;
        try {
            done =
                    dataOnly
                            ? (int) FDATASYNC.invokeExact(state, fd)
                            : (int) FSYNC.invokeExact(state, fd);
        } catch (Throwable e) {
            throw impossible(e);
        }
        checked(done);
    }

    /** Into {@link #result}. */
    void statfs(int fd) throws FileError {
        int done;
        try {
            done = (int) FSTATFS.invokeExact(state, fd, result);
        } catch (Throwable e) {
            throw impossible(e);
        }
        checked(done);
    }

    /** A {@code struct flock} in {@link #result}. */
    void lock(int fd, int command) throws FileError {
        int done;
        try {
            done = (int) FCNTL.invokeExact(state, fd, command, result);
        } catch (Throwable e) {
            throw impossible(e);
        }
        checked(done);
    }
}
