package org.javisor.kvm;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;

/**
 * The C library's functions that the engine calls, as x86-64 Linux has them. Results below 0 are
 * negated error numbers, as the system calls themselves return them.
 *
 * <p>One of the few places of native calls. Addresses passed here belong to a live mapping or arena
 * of the caller's; what a call writes there is bounded by the structure that the request names.
 */
final class LinuxCalls {
    static final int EINTR = 4, EBADF = 9, EAGAIN = 11, EACCES = 13, EFAULT = 14, EINVAL = 22;
    private static final int O_RDWR = 2, O_CLOEXEC = 0x80000;
    private static final int PROT_READ = 1, PROT_WRITE = 2, MAP_SHARED = 1;
    private static final int EFD_CLOEXEC = 0x80000, EFD_NONBLOCK = 0x800;

    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;
    private static final StructLayout CAPTURE = Linker.Option.captureStateLayout();
    private static final VarHandle ERRNO =
            CAPTURE.varHandle(MemoryLayout.PathElement.groupElement("errno"));

    private static final MethodHandle OPEN =
            capturing("open", FunctionDescriptor.of(INT, ValueLayout.ADDRESS, INT, INT), 2);
    private static final MethodHandle IOCTL =
            capturing("ioctl", FunctionDescriptor.of(INT, INT, LONG, LONG), 2);
    private static final MethodHandle MMAP =
            capturing("mmap", FunctionDescriptor.of(LONG, LONG, LONG, INT, INT, INT, LONG), -1);
    private static final MethodHandle EVENTFD =
            capturing("eventfd", FunctionDescriptor.of(INT, INT, INT), -1);
    private static final MethodHandle READ =
            capturing("read", FunctionDescriptor.of(LONG, INT, LONG, LONG), -1);
    private static final MethodHandle WRITE =
            capturing("write", FunctionDescriptor.of(LONG, INT, LONG, LONG), -1);
    private static final MethodHandle EPOLL_CREATE =
            capturing("epoll_create1", FunctionDescriptor.of(INT, INT), -1);
    private static final MethodHandle EPOLL_CTL =
            capturing("epoll_ctl", FunctionDescriptor.of(INT, INT, INT, INT, LONG), -1);
    private static final MethodHandle EPOLL_WAIT =
            capturing("epoll_wait", FunctionDescriptor.of(INT, INT, LONG, INT, INT), -1);
    private static final MethodHandle MUNMAP =
            plain("munmap", FunctionDescriptor.of(INT, LONG, LONG));
    private static final MethodHandle CLOSE = plain("close", FunctionDescriptor.of(INT, INT));
    private static final MethodHandle SIGACTION =
            plain(
                    "sigaction",
                    FunctionDescriptor.of(INT, INT, ValueLayout.ADDRESS, ValueLayout.ADDRESS));
    private static final MethodHandle GETPID = plain("getpid", FunctionDescriptor.of(INT));
    private static final MethodHandle GETTID = plain("gettid", FunctionDescriptor.of(INT));
    private static final MethodHandle TGKILL =
            plain("tgkill", FunctionDescriptor.of(INT, INT, INT, INT));

    private LinuxCalls() {}

    /** Whether this is a host that these declarations fit. */
    static boolean available() {
        return System.getProperty("os.name").equals("Linux")
                && System.getProperty("os.arch").equals("amd64");
    }

    private static MemorySegment symbol(String name) {
        return Linker.nativeLinker().defaultLookup().findOrThrow(name);
    }

    private static MethodHandle plain(String name, FunctionDescriptor descriptor) {
        return Linker.nativeLinker().downcallHandle(symbol(name), descriptor);
    }

    /**
     * @param firstVariadic index of the first variadic argument, or -1
     */
    private static MethodHandle capturing(
            String name, FunctionDescriptor descriptor, int firstVariadic) {
        Linker.Option capture = Linker.Option.captureCallState("errno");
        Linker.Option[] options =
                firstVariadic < 0
                        ? new Linker.Option[] {capture}
                        : new Linker.Option[] {
                            capture, Linker.Option.firstVariadicArg(firstVariadic)
                        };
        return Linker.nativeLinker().downcallHandle(symbol(name), descriptor, options);
    }

    /** Where calls of one thread leave errno. */
    static MemorySegment newErrno(Arena arena) {
        return arena.allocate(CAPTURE);
    }

    private static int errno(MemorySegment capture) {
        return (int) ERRNO.get(capture, 0L);
    }

    static int open(String path) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment errno = newErrno(arena);
            int fd = (int) OPEN.invokeExact(errno, arena.allocateFrom(path), O_RDWR | O_CLOEXEC, 0);
            return fd < 0 ? -errno(errno) : fd;
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /** Allocates nothing: what the run loop calls for each entry into the guest. */
    static int ioctl(MemorySegment errno, int fd, long request, long argument) {
        int result;
        try {
            result = (int) IOCTL.invokeExact(errno, fd, request, argument);
        } catch (Throwable e) {
            throw unexpected(e);
        }
        return result < 0 ? -errno(errno) : result;
    }

    static int ioctl(int fd, long request, long argument) {
        try (Arena arena = Arena.ofConfined()) {
            return ioctl(newErrno(arena), fd, request, argument);
        }
    }

    /** Maps what a file descriptor offers, shared; the address, or a negated error number. */
    static long map(int fd, long size, long offset) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment errno = newErrno(arena);
            long address =
                    (long)
                            MMAP.invokeExact(
                                    errno,
                                    0L,
                                    size,
                                    PROT_READ | PROT_WRITE,
                                    MAP_SHARED,
                                    fd,
                                    offset);
            return address == -1 ? -errno(errno) : address;
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    static void unmap(long address, long size) {
        try {
            int ignored = (int) MUNMAP.invokeExact(address, size);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    static void close(int fd) {
        try {
            int ignored = (int) CLOSE.invokeExact(fd);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /**
     * A new eventfd(2).
     *
     * @param blocking whether reading waits for an event
     */
    static int eventfd(boolean blocking) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment errno = newErrno(arena);
            int flags = EFD_CLOEXEC | (blocking ? 0 : EFD_NONBLOCK);
            int fd = (int) EVENTFD.invokeExact(errno, 0, flags);
            return fd < 0 ? -errno(errno) : fd;
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /** A new epoll(7) set. */
    static int epoll() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment errno = newErrno(arena);
            int fd = (int) EPOLL_CREATE.invokeExact(errno, O_CLOEXEC);
            return fd < 0 ? -errno(errno) : fd;
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /**
     * epoll_ctl(2).
     *
     * @param event address of an epoll_event, 12 bytes
     */
    static int epollControl(int set, int operation, int fd, long event) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment errno = newErrno(arena);
            int result = (int) EPOLL_CTL.invokeExact(errno, set, operation, fd, event);
            return result < 0 ? -errno(errno) : result;
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /**
     * Waits for as long as it takes.
     *
     * @param events address of room for {@code most} epoll_events
     * @return how many there are
     */
    static int epollWait(MemorySegment errno, int set, long events, int most) {
        try {
            int result = (int) EPOLL_WAIT.invokeExact(errno, set, events, most, -1);
            return result < 0 ? -errno(errno) : result;
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /** Reads eight bytes, an eventfd's count, to {@code address}. */
    static long read8(MemorySegment errno, int fd, long address) {
        try {
            long result = (long) READ.invokeExact(errno, fd, address, 8L);
            return result < 0 ? -errno(errno) : result;
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /** Writes eight bytes, an eventfd's increment, from {@code address}. */
    static long write8(MemorySegment errno, int fd, long address) {
        try {
            long result = (long) WRITE.invokeExact(errno, fd, address, 8L);
            return result < 0 ? -errno(errno) : result;
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /**
     * sigaction(2).
     *
     * @return 0, or -1 if it was refused
     */
    static int sigaction(int signal, MemorySegment action, MemorySegment previous) {
        try {
            return (int) SIGACTION.invokeExact(signal, action, previous);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    static MemorySegment function(String name) {
        return symbol(name);
    }

    static int processId() {
        try {
            return (int) GETPID.invokeExact();
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    static int threadId() {
        try {
            return (int) GETTID.invokeExact();
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /** Sends a signal to one thread of this process; no effect if the thread is gone. */
    static void signal(int process, int thread, int signal) {
        try {
            int ignored = (int) TGKILL.invokeExact(process, thread, signal);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /** What an error number means, for people. */
    static String describe(int errno) {
        return switch (errno) {
            case 1 -> "not permitted (EPERM)";
            case 2 -> "not there (ENOENT)";
            case 7 -> "too many entries (E2BIG)";
            case EBADF -> "bad descriptor (EBADF)";
            case 12 -> "out of memory (ENOMEM)";
            case EACCES -> "no permission (EACCES)";
            case EFAULT -> "bad address (EFAULT)";
            case 16 -> "in use (EBUSY)";
            case 17 -> "exists already (EEXIST)";
            case 19 -> "no such device (ENODEV)";
            case EINVAL -> "refused (EINVAL)";
            case 24 -> "too many open files (EMFILE)";
            case 25 -> "not known to this kernel (ENOTTY)";
            default -> "error " + errno;
        };
    }

    private static AssertionError unexpected(Throwable e) {
        if (e instanceof Error error) {
            throw error;
        }
        return new AssertionError(e);
    }
}
