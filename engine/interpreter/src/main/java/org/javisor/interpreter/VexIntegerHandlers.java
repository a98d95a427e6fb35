package org.javisor.interpreter;

import static org.javisor.x86.Instruction.YMM;

import java.util.function.LongBinaryOperator;
import org.javisor.x86.Instruction;
import org.javisor.x86.PackedInteger;

/**
 * The VEX-encoded integer operations that string functions and vectorised loops live on, and tests
 * and sign masks of 256 bits. What {@link VexLanes} could do as well is here for its speed.
 */
final class VexIntegerHandlers {
    private VexIntegerHandlers() {}

    static Handler select(Instruction i) {
        return switch (i.op) {
            case PXOR, XORPS, XORPD -> binary(i, (a, b) -> a ^ b);
            case PAND, ANDPS, ANDPD -> binary(i, (a, b) -> a & b);
            case PANDN, ANDNPS, ANDNPD -> binary(i, (a, b) -> ~a & b);
            case POR, ORPS, ORPD -> binary(i, (a, b) -> a | b);
            case PCMPEQB -> binary(i, PackedInteger::pcmpeqb);
            case PCMPEQW -> binary(i, PackedInteger::pcmpeqw);
            case PCMPEQD -> binary(i, PackedInteger::pcmpeqd);
            case PCMPEQQ -> binary(i, PackedInteger::pcmpeqq);
            case PCMPGTB -> binary(i, PackedInteger::pcmpgtb);
            case PCMPGTD -> binary(i, PackedInteger::pcmpgtd);
            case PMINUB -> binary(i, PackedInteger::pminub);
            case PMAXUB -> binary(i, PackedInteger::pmaxub);
            case PADDB -> binary(i, PackedInteger::paddb);
            case PADDW -> binary(i, PackedInteger::paddw);
            case PADDD -> binary(i, PackedInteger::paddd);
            case PADDQ -> binary(i, Long::sum);
            case PSUBB -> binary(i, PackedInteger::psubb);
            case PSUBD -> binary(i, PackedInteger::psubd);
            case PSUBQ -> binary(i, (a, b) -> a - b);
            case PMULUDQ -> binary(i, PackedInteger::pmuludq);
            case PMOVMSKB ->
                    i.kind1 == YMM
                            ? VexIntegerHandlers::pmovmskb256
                            : VexIntegerHandlers::pmovmskb128;
            case PTEST ->
                    i.kind0 == YMM ? VexIntegerHandlers::ptest256 : VexIntegerHandlers::ptest128;
            case VTESTPS -> test(0x8000000080000000L);
            case VTESTPD -> test(Long.MIN_VALUE);
            case MOVMSKPS -> i.kind1 == YMM ? VexIntegerHandlers::movmskps256 : null;
            case MOVMSKPD -> i.kind1 == YMM ? VexIntegerHandlers::movmskpd256 : null;
            default -> null;
        };
    }

    /** An operation on each quadword. */
    private static Handler binary(Instruction i, LongBinaryOperator f) {
        if (VexForms.wide(i)) {
            return (c, j) -> {
                c.requireAvx();
                VexForms.source(c, j, j.kind2, j.reg2, true);
                long[] x = c.fpu.xmm;
                long[] y = c.fpu.ymmHigh;
                int s = j.reg1 << 1;
                int d = j.reg0 << 1;
                x[d] = f.applyAsLong(x[s], c.lo);
                x[d + 1] = f.applyAsLong(x[s + 1], c.hi);
                y[d] = f.applyAsLong(y[s], c.lo2);
                y[d + 1] = f.applyAsLong(y[s + 1], c.hi2);
            };
        }
        return (c, j) -> {
            c.requireAvx();
            VexForms.source(c, j, j.kind2, j.reg2, false);
            long[] x = c.fpu.xmm;
            int s = j.reg1 << 1;
            VexForms.set128(c, j.reg0, f.applyAsLong(x[s], c.lo), f.applyAsLong(x[s + 1], c.hi));
        };
    }

    private static long signs(long low, long high) {
        return PackedInteger.pmovmskb(low) | (long) PackedInteger.pmovmskb(high) << 8;
    }

    private static void pmovmskb128(Cpu c, Instruction i) {
        c.requireAvx();
        long[] x = c.fpu.xmm;
        int s = i.reg1 << 1;
        c.gpr[i.reg0] = signs(x[s], x[s + 1]);
    }

    private static void pmovmskb256(Cpu c, Instruction i) {
        c.requireAvx();
        long[] x = c.fpu.xmm;
        long[] y = c.fpu.ymmHigh;
        int s = i.reg1 << 1;
        c.gpr[i.reg0] = signs(x[s], x[s + 1]) | signs(y[s], y[s + 1]) << 16;
    }

    private static void movmskps256(Cpu c, Instruction i) {
        c.requireAvx();
        long mask = 0;
        for (int n = 0; n < 8; n++) {
            mask |= (VexForms.doubleword(c, i.reg1, n) >>> 31 & 1L) << n;
        }
        c.gpr[i.reg0] = mask;
    }

    private static void movmskpd256(Cpu c, Instruction i) {
        c.requireAvx();
        long mask = 0;
        for (int n = 0; n < 4; n++) {
            mask |= VexForms.quadword(c, i.reg1, n) >>> 63 << n;
        }
        c.gpr[i.reg0] = mask;
    }

    private static void ptest128(Cpu c, Instruction i) {
        test(c, i, false, -1);
    }

    private static void ptest256(Cpu c, Instruction i) {
        test(c, i, true, -1);
    }

    private static Handler test(long bits) {
        return (c, j) -> test(c, j, j.kind0 == YMM, bits);
    }

    /**
     * ZF: no bit of both operands; CF: no bit of the second that is not one of the first.
     *
     * @param bits which of each quadword count
     */
    private static void test(Cpu c, Instruction i, boolean wide, long bits) {
        c.requireAvx();
        VexForms.source(c, i, i.kind1, i.reg1, wide);
        long[] x = c.fpu.xmm;
        int d = i.reg0 << 1;
        long both = x[d] & c.lo | x[d + 1] & c.hi;
        long second = ~x[d] & c.lo | ~x[d + 1] & c.hi;
        if (wide) {
            long[] y = c.fpu.ymmHigh;
            both |= y[d] & c.lo2 | y[d + 1] & c.hi2;
            second |= ~y[d] & c.lo2 | ~y[d + 1] & c.hi2;
        }
        c.flags.setArithmetic(
                ((both & bits) == 0 ? Flags.ZF : 0) | ((second & bits) == 0 ? Flags.CF : 0));
    }
}
