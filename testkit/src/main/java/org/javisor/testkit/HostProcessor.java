package org.javisor.testkit;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Optional;

/**
 * Runs unprivileged instructions on the host's own processor, to compare with: all general
 * registers (RSP too) and the flags are loaded before and stored after them. Linux on x86-64 only.
 *
 * <p>Everything lies at fixed addresses below 2 GiB, in one mapping: so the stubs need no register
 * to find the state, a guest can have the same addresses as its physical ones, and 32-bit code can
 * run too. Instructions must not fault and must not leave the flags TF or AC set; nothing catches
 * them. Not thread-safe; at most one is open at a time.
 */
public final class HostProcessor implements AutoCloseable {
    /** Bytes of memory for operands. */
    public static final long DATA_SIZE = 0x20000;

    /** The selectors of Linux's user mode: 64-bit code, 32-bit code, data. */
    public static final int USER_CS = 0x33, USER32_CS = 0x23, USER_DS = 0x2b;

    private static final int GPRS = 0, FLAGS = 128, HOST_RSP = 136, FAR_TARGET = 144;
    private static final int ENTRY = 0x1000, CODE = 0x1800, EXIT = 0x2800, DATA = 0x10000;
    private static final long SIZE = DATA + DATA_SIZE;

    /**
     * Tried one after the other: a JVM has mappings of its own below 4 GiB, at random addresses.
     */
    private static final long[] BASES = {
        0x0010_0000L, 0x1000_0000L, 0x2000_0000L, 0x4000_0000L, 0x6000_0000L
    };

    private static final int LONGEST_CODE = 0x800;

    private static final int PROT_READ_WRITE_EXECUTE = 7;
    private static final int MAP_PRIVATE_ANONYMOUS_FIXED_NOREPLACE = 0x100022;

    private final MemorySegment mapping;
    private final long base;
    private final MethodHandle enter64;
    private final MethodHandle enter32;
    private final MethodHandle unmap;

    private HostProcessor(MemorySegment mapping, Linker linker, MethodHandle unmap) {
        this.mapping = mapping;
        this.unmap = unmap;
        FunctionDescriptor nothing = FunctionDescriptor.ofVoid();
        base = mapping.address();
        int entry32 = writeEntry(ENTRY, false);
        writeEntry(entry32, true);
        writeExit();
        enter64 = linker.downcallHandle(MemorySegment.ofAddress(base + ENTRY), nothing);
        enter32 = linker.downcallHandle(MemorySegment.ofAddress(base + entry32), nothing);
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
        var l = ValueLayout.JAVA_LONG;
        var i = ValueLayout.JAVA_INT;
        MethodHandle mmap =
                linker.downcallHandle(
                        linker.defaultLookup().findOrThrow("mmap"),
                        FunctionDescriptor.of(l, l, l, i, i, i, l));
        MethodHandle unmap =
                linker.downcallHandle(
                        linker.defaultLookup().findOrThrow("munmap"),
                        FunctionDescriptor.of(i, l, l));
        for (long base : BASES) {
            if (map(mmap, base) == base) {
                // A mapping of our own, at an address nothing else had.
                MemorySegment mapping = MemorySegment.ofAddress(base).reinterpret(SIZE);
                return Optional.of(new HostProcessor(mapping, linker, unmap));
            }
        }
        return Optional.empty();
    }

    private static long map(MethodHandle mmap, long base) {
        try {
            return (long)
                    mmap.invokeExact(
                            base,
                            SIZE,
                            PROT_READ_WRITE_EXECUTE,
                            MAP_PRIVATE_ANONYMOUS_FIXED_NOREPLACE,
                            -1,
                            0L);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /** Address of the instructions under test. */
    public long codeAddress() {
        return base + CODE;
    }

    /** Address of the memory for operands. */
    public long dataAddress() {
        return base + DATA;
    }

    /** The operand memory, as the instructions see it. */
    public MemorySegment data() {
        return mapping.asSlice(DATA, DATA_SIZE);
    }

    /**
     * Executes the first {@code length} bytes of {@code code} at {@link #codeAddress}; control has
     * to leave them at their end.
     *
     * @param gpr 16 registers in encoding order, changed to what they are afterwards
     * @param flags RFLAGS before
     * @return RFLAGS afterwards
     */
    public long run(byte[] code, int length, long[] gpr, long flags) {
        return run(code, length, gpr, flags, enter64, null);
    }

    /**
     * As {@link #run} in 32-bit code with flat segments; the upper halves of the registers are
     * meaningless.
     */
    public long run32(byte[] code, int length, long[] gpr, long flags) {
        // jmp far USER_CS:EXIT
        int exit = (int) base + EXIT;
        byte[] leave = {
            (byte) 0xea,
            (byte) exit,
            (byte) (exit >> 8),
            (byte) (exit >> 16),
            (byte) (exit >> 24),
            USER_CS,
            0
        };
        return run(code, length, gpr, flags, enter32, leave);
    }

    private long run(
            byte[] code, int length, long[] gpr, long flags, MethodHandle entry, byte[] leave) {
        if (length > LONGEST_CODE) {
            throw new IllegalArgumentException("Code of " + length + " bytes");
        }
        var l = ValueLayout.JAVA_LONG;
        int at = CODE;
        MemorySegment.copy(code, 0, mapping, ValueLayout.JAVA_BYTE, at, length);
        if (leave == null) {
            mapping.set(ValueLayout.JAVA_BYTE, at + length, (byte) 0xe9);
            mapping.set(
                    ValueLayout.JAVA_INT_UNALIGNED, at + length + 1, EXIT - (CODE + length + 5));
        } else {
            MemorySegment.copy(leave, 0, mapping, ValueLayout.JAVA_BYTE, at + length, leave.length);
        }
        MemorySegment.copy(gpr, 0, mapping, l, GPRS, 16);
        mapping.set(l, FLAGS, flags);
        try {
            entry.invokeExact();
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
        MemorySegment.copy(mapping, l, GPRS, gpr, 0, 16);
        return mapping.get(l, FLAGS);
    }

    // The stubs. Callee-saved registers as in the System V ABI.

    private int writeEntry(int at, boolean to32) {
        at =
                put(
                        at, 0x53, 0x55, 0x41, 0x54, 0x41, 0x55, 0x41, 0x56, 0x41,
                        0x57); // push rbx, rbp, r12-r15
        at = absolute(at, HOST_RSP, 0x48, 0x89, 0x24); // mov [HOST_RSP], rsp
        if (to32) {
            at =
                    put(
                            at, 0xb8, USER_DS, 0, 0, 0, 0x8e, 0xd8, 0x8e,
                            0xc0); // mov eax, USER_DS; mov ds, ax; mov es, ax
            mapping.set(ValueLayout.JAVA_INT, FAR_TARGET, (int) base + CODE);
            mapping.set(ValueLayout.JAVA_INT, FAR_TARGET + 4, USER32_CS);
        }
        at = absolute(at, FLAGS, 0xff, 0x34); // push qword [FLAGS]
        at = put(at, 0x9d); // popfq
        for (int r = 0; r < 16; r++) {
            at =
                    absolute(
                            at,
                            GPRS + 8 * r,
                            0x48 | r >> 3 << 2,
                            0x8b,
                            4 | (r & 7) << 3); // mov r, [GPRS + 8r]
        }
        if (to32) {
            return absolute(at, FAR_TARGET, 0xff, 0x2c); // jmp far [FAR_TARGET]
        }
        at = put(at, 0xe9); // jmp CODE
        mapping.set(ValueLayout.JAVA_INT_UNALIGNED, at, CODE - (at + 4));
        return at + 4;
    }

    private void writeExit() {
        int at = EXIT;
        for (int r = 0; r < 16; r++) {
            at =
                    absolute(
                            at,
                            GPRS + 8 * r,
                            0x48 | r >> 3 << 2,
                            0x89,
                            4 | (r & 7) << 3); // mov [GPRS + 8r], r
        }
        at = absolute(at, HOST_RSP, 0x48, 0x8b, 0x24); // mov rsp, [HOST_RSP]
        at = put(at, 0x9c); // pushfq
        at = absolute(at, FLAGS, 0x8f, 0x04); // pop qword [FLAGS]
        at = put(at, 0x31, 0xc0, 0x8e, 0xd8, 0x8e, 0xc0); // xor eax, eax; mov ds, ax; mov es, ax
        at = put(at, 0xfc); // cld
        put(
                at, 0x41, 0x5f, 0x41, 0x5e, 0x41, 0x5d, 0x41, 0x5c, 0x5d, 0x5b,
                0xc3); // pop r15-r12, rbp, rbx; ret
    }

    /** An instruction with a ModRM byte whose memory operand is an absolute address. */
    private int absolute(int at, int offset, int... bytes) {
        at = put(at, bytes);
        at = put(at, 0x25); // SIB: neither base nor index
        mapping.set(ValueLayout.JAVA_INT_UNALIGNED, at, (int) base + offset);
        return at + 4;
    }

    private int put(int at, int... bytes) {
        for (int b : bytes) {
            mapping.set(ValueLayout.JAVA_BYTE, at++, (byte) b);
        }
        return at;
    }

    @Override
    public void close() {
        try {
            int ignored = (int) unmap.invokeExact(base, SIZE);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }
}
