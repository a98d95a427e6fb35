package org.javisor.memory;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/**
 * A 16-byte compare-and-exchange in one host instruction, which the JDK does not offer. Only where
 * {@link #available()}; elsewhere the caller has to serialise such accesses itself.
 *
 * <p>Safe because the emitted code touches nothing but the operand, which the caller vouches for as
 * with {@link RawMemory}, and this object's own buffer. Not thread-safe: one object for each
 * thread.
 */
public final class Atomic128 {
    private final MemorySegment found = Arena.ofAuto().allocate(16, 16);

    /**
     * Whether the host is one that this class emits code for: x86-64 Linux that allows executable
     * mappings.
     */
    public static boolean available() {
        return Code.COMPARE_AND_EXCHANGE != null;
    }

    /**
     * Atomically replaces the 16 bytes at an address that is a multiple of 16, if they are the
     * expected ones.
     *
     * @return whether they were; {@link #low} and {@link #high} are what was found
     */
    public boolean compareAndExchange(
            long address, long expectedLow, long expectedHigh, long newLow, long newHigh) {
        try {
            return (int)
                            Code.COMPARE_AND_EXCHANGE.invokeExact(
                                    address,
                                    expectedLow,
                                    expectedHigh,
                                    newLow,
                                    newHigh,
                                    found.address())
                    != 0;
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    public long low() {
        return found.get(ValueLayout.JAVA_LONG, 0);
    }

    public long high() {
        return found.get(ValueLayout.JAVA_LONG, 8);
    }

    /** Emitted on first use. */
    private static final class Code {
        /** Arguments in RDI, RSI, RDX, RCX, R8, R9, as the System V ABI has it. */
        private static final byte[] BYTES = {
            0x53, // push rbx
            0x48,
            (byte) 0x89,
            (byte) 0xcb, // mov rbx, rcx
            0x4c,
            (byte) 0x89,
            (byte) 0xc1, // mov rcx, r8
            0x48,
            (byte) 0x89,
            (byte) 0xf0, // mov rax, rsi
            (byte) 0xf0,
            0x48,
            0x0f,
            (byte) 0xc7,
            0x0f, // lock cmpxchg16b [rdi]
            0x49,
            (byte) 0x89,
            0x01, // mov [r9], rax
            0x49,
            (byte) 0x89,
            0x51,
            0x08, // mov [r9+8], rdx
            0x0f,
            (byte) 0x94,
            (byte) 0xc0, // sete al
            0x0f,
            (byte) 0xb6,
            (byte) 0xc0, // movzx eax, al
            0x5b, // pop rbx
            (byte) 0xc3 // ret
        };

        static final MethodHandle COMPARE_AND_EXCHANGE = link();

        private static MethodHandle link() {
            if (!System.getProperty("os.arch").equals("amd64") || !LinuxMmap.available()) {
                return null;
            }
            long code = LinuxMmap.mapCode(BYTES);
            if (code == 0) {
                return null;
            }
            ValueLayout word = ValueLayout.JAVA_LONG;
            return Linker.nativeLinker()
                    .downcallHandle(
                            MemorySegment.ofAddress(code),
                            FunctionDescriptor.of(
                                    ValueLayout.JAVA_INT, word, word, word, word, word, word));
        }
    }
}
