package org.javisor.interpreter;

import static org.javisor.interpreter.SimdForms.set;
import static org.javisor.interpreter.SimdForms.setLow32;
import static org.javisor.interpreter.SimdForms.source64;
import static org.javisor.x86.Instruction.GPR;
import static org.javisor.x86.Instruction.MEM;
import static org.javisor.x86.Instruction.MMX;
import static org.javisor.x86.Instruction.XMM;

import org.javisor.x86.Instruction;
import org.javisor.x86.Op;
import org.javisor.x86.PackedInteger;

/** Moves to, from and between XMM registers. */
final class SseMoveHandlers {
    private static final long LOW = 0xffffffffL;

    private SseMoveHandlers() {}

    static Handler select(Instruction i) {
        return switch (i.op) {
            case MOVAPS, MOVAPD, MOVDQA, MOVNTPS, MOVNTPD, MOVNTDQ, MOVNTDQA -> whole(i, true);
            case MOVUPS, MOVUPD, MOVDQU, LDDQU -> whole(i, false);
            case MOVSS -> single(i);
            case MOVSD_SSE -> scalarDouble(i);
            case MOVLPS, MOVLPD ->
                    i.kind0 == MEM ? SseMoveHandlers::storeLow : SseMoveHandlers::loadLow;
            case MOVHPS, MOVHPD ->
                    i.kind0 == MEM ? SseMoveHandlers::storeHigh : SseMoveHandlers::loadHigh;
            case MOVHLPS -> SseMoveHandlers::movhlps;
            case MOVLHPS -> SseMoveHandlers::movlhps;
            case MOVD, MOVQ -> generalOrLow(i);
            case MOVDDUP -> SseMoveHandlers::movddup;
            case MOVSLDUP ->
                    SimdForms.binary(
                            i, (x, d, l, h) -> set(x, d, l & LOW | l << 32, h & LOW | h << 32));
            case MOVSHDUP ->
                    SimdForms.binary(
                            i, (x, d, l, h) -> set(x, d, l & ~LOW | l >>> 32, h & ~LOW | h >>> 32));
            case MOVMSKPS -> SseMoveHandlers::movmskps;
            case MOVMSKPD -> SseMoveHandlers::movmskpd;
            case MASKMOVDQU -> SseMoveHandlers::maskmovdqu;
            default -> null;
        };
    }

    // 128 bits

    private static Handler whole(Instruction i, boolean aligned) {
        if (i.kind0 == MEM) {
            return aligned ? SseMoveHandlers::storeWholeAligned : SseMoveHandlers::storeWhole;
        }
        if (i.kind1 == MEM) {
            return aligned ? SseMoveHandlers::loadWholeAligned : SseMoveHandlers::loadWhole;
        }
        return SseMoveHandlers::moveWhole;
    }

    private static void moveWhole(Cpu c, Instruction i) {
        c.requireSse();
        long[] x = c.fpu.xmm;
        set(x, i.reg0 << 1, x[i.reg1 << 1], x[(i.reg1 << 1) + 1]);
    }

    private static void loadWhole(Cpu c, Instruction i) {
        c.requireSse();
        c.load128(i);
        set(c.fpu.xmm, i.reg0 << 1, c.lo, c.hi);
    }

    private static void loadWholeAligned(Cpu c, Instruction i) {
        c.requireSse();
        SimdForms.loadAligned(c, i);
        set(c.fpu.xmm, i.reg0 << 1, c.lo, c.hi);
    }

    private static void storeWhole(Cpu c, Instruction i) {
        c.requireSse();
        long[] x = c.fpu.xmm;
        c.store128(i, x[i.reg1 << 1], x[(i.reg1 << 1) + 1]);
    }

    private static void storeWholeAligned(Cpu c, Instruction i) {
        c.requireSse();
        long[] x = c.fpu.xmm;
        SimdForms.storeAligned(c, i, x[i.reg1 << 1], x[(i.reg1 << 1) + 1]);
    }

    // Scalars: a load clears the rest of the register, a register move keeps it

    private static Handler single(Instruction i) {
        if (i.kind0 == MEM) {
            return (c, j) -> {
                c.requireSse();
                c.store32(j, (int) c.fpu.xmm[j.reg1 << 1]);
            };
        }
        if (i.kind1 == MEM) {
            return (c, j) -> {
                c.requireSse();
                set(c.fpu.xmm, j.reg0 << 1, c.load32(j) & LOW, 0);
            };
        }
        return (c, j) -> {
            c.requireSse();
            long[] x = c.fpu.xmm;
            setLow32(x, j.reg0 << 1, (int) x[j.reg1 << 1]);
        };
    }

    private static Handler scalarDouble(Instruction i) {
        if (i.kind0 == MEM) {
            return SseMoveHandlers::storeLow;
        }
        if (i.kind1 == MEM) {
            return SseMoveHandlers::loadQuadword;
        }
        return (c, j) -> {
            c.requireSse();
            long[] x = c.fpu.xmm;
            x[j.reg0 << 1] = x[j.reg1 << 1];
        };
    }

    private static void loadQuadword(Cpu c, Instruction i) {
        c.requireSse();
        set(c.fpu.xmm, i.reg0 << 1, c.load64(i), 0);
    }

    private static void storeLow(Cpu c, Instruction i) {
        c.requireSse();
        c.store64(i, c.fpu.xmm[i.reg1 << 1]);
    }

    private static void loadLow(Cpu c, Instruction i) {
        c.requireSse();
        c.fpu.xmm[i.reg0 << 1] = c.load64(i);
    }

    private static void storeHigh(Cpu c, Instruction i) {
        c.requireSse();
        c.store64(i, c.fpu.xmm[(i.reg1 << 1) + 1]);
    }

    private static void loadHigh(Cpu c, Instruction i) {
        c.requireSse();
        c.fpu.xmm[(i.reg0 << 1) + 1] = c.load64(i);
    }

    private static void movhlps(Cpu c, Instruction i) {
        c.requireSse();
        long[] x = c.fpu.xmm;
        x[i.reg0 << 1] = x[(i.reg1 << 1) + 1];
    }

    private static void movlhps(Cpu c, Instruction i) {
        c.requireSse();
        long[] x = c.fpu.xmm;
        x[(i.reg0 << 1) + 1] = x[i.reg1 << 1];
    }

    private static void movddup(Cpu c, Instruction i) {
        c.requireSse();
        long value = source64(c, i);
        set(c.fpu.xmm, i.reg0 << 1, value, value);
    }

    // MOVD and MOVQ

    private static Handler generalOrLow(Instruction i) {
        if (i.kind0 == MMX || i.kind1 == MMX) {
            return null;
        }
        boolean wide = i.op == Op.MOVQ;
        if (i.kind0 == XMM) {
            return switch (i.kind1) {
                case GPR ->
                        wide ? SseMoveHandlers::movqFromGeneral : SseMoveHandlers::movdFromGeneral;
                case MEM -> wide ? SseMoveHandlers::loadQuadword : SseMoveHandlers::loadDoubleword;
                default -> SseMoveHandlers::movqRegister;
            };
        }
        if (i.kind0 == GPR) {
            return wide ? SseMoveHandlers::movqToGeneral : SseMoveHandlers::movdToGeneral;
        }
        return wide ? SseMoveHandlers::storeLow : SseMoveHandlers::storeDoubleword;
    }

    private static void movqFromGeneral(Cpu c, Instruction i) {
        c.requireSse();
        set(c.fpu.xmm, i.reg0 << 1, c.gpr[i.reg1], 0);
    }

    private static void movdFromGeneral(Cpu c, Instruction i) {
        c.requireSse();
        set(c.fpu.xmm, i.reg0 << 1, c.gpr[i.reg1] & LOW, 0);
    }

    private static void loadDoubleword(Cpu c, Instruction i) {
        c.requireSse();
        set(c.fpu.xmm, i.reg0 << 1, c.load32(i) & LOW, 0);
    }

    private static void movqRegister(Cpu c, Instruction i) {
        c.requireSse();
        long[] x = c.fpu.xmm;
        set(x, i.reg0 << 1, x[i.reg1 << 1], 0);
    }

    private static void movqToGeneral(Cpu c, Instruction i) {
        c.requireSse();
        c.gpr[i.reg0] = c.fpu.xmm[i.reg1 << 1];
    }

    private static void movdToGeneral(Cpu c, Instruction i) {
        c.requireSse();
        c.gpr[i.reg0] = c.fpu.xmm[i.reg1 << 1] & LOW;
    }

    private static void storeDoubleword(Cpu c, Instruction i) {
        c.requireSse();
        c.store32(i, (int) c.fpu.xmm[i.reg1 << 1]);
    }

    // The rest

    private static void movmskps(Cpu c, Instruction i) {
        c.requireSse();
        long low = c.fpu.xmm[i.reg1 << 1];
        long high = c.fpu.xmm[(i.reg1 << 1) + 1];
        c.gpr[i.reg0] = low >>> 31 & 1 | low >>> 62 & 2 | high >>> 29 & 4 | high >>> 60 & 8;
    }

    private static void movmskpd(Cpu c, Instruction i) {
        c.requireSse();
        c.gpr[i.reg0] = c.fpu.xmm[i.reg1 << 1] >>> 63 | c.fpu.xmm[(i.reg1 << 1) + 1] >>> 62 & 2;
    }

    private static void maskmovdqu(Cpu c, Instruction i) {
        c.requireSse();
        long[] x = c.fpu.xmm;
        int d = i.reg0 << 1;
        int mask =
                PackedInteger.pmovmskb(x[i.reg1 << 1])
                        | PackedInteger.pmovmskb(x[(i.reg1 << 1) + 1]) << 8;
        storeMasked(c, i, x[d], x[d + 1], mask);
    }

    /**
     * Stores the bytes chosen by the mask at rDI. Bytes that are not chosen are neither written nor
     * checked; those that are lie on two pages at most, both checked before the first byte is
     * written.
     */
    static void storeMasked(Cpu c, Instruction i, long low, long high, int mask) {
        if (mask == 0) {
            return;
        }
        long width = Cpu.mask(i.addressSize);
        long base = c.gpr[Cpu.RDI];
        int first = Integer.numberOfTrailingZeros(mask);
        int last = 31 - Integer.numberOfLeadingZeros(mask);
        c.mmu.checkWritable(c.linear(i.segment, base + first & width, 1, true), 1);
        c.mmu.checkWritable(c.linear(i.segment, base + last & width, 1, true), 1);
        for (int n = first; n <= last; n++) {
            if ((mask >> n & 1) != 0) {
                long half = n < 8 ? low : high;
                c.store8(i.segment, base + n & width, (int) (half >>> ((n & 7) << 3)) & 0xff);
            }
        }
    }
}
