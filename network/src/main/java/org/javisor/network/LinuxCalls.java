package org.javisor.network;

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
 * The few calls of Linux's C library that a TAP interface needs. Safe because every pointer that is
 * passed comes from an arena or a direct buffer that its caller holds during the call, with its
 * length. Not loaded elsewhere than on Linux.
 */
final class LinuxCalls {
    static final int O_RDWR_CLOEXEC = 2 | 02000000;
    static final int EPERM = 1;
    static final int ENOENT = 2;
    static final int EINTR = 4;
    static final int EIO = 5;
    static final int EAGAIN = 11;
    static final int EACCES = 13;
    static final int EBUSY = 16;
    static final int EINVAL = 22;
    static final short POLLIN = 1;

    private static final Linker LINKER = Linker.nativeLinker();
    private static final StructLayout STATE = Linker.Option.captureStateLayout();
    private static final VarHandle ERRNO =
            STATE.varHandle(MemoryLayout.PathElement.groupElement("errno"));
    private static final Linker.Option CAPTURE = Linker.Option.captureCallState("errno");

    private static final MethodHandle OPEN =
            call(
                    "open",
                    FunctionDescriptor.of(
                            ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_INT),
                    CAPTURE,
                    Linker.Option.firstVariadicArg(2));
    private static final MethodHandle IOCTL =
            call(
                    "ioctl",
                    FunctionDescriptor.of(
                            ValueLayout.JAVA_INT,
                            ValueLayout.JAVA_INT,
                            ValueLayout.JAVA_LONG,
                            ValueLayout.JAVA_LONG),
                    CAPTURE,
                    Linker.Option.firstVariadicArg(2));
    private static final MethodHandle READ =
            call(
                    "read",
                    FunctionDescriptor.of(
                            ValueLayout.JAVA_LONG,
                            ValueLayout.JAVA_INT,
                            ValueLayout.JAVA_LONG,
                            ValueLayout.JAVA_LONG),
                    CAPTURE);
    private static final MethodHandle WRITE =
            call(
                    "write",
                    FunctionDescriptor.of(
                            ValueLayout.JAVA_LONG,
                            ValueLayout.JAVA_INT,
                            ValueLayout.JAVA_LONG,
                            ValueLayout.JAVA_LONG),
                    CAPTURE);
    private static final MethodHandle POLL =
            call(
                    "poll",
                    FunctionDescriptor.of(
                            ValueLayout.JAVA_INT,
                            ValueLayout.JAVA_LONG,
                            ValueLayout.JAVA_LONG,
                            ValueLayout.JAVA_INT),
                    CAPTURE);
    private static final MethodHandle EVENTFD =
            call(
                    "eventfd",
                    FunctionDescriptor.of(
                            ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT),
                    CAPTURE);
    private static final MethodHandle CLOSE =
            call(
                    "close",
                    FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT),
                    CAPTURE);
    private static final MethodHandle STRERROR =
            call("strerror", FunctionDescriptor.of(ValueLayout.ADDRESS, ValueLayout.JAVA_INT));

    private LinuxCalls() {}

    private static MethodHandle call(
            String name, FunctionDescriptor descriptor, Linker.Option... options) {
        return LINKER.downcallHandle(LINKER.defaultLookup().findOrThrow(name), descriptor, options);
    }

    /** Where a thread's calls leave the reason of their failure; one for each thread. */
    static final class Errno {
        private final MemorySegment state = Arena.ofAuto().allocate(STATE);

        int value() {
            return (int) ERRNO.get(state, 0L);
        }

        String text() {
            try {
                MemorySegment text = (MemorySegment) STRERROR.invokeExact(value());
                return text.reinterpret(256).getString(0);
            } catch (Throwable e) {
                throw new AssertionError(e);
            }
        }
    }

    static int open(Errno errno, MemorySegment path, int flags) {
        try {
            return (int) OPEN.invokeExact(errno.state, path, flags);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    static int ioctl(Errno errno, int fd, long request, long argument) {
        try {
            return (int) IOCTL.invokeExact(errno.state, fd, request, argument);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    static long read(Errno errno, int fd, long address, long length) {
        try {
            return (long) READ.invokeExact(errno.state, fd, address, length);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    static long write(Errno errno, int fd, long address, long length) {
        try {
            return (long) WRITE.invokeExact(errno.state, fd, address, length);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    static int poll(Errno errno, long set, long count, int milliseconds) {
        try {
            return (int) POLL.invokeExact(errno.state, set, count, milliseconds);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    static int eventfd(Errno errno) {
        try {
            int nonBlockingCloseOnExec = 04000 | 02000000;
            return (int) EVENTFD.invokeExact(errno.state, 0, nonBlockingCloseOnExec);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    static void close(Errno errno, int fd) {
        try {
            int result = (int) CLOSE.invokeExact(errno.state, fd);
            if (result < 0 && errno.value() == EIO) {
                // The descriptor is gone all the same.
                return;
            }
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }
}
