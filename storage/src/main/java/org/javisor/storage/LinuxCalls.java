package org.javisor.storage;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * The system calls on files that Java has no word for, as Linux spells them on x86-64 and AArch64.
 * Each takes a {@link Frame}, which receives {@code errno}; memory is passed by address, and the
 * caller keeps it alive.
 */
final class LinuxCalls {
    static final int O_RDONLY = 0;
    static final int O_RDWR = 2;
    static final int O_CLOEXEC = 0x80000;

    static final int FALLOC_FL_KEEP_SIZE = 1;
    static final int FALLOC_FL_PUNCH_HOLE = 2;
    static final int FALLOC_FL_ZERO_RANGE = 0x10;

    static final int SEEK_END = 2;
    static final int SEEK_DATA = 3;
    static final int SEEK_HOLE = 4;

    static final int F_OFD_GETLK = 36;
    static final int F_OFD_SETLK = 37;
    static final short F_RDLCK = 0;
    static final short F_WRLCK = 1;
    static final short F_UNLCK = 2;

    static final int EINTR = 4;
    static final int EAGAIN = 11;
    static final int EINVAL = 22;
    static final int EOPNOTSUPP = 95;

    /** I/O vectors in one call; the kernel's limit is 1024. */
    static final int MAX_VECTORS = 256;

    private static final boolean LINUX =
            System.getProperty("os.name").equals("Linux")
                    && ValueLayout.ADDRESS.byteSize() == Long.BYTES;

    private LinuxCalls() {}

    static boolean available() {
        return LINUX && Calls.PREADV != null && Calls.FALLOCATE != null;
    }

    /** O_DIRECT is one of the few flags that differ between architectures. */
    static int directFlag() {
        return System.getProperty("os.arch").equals("aarch64") ? 0x10000 : 0x4000;
    }

    /** Native scratch of one call: errno, then the I/O vectors or a lock's description. */
    static final class Frame {
        private static final long VECTORS = 16;

        private final MemorySegment memory =
                Arena.ofAuto().allocate(VECTORS + 16L * MAX_VECTORS, 16);
        private final MemorySegment state = memory.asSlice(0, Calls.STATE_BYTES);

        int errno() {
            return memory.get(ValueLayout.JAVA_INT, 0);
        }

        MemorySegment body() {
            return memory.asSlice(VECTORS);
        }

        void vector(int index, long address, long length) {
            memory.set(ValueLayout.JAVA_LONG, VECTORS + 16L * index, address);
            memory.set(ValueLayout.JAVA_LONG, VECTORS + 16L * index + 8, length);
        }

        private long vectors() {
            return memory.address() + VECTORS;
        }
    }

    /** Frames that wait for their next call. */
    static final class Frames {
        private final ConcurrentLinkedQueue<Frame> free = new ConcurrentLinkedQueue<>();

        Frame take() {
            Frame frame = free.poll();
            return frame == null ? new Frame() : frame;
        }

        void give(Frame frame) {
            free.offer(frame);
        }
    }

    static int open(Frame frame, String path, int flags) {
        try (Arena arena = Arena.ofConfined()) {
            return (int) Calls.OPEN.invokeExact(frame.state, arena.allocateFrom(path), flags);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    static int close(Frame frame, int fd) {
        try {
            return (int) Calls.CLOSE.invokeExact(frame.state, fd);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    static long pread(Frame frame, int fd, long address, long length, long offset) {
        try {
            return (long) Calls.PREAD.invokeExact(frame.state, fd, address, length, offset);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    static long pwrite(Frame frame, int fd, long address, long length, long offset) {
        try {
            return (long) Calls.PWRITE.invokeExact(frame.state, fd, address, length, offset);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    static long preadv(Frame frame, int fd, int vectors, long offset) {
        try {
            return (long)
                    Calls.PREADV.invokeExact(frame.state, fd, frame.vectors(), vectors, offset);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    static long pwritev(Frame frame, int fd, int vectors, long offset) {
        try {
            return (long)
                    Calls.PWRITEV.invokeExact(frame.state, fd, frame.vectors(), vectors, offset);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    static int fdatasync(Frame frame, int fd) {
        try {
            return (int) Calls.FDATASYNC.invokeExact(frame.state, fd);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    static int fallocate(Frame frame, int fd, int mode, long offset, long length) {
        try {
            return (int) Calls.FALLOCATE.invokeExact(frame.state, fd, mode, offset, length);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    static int ftruncate(Frame frame, int fd, long length) {
        try {
            return (int) Calls.FTRUNCATE.invokeExact(frame.state, fd, length);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    static long lseek(Frame frame, int fd, long offset, int whence) {
        try {
            return (long) Calls.LSEEK.invokeExact(frame.state, fd, offset, whence);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    static int fcntl(Frame frame, int fd, int command, MemorySegment argument) {
        try {
            return (int) Calls.FCNTL.invokeExact(frame.state, fd, command, argument);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /** Linked on first use. */
    private static final class Calls {
        private static final MemoryLayout INT = ValueLayout.JAVA_INT;
        private static final MemoryLayout LONG = ValueLayout.JAVA_LONG;
        private static final MemoryLayout POINTER = ValueLayout.ADDRESS;
        static final long STATE_BYTES = Linker.Option.captureStateLayout().byteSize();

        static final MethodHandle OPEN = variadic("open", 2, INT, POINTER, INT);
        static final MethodHandle CLOSE = call("close", INT, INT);
        static final MethodHandle PREAD = call("pread64", LONG, INT, LONG, LONG, LONG);
        static final MethodHandle PWRITE = call("pwrite64", LONG, INT, LONG, LONG, LONG);
        static final MethodHandle PREADV = call("preadv64", LONG, INT, LONG, INT, LONG);
        static final MethodHandle PWRITEV = call("pwritev64", LONG, INT, LONG, INT, LONG);
        static final MethodHandle FDATASYNC = call("fdatasync", INT, INT);
        static final MethodHandle FALLOCATE = call("fallocate64", INT, INT, INT, LONG, LONG);
        static final MethodHandle FTRUNCATE = call("ftruncate64", INT, INT, LONG);
        static final MethodHandle LSEEK = call("lseek64", LONG, INT, LONG, INT);
        static final MethodHandle FCNTL = variadic("fcntl", 2, INT, INT, INT, POINTER);

        private static MethodHandle call(
                String name, MemoryLayout result, MemoryLayout... parameters) {
            return link(
                    name,
                    FunctionDescriptor.of(result, parameters),
                    Linker.Option.captureCallState("errno"));
        }

        private static MethodHandle variadic(
                String name, int named, MemoryLayout result, MemoryLayout... parameters) {
            return link(
                    name,
                    FunctionDescriptor.of(result, parameters),
                    Linker.Option.captureCallState("errno"),
                    Linker.Option.firstVariadicArg(named));
        }

        private static MethodHandle link(
                String name, FunctionDescriptor descriptor, Linker.Option... options) {
            Linker linker = Linker.nativeLinker();
            return linker.defaultLookup()
                    .find(name)
                    .map(symbol -> linker.downcallHandle(symbol, descriptor, options))
                    .orElse(null);
        }
    }
}
