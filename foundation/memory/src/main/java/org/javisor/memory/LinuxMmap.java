package org.javisor.memory;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/**
 * mmap(2), munmap(2) and their relatives, which exist here as Linux spells them (flag values of
 * x86-64 and AArch64 Linux).
 */
final class LinuxMmap {
    private static final int PROT_READ = 1;
    private static final int PROT_WRITE = 2;
    private static final int PROT_EXEC = 4;
    private static final int MAP_SHARED = 0x01;
    private static final int MAP_PRIVATE = 0x02;
    private static final int MAP_ANONYMOUS = 0x20;
    private static final int MAP_32BIT = 0x40;
    private static final int MAP_NORESERVE = 0x4000;
    private static final int MREMAP_MAYMOVE = 1;
    private static final int MADV_DONTNEED = 4;
    private static final int MADV_HUGEPAGE = 14;

    private LinuxMmap() {}

    static boolean available() {
        return System.getProperty("os.name").equals("Linux") && Calls.MMAP != null;
    }

    static long reserve(long size) {
        try {
            // Anonymous and at an address of the kernel's choice: cannot overlay anything the JVM
            // uses.
            long address =
                    (long)
                            Calls.MMAP.invokeExact(
                                    0L,
                                    size,
                                    PROT_READ | PROT_WRITE,
                                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                                    -1,
                                    0L);
            if (address == -1L) {
                throw new OutOfHostMemoryException(size, null);
            }
            // Fewer host page faults while the guest spreads out; a refusal costs nothing.
            int ignored = (int) Calls.MADVISE.invokeExact(address, size, MADV_HUGEPAGE);
            return address;
        } catch (RuntimeException e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /**
     * Maps bytes as code, for the life of the process: written first, then made executable, never
     * both at once.
     *
     * @return its address, or 0 if the host forbids it
     */
    static long mapCode(byte[] code) {
        long size = (code.length + 4095L) & -4096L;
        long address = reserve(size);
        RawMemory.copyFromArray(code, 0, address, code.length);
        try {
            int result = (int) Calls.MPROTECT.invokeExact(address, size, PROT_READ | PROT_EXEC);
            if (result == 0) {
                return address;
            }
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
        release(address, size);
        return 0;
    }

    /** Lets go of a range's pages: an anonymous private mapping reads as zeros afterwards. */
    static boolean discard(long address, long length) {
        try {
            return (int) Calls.MADVISE.invokeExact(address, length, MADV_DONTNEED) == 0;
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /**
     * Maps the same memory twice: once to be written, once to be executed, if possible in the
     * lowest 2 GiB.
     *
     * @return the two addresses, or an empty array if the host forbids it
     */
    static long[] mapTwice(long size) {
        try (Arena arena = Arena.ofConfined()) {
            int file = (int) Calls.MEMFD_CREATE.invokeExact(arena.allocateFrom("javisor-code"), 1);
            if (file < 0) {
                return new long[0];
            }
            try {
                if ((int) Calls.FTRUNCATE.invokeExact(file, size) != 0) {
                    return new long[0];
                }
                long written = mapShared(file, size, PROT_READ | PROT_WRITE, 0);
                long executed = mapShared(file, size, PROT_READ | PROT_EXEC, MAP_32BIT);
                if (executed == -1) {
                    executed = mapShared(file, size, PROT_READ | PROT_EXEC, 0);
                }
                if (written != -1 && executed != -1) {
                    return new long[] {written, executed};
                }
                if (written != -1) {
                    release(written, size);
                }
                return new long[0];
            } finally {
                int ignored = (int) Calls.CLOSE.invokeExact(file);
            }
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /**
     * The same with memory of no file: mremap(2) with an old size of 0 maps shared memory again.
     *
     * @return the two addresses, or an empty array if the host forbids it
     */
    static long[] mapAnonymousTwice(long size) {
        try {
            long executed = mapSharedAnonymous(size, MAP_32BIT);
            if (executed == -1) {
                executed = mapSharedAnonymous(size, 0);
            }
            if (executed == -1) {
                return new long[0];
            }
            long written = (long) Calls.MREMAP.invokeExact(executed, 0L, size, MREMAP_MAYMOVE);
            if (written == -1) {
                release(executed, size);
                return new long[0];
            }
            if ((int) Calls.MPROTECT.invokeExact(executed, size, PROT_READ | PROT_EXEC) != 0) {
                release(executed, size);
                release(written, size);
                return new long[0];
            }
            return new long[] {written, executed};
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    private static long mapSharedAnonymous(long size, int flags) throws Throwable {
        return (long)
                Calls.MMAP.invokeExact(
                        0L,
                        size,
                        PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE | flags,
                        -1,
                        0L);
    }

    private static long mapShared(int file, long size, int protection, int flags) throws Throwable {
        return (long) Calls.MMAP.invokeExact(0L, size, protection, MAP_SHARED | flags, file, 0L);
    }

    static void release(long address, long size) {
        try {
            int ignored = (int) Calls.MUNMAP.invokeExact(address, size);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /** Linked on first use. */
    private static final class Calls {
        static final MethodHandle MMAP =
                call(
                        "mmap",
                        FunctionDescriptor.of(
                                ValueLayout.JAVA_LONG,
                                ValueLayout.JAVA_LONG,
                                ValueLayout.JAVA_LONG,
                                ValueLayout.JAVA_INT,
                                ValueLayout.JAVA_INT,
                                ValueLayout.JAVA_INT,
                                ValueLayout.JAVA_LONG));
        static final MethodHandle MUNMAP =
                call(
                        "munmap",
                        FunctionDescriptor.of(
                                ValueLayout.JAVA_INT,
                                ValueLayout.JAVA_LONG,
                                ValueLayout.JAVA_LONG));
        static final MethodHandle MPROTECT =
                call(
                        "mprotect",
                        FunctionDescriptor.of(
                                ValueLayout.JAVA_INT,
                                ValueLayout.JAVA_LONG,
                                ValueLayout.JAVA_LONG,
                                ValueLayout.JAVA_INT));
        static final MethodHandle MREMAP =
                call(
                        "mremap",
                        FunctionDescriptor.of(
                                ValueLayout.JAVA_LONG,
                                ValueLayout.JAVA_LONG,
                                ValueLayout.JAVA_LONG,
                                ValueLayout.JAVA_LONG,
                                ValueLayout.JAVA_INT));
        static final MethodHandle MEMFD_CREATE =
                call(
                        "memfd_create",
                        FunctionDescriptor.of(
                                ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_INT));
        static final MethodHandle FTRUNCATE =
                call(
                        "ftruncate",
                        FunctionDescriptor.of(
                                ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG));
        static final MethodHandle CLOSE =
                call("close", FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));
        static final MethodHandle MADVISE =
                call(
                        "madvise",
                        FunctionDescriptor.of(
                                ValueLayout.JAVA_INT,
                                ValueLayout.JAVA_LONG,
                                ValueLayout.JAVA_LONG,
                                ValueLayout.JAVA_INT));

        private static MethodHandle call(String name, FunctionDescriptor descriptor) {
            Linker linker = Linker.nativeLinker();
            MemorySegment symbol = linker.defaultLookup().find(name).orElse(null);
            return symbol == null ? null : linker.downcallHandle(symbol, descriptor);
        }
    }
}
