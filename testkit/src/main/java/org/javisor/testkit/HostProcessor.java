package org.javisor.testkit;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Optional;

/**
 * Runs unprivileged instructions on the host's own processor, to compare with: all general
 * registers (RSP too), the flags and, if wanted, the x87, MMX and SSE registers and the bases of FS
 * and GS are loaded before and stored after them. Linux on x86-64 only.
 *
 * <p>Everything lies at fixed addresses below 2 GiB, in one mapping: so the stubs need no register
 * to find the state, a guest can have the same addresses as its physical ones, and 32-bit code can
 * run too. Exceptions that Linux turns into signals are caught, with the registers as they were.
 * Instructions must neither leave TF or AC set nor write outside the operand memory. Not
 * thread-safe; at most one is open at a time.
 */
public final class HostProcessor implements AutoCloseable {
    /** Bytes of memory for operands. */
    public static final int DATA_SIZE = 0x20000;

    /** Bytes of memory for code; the first page border in it is at half its size. */
    public static final int CODE_SIZE = 0x1000;

    /** The selectors of Linux's user mode: 64-bit code, 32-bit code, data. */
    public static final int USER_CS = 0x33, USER32_CS = 0x23, USER_DS = 0x2b;

    /** Bytes of the whole mapping, to be found again in a guest that is to have the same. */
    public static final int SIZE = HostStubs.DATA + DATA_SIZE;

    private static final int PAGE_SIZE = 4096;
    private static final int LONGEST_EXIT = 7;

    /**
     * Tried one after the other: a JVM has mappings of its own below 4 GiB, at random addresses.
     */
    private static final long[] BASES = {
        0x0010_0000L, 0x1000_0000L, 0x2000_0000L, 0x4000_0000L, 0x6000_0000L
    };

    private static final int PROT_NONE = 0, PROT_READ = 1, PROT_READ_WRITE_EXECUTE = 7;
    private static final int MAP_PRIVATE_ANONYMOUS_FIXED_NOREPLACE = 0x100022;

    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED;
    private static final ValueLayout.OfByte BYTE = ValueLayout.JAVA_BYTE;

    private final Arena arena = Arena.ofShared();
    private final MemorySegment mapping;
    private final MemorySegment data;
    private final long base;
    private final MethodHandle enter64;
    private final MethodHandle enter32;
    private final MethodHandle unmap;
    private final MethodHandle protect;
    private final HostSignals signals;

    private HostProcessor(long base, Linker linker, MethodHandle unmap) {
        this.base = base;
        this.unmap = unmap;
        // A mapping of our own, at an address nothing else had.
        mapping = MemorySegment.ofAddress(base).reinterpret(SIZE);
        data = mapping.asSlice(HostStubs.DATA, DATA_SIZE);
        MemorySegment signalStack = arena.allocate(HostStubs.SIGNAL_STACK_SIZE, 16);
        new HostStubs(mapping, signalStack.address()).write();
        FunctionDescriptor nothing = FunctionDescriptor.ofVoid();
        enter64 = linker.downcallHandle(mapping.asSlice(HostStubs.ENTRY64), nothing);
        enter32 = linker.downcallHandle(mapping.asSlice(HostStubs.ENTRY32), nothing);
        protect =
                linker.downcallHandle(
                        linker.defaultLookup().findOrThrow("mprotect"),
                        FunctionDescriptor.of(
                                ValueLayout.JAVA_INT, LONG, LONG, ValueLayout.JAVA_INT));
        signals = new HostSignals(linker, mapping);
    }

    /** Whether the host's processor has a feature, named as in Linux's /proc/cpuinfo. */
    public static boolean has(String feature) {
        return HostStubs.hostHas(feature);
    }

    /** Empty where the host is of another kind or the addresses are taken. */
    public static Optional<HostProcessor> open() {
        boolean suitable =
                System.getProperty("os.name").equals("Linux")
                        && System.getProperty("os.arch").equals("amd64");
        if (!suitable) {
            return Optional.empty();
        }
        Linker linker = Linker.nativeLinker();
        var i = ValueLayout.JAVA_INT;
        MethodHandle mmap =
                linker.downcallHandle(
                        linker.defaultLookup().findOrThrow("mmap"),
                        FunctionDescriptor.of(LONG, LONG, LONG, i, i, i, LONG));
        MethodHandle unmap =
                linker.downcallHandle(
                        linker.defaultLookup().findOrThrow("munmap"),
                        FunctionDescriptor.of(i, LONG, LONG));
        for (long base : BASES) {
            if (map(mmap, base) == base) {
                return Optional.of(new HostProcessor(base, linker, unmap));
            }
        }
        return Optional.empty();
    }

    private static long map(MethodHandle mmap, long base) {
        try {
            return (long)
                    mmap.invokeExact(
                            base,
                            (long) SIZE,
                            PROT_READ_WRITE_EXECUTE,
                            MAP_PRIVATE_ANONYMOUS_FIXED_NOREPLACE,
                            -1,
                            0L);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /** Address of the whole mapping, a multiple of 4096. */
    public long baseAddress() {
        return base;
    }

    /** Address of the instructions under test. */
    public long codeAddress() {
        return base + HostStubs.CODE;
    }

    /** Address of the memory for operands. */
    public long dataAddress() {
        return base + HostStubs.DATA;
    }

    /** The operand memory, as the instructions see it. */
    public MemorySegment data() {
        return data;
    }

    /** Makes a page of the operand memory unreachable, or reachable for reading only. */
    public void protectPage(int page, boolean readable) {
        MemorySegment target = data.asSlice((long) page * PAGE_SIZE, PAGE_SIZE);
        // Present from here on, so that a later fault is one of protection.
        target.fill((byte) 0);
        int protection = readable ? PROT_READ : PROT_NONE;
        try {
            int result = (int) protect.invokeExact(target.address(), (long) PAGE_SIZE, protection);
            if (result != 0) {
                throw new IllegalStateException("mprotect failed");
            }
        } catch (RuntimeException e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /**
     * Executes the first {@code length} bytes of {@code code} at {@link #codeAddress}; control has
     * to leave them at their end, without an exception.
     *
     * @param gpr 16 registers in encoding order, changed to what they are afterwards
     * @param flags RFLAGS before
     * @return RFLAGS afterwards
     */
    public long run(byte[] code, int length, long[] gpr, long flags) {
        return runIntegers(code, length, gpr, flags, false);
    }

    /**
     * As {@link #run} in 32-bit code with flat segments; the upper halves of the registers are
     * meaningless.
     */
    public long run32(byte[] code, int length, long[] gpr, long flags) {
        return runIntegers(code, length, gpr, flags, true);
    }

    private long runIntegers(byte[] code, int length, long[] gpr, long flags, boolean as32) {
        place(code, length, 0, as32);
        MemorySegment.copy(gpr, 0, mapping, LONG, HostStubs.GPRS, 16);
        mapping.set(LONG, HostStubs.FLAGS, flags);
        mapping.set(LONG, HostStubs.WHOLE, 0);
        enter(as32);
        if (mapping.get(LONG, HostStubs.SIGNAL) != 0) {
            throw new AssertionError(
                    "Exception "
                            + mapping.get(LONG, HostStubs.TRAP)
                            + " at "
                            + Long.toHexString(mapping.get(LONG, HostStubs.FAULT_RIP)));
        }
        MemorySegment.copy(mapping, LONG, HostStubs.GPRS, gpr, 0, 16);
        return mapping.get(LONG, HostStubs.FLAGS);
    }

    /**
     * Executes code with the whole unprivileged state, which is changed to what it is afterwards;
     * {@link UserState#rip} and the fault's fields too.
     *
     * @param offset where in the code memory to put and begin it
     */
    public void run(byte[] code, int length, int offset, UserState state, boolean as32) {
        place(code, length, offset, as32);
        MemorySegment.copy(state.gpr, 0, mapping, LONG, HostStubs.GPRS, 16);
        mapping.set(LONG, HostStubs.FLAGS, state.flags);
        mapping.set(LONG, HostStubs.FS_BASE, state.fsBase);
        mapping.set(LONG, HostStubs.GS_BASE, state.gsBase);
        mapping.set(LONG, HostStubs.WHOLE, 1);
        MemorySegment.copy(state.fpu, 0, mapping, BYTE, HostStubs.FPU, UserState.FPU_SIZE);
        mapping.set(LONG, HostStubs.FPU + UserState.XSTATE_BV, HostStubs.components());
        enter(as32);
        MemorySegment.copy(mapping, LONG, HostStubs.GPRS, state.gpr, 0, 16);
        MemorySegment.copy(mapping, BYTE, HostStubs.FPU, state.fpu, 0, UserState.FPU_SIZE);
        state.fsBase = mapping.get(LONG, HostStubs.FS_BASE);
        state.gsBase = mapping.get(LONG, HostStubs.GS_BASE);
        boolean fault = mapping.get(LONG, HostStubs.SIGNAL) != 0;
        state.flags = mapping.get(LONG, fault ? HostStubs.FAULT_FLAGS : HostStubs.FLAGS);
        state.rip =
                fault ? mapping.get(LONG, HostStubs.FAULT_RIP) : codeAddress() + offset + length;
        state.vector = fault ? (int) mapping.get(LONG, HostStubs.TRAP) : UserState.NO_FAULT;
        state.errorCode = fault ? mapping.get(LONG, HostStubs.ERROR_CODE) : 0;
        state.faultAddress =
                state.vector == UserState.PAGE_FAULT ? mapping.get(LONG, HostStubs.CR2) : 0;
    }

    private void place(byte[] code, int length, int offset, boolean as32) {
        if (offset + length + LONGEST_EXIT > CODE_SIZE) {
            throw new IllegalArgumentException("Code of " + length + " bytes at " + offset);
        }
        int at = HostStubs.CODE + offset;
        mapping.set(LONG, HostStubs.TARGET, base + at);
        mapping.set(INT, HostStubs.FAR_TARGET, (int) base + at);
        MemorySegment.copy(code, 0, mapping, BYTE, at, length);
        at += length;
        if (as32) {
            // jmp far USER_CS:EXIT
            mapping.set(BYTE, at, (byte) 0xea);
            mapping.set(INT, at + 1, (int) base + HostStubs.EXIT);
            mapping.set(ValueLayout.JAVA_SHORT_UNALIGNED, at + 5, (short) USER_CS);
        } else {
            mapping.set(BYTE, at, (byte) 0xe9);
            mapping.set(INT, at + 1, HostStubs.EXIT - (at + 5));
        }
    }

    private void enter(boolean as32) {
        mapping.set(LONG, HostStubs.SIGNAL, 0);
        try {
            if (as32) {
                enter32.invokeExact();
            } else {
                enter64.invokeExact();
            }
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    @Override
    public void close() {
        signals.restore();
        arena.close();
        try {
            int ignored = (int) unmap.invokeExact(base, (long) SIZE);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }
}
