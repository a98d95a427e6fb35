package org.javisor.testkit;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Optional;
import java.util.Random;
import org.javisor.hypervisor.Hypervisor;
import org.javisor.x86.Instruction;
import org.javisor.x86.Op;

/**
 * Runs the same bytes in the same state on the host's processor and in an engine, and compares all
 * that an unprivileged program can see: registers, flags, x87, MMX and SSE state, memory, and the
 * exception with its error code and address. A case is its code and a seed, from which everything
 * else is made.
 */
public final class Oracle implements AutoCloseable {
    private static final int COMPARED_FLAGS = 0xcd5;
    private static final int SIMD_ERROR = 19;
    private static final int FCW = 0, FSW = 2, FTW = 4, MXCSR = 24, ST = 32, XMM = 160;
    private static final int POINTERS = 6, POINTERS_END = 24;

    private final HostProcessor host;
    private final GuestProcessor guest;
    private final MemorySegment hostWindow;
    private final MemorySegment guestWindow;
    private final MemorySegment pristine;
    private final UserState before = new UserState();
    private final UserState expected = new UserState();
    private final UserState actual = new UserState();
    private long compared;

    private Oracle(HostProcessor host, Hypervisor hypervisor) {
        this.host = host;
        this.guest = new GuestProcessor(hypervisor, host.baseAddress());
        for (int page = RandomState.WRITABLE_PAGES; page < 32; page++) {
            boolean readable = page == RandomState.WRITABLE_PAGES;
            host.protectPage(page, readable);
            guest.protectPage(page, readable);
        }
        hostWindow = host.data().asSlice(0, RandomState.WINDOW);
        guestWindow = guest.data().asSlice(0, RandomState.WINDOW);
        byte[] bytes = new byte[RandomState.WRITABLE_PAGES * RandomState.PAGE];
        new Random(1).nextBytes(bytes);
        pristine = MemorySegment.ofArray(bytes);
    }

    /** Empty where the host's processor cannot be asked. */
    public static Optional<Oracle> open(Hypervisor hypervisor) {
        return HostProcessor.open().map(host -> new Oracle(host, hypervisor));
    }

    /** How many cases have been compared. */
    public long compared() {
        return compared;
    }

    /**
     * Compares one instruction, the first in the code, which must come to the code's end.
     *
     * @return what differs, empty if nothing does
     */
    public String compare(byte[] code, long seed, boolean as32) {
        MemorySegment writable = hostWindow.asSlice(0, pristine.byteSize());
        writable.copyFrom(pristine);
        int offset = (seed & 7) == 0 ? HostProcessor.CODE_SIZE / 2 - 1 - (int) (seed >>> 3 & 3) : 0;
        RandomState random =
                new RandomState(
                        seed,
                        code,
                        host.codeAddress() + offset,
                        host.dataAddress(),
                        hostWindow,
                        before,
                        as32);
        long operand = random.make();
        guestWindow.asSlice(0, pristine.byteSize()).copyFrom(writable);
        byte[] patched = random.code();
        expected.set(before);
        host.run(patched, patched.length, offset, expected, as32);
        actual.set(before);
        guest.run(patched, patched.length, offset, actual, as32);
        compared++;
        Instruction i = RandomState.decode(patched, as32);
        return new Comparison(i, operand, as32).differences();
    }

    /** A case as text, to be read by people: the state before it. */
    public String describe(byte[] code, long seed) {
        StringBuilder text = new StringBuilder(HexFormat.of().formatHex(code) + " seed " + seed);
        for (int n = 0; n < 16; n++) {
            text.append(String.format(" r%d=%x", n, before.gpr[n]));
        }
        text.append(String.format(" flags=%x", before.flags));
        return text.toString();
    }

    @Override
    public void close() {
        guest.close();
        host.close();
    }

    /** The look at one case's outcome. */
    private final class Comparison {
        private final Instruction i;
        private final long operand;
        private final boolean as32;
        private final StringBuilder text = new StringBuilder();

        Comparison(Instruction i, long operand, boolean as32) {
            this.i = i;
            this.operand = operand;
            this.as32 = as32;
        }

        String differences() {
            check("exception", expected.vector, actual.vector);
            check("rip", expected.rip, actual.rip);
            check("error code", expected.errorCode, actual.errorCode);
            // Which byte of a large operand comes first is the implementation's choice.
            boolean exact = i.memorySize <= 16 && !inParts(i.op);
            long part = exact ? -1 : -4096;
            check("cr2", expected.faultAddress & part, actual.faultAddress & part);
            boolean fault = expected.vector != UserState.NO_FAULT;
            int undefined = fault ? 0 : UndefinedResults.flags(i, before);
            int mask = COMPARED_FLAGS & ~undefined;
            check("flags", expected.flags & mask, actual.flags & mask);
            boolean any = !fault && UndefinedResults.destination(i, before);
            for (int n = 0; n < (as32 ? 8 : 16); n++) {
                long width = as32 ? 0xffffffffL : -1;
                if (!any || i.kind0 == Instruction.MEM || n != i.reg0) {
                    check("r" + n, expected.gpr[n] & width, actual.gpr[n] & width);
                }
            }
            check("fs base", expected.fsBase, actual.fsBase);
            check("gs base", expected.gsBase, actual.gsBase);
            checkFpu();
            if (!any) {
                checkMemory();
            }
            return text.toString();
        }

        private static boolean inParts(Op op) {
            return op == Op.MASKMOVDQU || op == Op.MASKMOVQ || op == Op.FNSTENV || op == Op.FLDENV;
        }

        private void check(String what, long expectedValue, long actualValue) {
            if (expectedValue != actualValue) {
                text.append(String.format(" %s %x not %x", what, expectedValue, actualValue));
            }
        }

        private void checkFpu() {
            boolean approximate = UndefinedResults.approximate(i.op);
            if (Arrays.equals(expected.fpu, POINTERS_END, 416, actual.fpu, POINTERS_END, 416)
                    && Arrays.equals(expected.fpu, 0, POINTERS, actual.fpu, 0, POINTERS)) {
                return;
            }
            ByteBuffer e = ByteBuffer.wrap(expected.fpu).order(ByteOrder.LITTLE_ENDIAN);
            ByteBuffer a = ByteBuffer.wrap(actual.fpu).order(ByteOrder.LITTLE_ENDIAN);
            if (expected.vector == SIMD_ERROR && convertsToMmx(i.op)) {
                return;
            }
            check("fcw", e.getShort(FCW), a.getShort(FCW));
            boolean x87 = i.op.compareTo(Op.FLD) >= 0 && i.op.compareTo(Op.FNOP) <= 0;
            int undefined = x87 ? UndefinedResults.status(i.op) : 0;
            undefined |= approximate ? 0x220 : 0;
            check(
                    "fsw",
                    e.getShort(FSW) & 0xffff & ~undefined,
                    a.getShort(FSW) & 0xffff & ~undefined);
            check("ftw", e.get(FTW), a.get(FTW));
            check("mxcsr", e.getInt(MXCSR), a.getInt(MXCSR));
            for (int n = 0; n < 8; n++) {
                long low = e.getLong(ST + 16 * n) - a.getLong(ST + 16 * n);
                boolean close = approximate && Math.abs(low) <= 2;
                if (!close) {
                    check("st" + n, e.getLong(ST + 16 * n), a.getLong(ST + 16 * n));
                    check("st" + n + "e", e.getShort(ST + 8 + 16 * n), a.getShort(ST + 8 + 16 * n));
                }
            }
            for (int n = 0; n < 64; n++) {
                int at = XMM + 4 * n;
                if (!approximate || !close(e.getFloat(at), a.getFloat(at))) {
                    check("xmm" + n / 4 + "." + n % 4, e.getInt(at), a.getInt(at));
                }
            }
        }

        /**
         * Whether the unit has already gone over to MMX when such an instruction faults is open.
         */
        private static boolean convertsToMmx(Op op) {
            return switch (op) {
                case CVTPI2PS, CVTPI2PD, CVTPS2PI, CVTTPS2PI, CVTPD2PI, CVTTPD2PI -> true;
                default -> false;
            };
        }

        /** RCPSS and RSQRTSS promise a relative error of 1.5 * 2^-12 (Intel SDM vol. 2B). */
        private static boolean close(float e, float a) {
            boolean tiny = Math.abs(e) <= 1.2e-38f && Math.abs(a) <= 1.2e-38f;
            return tiny || Math.abs(a / e - 1) <= 3.01 / 4096;
        }

        private void checkMemory() {
            long at = hostWindow.mismatch(guestWindow);
            while (at >= 0) {
                if (!undefinedMemory(at - operand)) {
                    check(
                            "[" + Long.toHexString(at) + "]",
                            hostWindow.get(ValueLayout.JAVA_BYTE, at),
                            guestWindow.get(ValueLayout.JAVA_BYTE, at));
                    if (text.length() > 300) {
                        return;
                    }
                }
                guestWindow.set(
                        ValueLayout.JAVA_BYTE, at, hostWindow.get(ValueLayout.JAVA_BYTE, at));
                at = hostWindow.mismatch(guestWindow);
            }
        }

        /**
         * The last-instruction pointers: AMD's processors save them only while an exception is
         * pending (AMD APM vol. 2, 11.4.4.3).
         */
        private boolean undefinedMemory(long offset) {
            return switch (i.op) {
                case FXSAVE, XSAVE, XSAVEC ->
                        offset >= POINTERS && offset < POINTERS_END || offset >= 28 && offset < 32;
                case FNSAVE, FNSTENV -> {
                    boolean narrow = i.memorySize == 14 || i.memorySize == 94;
                    yield narrow ? offset >= 6 && offset < 14 : offset >= 12 && offset < 28;
                }
                default -> false;
            };
        }
    }
}
