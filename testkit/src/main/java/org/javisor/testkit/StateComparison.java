package org.javisor.testkit;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/** The look at how a case ended on the host and in the guest. */
final class StateComparison {
    private static final int COMPARED_FLAGS = 0xcd5;
    private static final int LONGEST_TEXT = 300;

    // In the FXSAVE area
    private static final int FCW = 0, FSW = 2, FTW = 4, MXCSR = 24, ST = 32, XMM = 160;
    private static final int POINTERS = 6, POINTERS_END = 24, END = 416, YMM = UserState.YMM;

    private final UserState expected;
    private final UserState actual;
    private final UndefinedResults undefined;
    private final boolean as32;
    private final StringBuilder text = new StringBuilder();

    StateComparison(
            UserState expected, UserState actual, UndefinedResults undefined, boolean as32) {
        this.expected = expected;
        this.actual = actual;
        this.undefined = undefined;
        this.as32 = as32;
    }

    /**
     * What differs, empty if nothing does.
     *
     * @param operand where the memory operand lies in the memories
     */
    String of(MemorySegment expectedMemory, MemorySegment actualMemory, long operand) {
        check("exception", expected.vector, actual.vector);
        check("rip", expected.rip, actual.rip);
        if (undefined.faultAddress() && expected.vector == UserState.PAGE_FAULT) {
            check("error code", expected.errorCode | 1, actual.errorCode | 1);
        } else {
            check("error code", expected.errorCode, actual.errorCode);
            check("cr2", expected.faultAddress, actual.faultAddress);
        }
        int mask = COMPARED_FLAGS & ~undefined.flags();
        check("flags", expected.flags & mask, actual.flags & mask);
        for (int n = 0; n < (as32 ? 8 : 16); n++) {
            long width = as32 ? 0xffffffffL : -1;
            if (n != undefined.register()) {
                check("r" + n, expected.gpr[n] & width, actual.gpr[n] & width);
            }
        }
        check("fs base", expected.fsBase, actual.fsBase);
        check("gs base", expected.gsBase, actual.gsBase);
        boolean same =
                Arrays.equals(
                                expected.fpu,
                                YMM,
                                expected.fpu.length,
                                actual.fpu,
                                YMM,
                                actual.fpu.length)
                        && Arrays.equals(
                                expected.fpu, POINTERS_END, END, actual.fpu, POINTERS_END, END)
                        && Arrays.equals(expected.fpu, 0, POINTERS, actual.fpu, 0, POINTERS);
        if (!same && !undefined.fpu()) {
            checkFpu();
        }
        checkMemory(expectedMemory, actualMemory, operand);
        return text.toString();
    }

    private void check(String what, long expectedValue, long actualValue) {
        if (expectedValue != actualValue) {
            text.append(String.format(" %s %x not %x", what, expectedValue, actualValue));
        }
    }

    private void checkFpu() {
        ByteBuffer e = ByteBuffer.wrap(expected.fpu).order(ByteOrder.LITTLE_ENDIAN);
        ByteBuffer a = ByteBuffer.wrap(actual.fpu).order(ByteOrder.LITTLE_ENDIAN);
        check("fcw", e.getShort(FCW) & 0xffff, a.getShort(FCW) & 0xffff);
        int mask = 0xffff & ~undefined.status();
        check("fsw", e.getShort(FSW) & mask, a.getShort(FSW) & mask);
        check("ftw", e.get(FTW) & 0xff, a.get(FTW) & 0xff);
        check("mxcsr", e.getInt(MXCSR), a.getInt(MXCSR));
        for (int n = 0; n < 8; n++) {
            int at = ST + 16 * n;
            long distance = e.getLong(at) - a.getLong(at);
            if (!undefined.approximate() || Math.abs(distance) > 2) {
                check("st" + n, e.getLong(at), a.getLong(at));
            }
            check("st" + n + " exponent", e.getShort(at + 8) & 0xffff, a.getShort(at + 8) & 0xffff);
        }
        checkVectors("xmm", XMM, e, a);
        checkVectors("ymm high ", YMM, e, a);
    }

    private void checkVectors(String name, int offset, ByteBuffer e, ByteBuffer a) {
        for (int n = 0; n < 64; n++) {
            int at = offset + 4 * n;
            if (!undefined.approximate() || !close(e.getFloat(at), a.getFloat(at))) {
                check(name + n / 4 + "." + n % 4, e.getInt(at), a.getInt(at));
            }
        }
    }

    /** RCPSS and RSQRTSS promise a relative error of 1.5 * 2^-12 (Intel SDM vol. 2B). */
    private static boolean close(float e, float a) {
        boolean tiny = Math.abs(e) <= 1.2e-38f && Math.abs(a) <= 1.2e-38f;
        return tiny || Math.abs(a / e - 1) <= 3.01 / 4096;
    }

    private void checkMemory(MemorySegment e, MemorySegment a, long operand) {
        long at = e.mismatch(a);
        while (at >= 0 && text.length() < LONGEST_TEXT) {
            byte expectedByte = e.get(ValueLayout.JAVA_BYTE, at);
            long offset = at - operand;
            boolean means = offset < 0 || offset > 63 || (undefined.memory() >>> offset & 1) == 0;
            if (means) {
                byte actualByte = a.get(ValueLayout.JAVA_BYTE, at);
                check("[" + Long.toHexString(at) + "]", expectedByte & 0xff, actualByte & 0xff);
            }
            a.set(ValueLayout.JAVA_BYTE, at, expectedByte);
            at = e.mismatch(a);
        }
    }
}
