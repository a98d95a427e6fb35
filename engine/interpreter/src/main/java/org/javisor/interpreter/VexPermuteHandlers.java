package org.javisor.interpreter;

import static org.javisor.x86.Instruction.MEM;
import static org.javisor.x86.Instruction.YMM;
import static org.javisor.x86.PackedShuffle.lane32;

import java.util.function.LongBinaryOperator;
import org.javisor.x86.Instruction;
import org.javisor.x86.PackedShuffle;

/** Permutations, blends, 128-bit insertion and extraction, and shifts by a count per element. */
final class VexPermuteHandlers {
    private static final long LOW = 0xffffffffL;

    private VexPermuteHandlers() {}

    static Handler select(Instruction i) {
        return switch (i.op) {
            case VPERMILPS ->
                    i.kind2 == Instruction.IMM
                            ? VexPermuteHandlers::vpermilpsImmediate
                            : VexPermuteHandlers::vpermilps;
            case VPERMILPD ->
                    i.kind2 == Instruction.IMM
                            ? VexPermuteHandlers::vpermilpdImmediate
                            : VexPermuteHandlers::vpermilpd;
            case VPERMPS, VPERMD -> VexPermuteHandlers::vpermd;
            case VPERMPD, VPERMQ -> VexPermuteHandlers::vpermq;
            case VPERM2F128, VPERM2I128 -> VexPermuteHandlers::vperm2i128;
            case VINSERTF128, VINSERTI128 -> VexPermuteHandlers::vinserti128;
            case VEXTRACTF128, VEXTRACTI128 -> VexPermuteHandlers::vextracti128;
            case VPBLENDD -> VexPermuteHandlers::vpblendd;
            case BLENDVPS -> blend(PackedShuffle::blendDoublewords);
            case BLENDVPD -> blend((a, b, mask) -> mask < 0 ? b : a);
            case PBLENDVB -> blend(PackedShuffle::blendBytes);
            case VPSLLVD -> shift((v, n) -> n < 0 || n > 31 ? 0 : (long) (int) v << n, true);
            case VPSRLVD -> shift((v, n) -> n < 0 || n > 31 ? 0 : (v & LOW) >>> n, true);
            case VPSRAVD -> shift((v, n) -> (int) v >> (n < 0 || n > 31 ? 31 : (int) n), true);
            case VPSLLVQ -> shift((v, n) -> n < 0 || n > 63 ? 0 : v << n, false);
            case VPSRLVQ -> shift((v, n) -> n < 0 || n > 63 ? 0 : v >>> n, false);
            default -> null;
        };
    }

    private static long pair(long low, long high) {
        return low & LOW | high << 32;
    }

    // Within 128 bits

    private static void vpermilpsImmediate(Cpu c, Instruction i) {
        c.requireAvx();
        boolean wide = i.kind0 == YMM;
        VexForms.source(c, i, i.kind1, i.reg1, wide);
        int imm = (int) i.imm & 0xff;
        long first = pair(lane32(c.lo, c.hi, imm & 3), lane32(c.lo, c.hi, imm >> 2 & 3));
        long second = pair(lane32(c.lo, c.hi, imm >> 4 & 3), lane32(c.lo, c.hi, imm >> 6));
        if (wide) {
            long third = pair(lane32(c.lo2, c.hi2, imm & 3), lane32(c.lo2, c.hi2, imm >> 2 & 3));
            long fourth = pair(lane32(c.lo2, c.hi2, imm >> 4 & 3), lane32(c.lo2, c.hi2, imm >> 6));
            VexForms.set256(c, i.reg0, first, second, third, fourth);
        } else {
            VexForms.set128(c, i.reg0, first, second);
        }
    }

    /** Two floats of a lane, chosen by two doublewords of control. */
    private static long chosen(long low, long high, long control) {
        return pair(
                lane32(low, high, (int) control & 3),
                lane32(low, high, (int) (control >>> 32) & 3));
    }

    private static void vpermilps(Cpu c, Instruction i) {
        c.requireAvx();
        boolean wide = i.kind0 == YMM;
        VexForms.source(c, i, i.kind2, i.reg2, wide);
        long[] x = c.fpu.xmm;
        int s = i.reg1 << 1;
        long first = chosen(x[s], x[s + 1], c.lo);
        long second = chosen(x[s], x[s + 1], c.hi);
        if (wide) {
            long[] y = c.fpu.ymmHigh;
            long third = chosen(y[s], y[s + 1], c.lo2);
            long fourth = chosen(y[s], y[s + 1], c.hi2);
            VexForms.set256(c, i.reg0, first, second, third, fourth);
        } else {
            VexForms.set128(c, i.reg0, first, second);
        }
    }

    private static void vpermilpdImmediate(Cpu c, Instruction i) {
        c.requireAvx();
        boolean wide = i.kind0 == YMM;
        VexForms.source(c, i, i.kind1, i.reg1, wide);
        int imm = (int) i.imm;
        long first = (imm & 1) == 0 ? c.lo : c.hi;
        long second = (imm & 2) == 0 ? c.lo : c.hi;
        if (wide) {
            long third = (imm & 4) == 0 ? c.lo2 : c.hi2;
            long fourth = (imm & 8) == 0 ? c.lo2 : c.hi2;
            VexForms.set256(c, i.reg0, first, second, third, fourth);
        } else {
            VexForms.set128(c, i.reg0, first, second);
        }
    }

    private static void vpermilpd(Cpu c, Instruction i) {
        c.requireAvx();
        boolean wide = i.kind0 == YMM;
        VexForms.source(c, i, i.kind2, i.reg2, wide);
        long[] x = c.fpu.xmm;
        int s = i.reg1 << 1;
        long first = x[s + (int) (c.lo >>> 1 & 1)];
        long second = x[s + (int) (c.hi >>> 1 & 1)];
        if (wide) {
            long[] y = c.fpu.ymmHigh;
            long third = y[s + (int) (c.lo2 >>> 1 & 1)];
            long fourth = y[s + (int) (c.hi2 >>> 1 & 1)];
            VexForms.set256(c, i.reg0, first, second, third, fourth);
        } else {
            VexForms.set128(c, i.reg0, first, second);
        }
    }

    // Across 256 bits

    /** Doubleword {@code n} of what {@link VexForms#source} has brought. */
    private static long doubleword(Cpu c, long n) {
        int lane = (int) n & 3;
        return (n & 4) == 0 ? lane32(c.lo, c.hi, lane) : lane32(c.lo2, c.hi2, lane);
    }

    private static long quadword(Cpu c, int n) {
        return switch (n & 3) {
            case 0 -> c.lo;
            case 1 -> c.hi;
            case 2 -> c.lo2;
            default -> c.hi2;
        };
    }

    private static void vpermd(Cpu c, Instruction i) {
        c.requireAvx();
        VexForms.source(c, i, i.kind2, i.reg2, true);
        long[] x = c.fpu.xmm;
        long[] y = c.fpu.ymmHigh;
        int s = i.reg1 << 1;
        VexForms.set256(
                c,
                i.reg0,
                pair(doubleword(c, x[s]), doubleword(c, x[s] >>> 32)),
                pair(doubleword(c, x[s + 1]), doubleword(c, x[s + 1] >>> 32)),
                pair(doubleword(c, y[s]), doubleword(c, y[s] >>> 32)),
                pair(doubleword(c, y[s + 1]), doubleword(c, y[s + 1] >>> 32)));
    }

    private static void vpermq(Cpu c, Instruction i) {
        c.requireAvx();
        VexForms.source(c, i, i.kind1, i.reg1, true);
        int imm = (int) i.imm;
        VexForms.set256(
                c,
                i.reg0,
                quadword(c, imm),
                quadword(c, imm >> 2),
                quadword(c, imm >> 4),
                quadword(c, imm >> 6));
    }

    private static void vperm2i128(Cpu c, Instruction i) {
        c.requireAvx();
        VexForms.source(c, i, i.kind2, i.reg2, true);
        int imm = (int) i.imm;
        VexForms.set256(
                c,
                i.reg0,
                half(c, i, imm, 0),
                half(c, i, imm, 1),
                half(c, i, imm >> 4, 0),
                half(c, i, imm >> 4, 1));
    }

    /** Quadword {@code n} of the half that four bits of control choose out of both sources. */
    private static long half(Cpu c, Instruction i, int control, int n) {
        if ((control & 8) != 0) {
            return 0;
        }
        int at = (control & 1) << 1 | n;
        return (control & 2) == 0 ? VexForms.quadword(c, i.reg1, at) : quadword(c, at);
    }

    private static void vinserti128(Cpu c, Instruction i) {
        c.requireAvx();
        VexForms.source(c, i, i.kind2, i.reg2, false);
        long[] x = c.fpu.xmm;
        long[] y = c.fpu.ymmHigh;
        int s = i.reg1 << 1;
        if ((i.imm & 1) == 0) {
            VexForms.set256(c, i.reg0, c.lo, c.hi, y[s], y[s + 1]);
        } else {
            VexForms.set256(c, i.reg0, x[s], x[s + 1], c.lo, c.hi);
        }
    }

    private static void vextracti128(Cpu c, Instruction i) {
        c.requireAvx();
        long[] from = (i.imm & 1) == 0 ? c.fpu.xmm : c.fpu.ymmHigh;
        int s = i.reg1 << 1;
        if (i.kind0 == MEM) {
            c.store128(i, from[s], from[s + 1]);
        } else {
            VexForms.set128(c, i.reg0, from[s], from[s + 1]);
        }
    }

    // Blends

    private static long blendd(long a, long b, int imm) {
        return pair((imm & 1) == 0 ? a : b, ((imm & 2) == 0 ? a : b) >>> 32);
    }

    private static void vpblendd(Cpu c, Instruction i) {
        c.requireAvx();
        boolean wide = i.kind0 == YMM;
        VexForms.source(c, i, i.kind2, i.reg2, wide);
        long[] x = c.fpu.xmm;
        int s = i.reg1 << 1;
        int imm = (int) i.imm;
        long first = blendd(x[s], c.lo, imm);
        long second = blendd(x[s + 1], c.hi, imm >> 2);
        if (wide) {
            long[] y = c.fpu.ymmHigh;
            long third = blendd(y[s], c.lo2, imm >> 4);
            VexForms.set256(c, i.reg0, first, second, third, blendd(y[s + 1], c.hi2, imm >> 6));
        } else {
            VexForms.set128(c, i.reg0, first, second);
        }
    }

    @FunctionalInterface
    private interface Blend {
        long apply(long a, long b, long mask);
    }

    private static Handler blend(Blend f) {
        return (c, j) -> {
            c.requireAvx();
            boolean wide = j.kind0 == YMM;
            VexForms.source(c, j, j.kind2, j.reg2, wide);
            long[] x = c.fpu.xmm;
            int s = j.reg1 << 1;
            int m = j.reg3 << 1;
            long first = f.apply(x[s], c.lo, x[m]);
            long second = f.apply(x[s + 1], c.hi, x[m + 1]);
            if (wide) {
                long[] y = c.fpu.ymmHigh;
                long third = f.apply(y[s], c.lo2, y[m]);
                long fourth = f.apply(y[s + 1], c.hi2, y[m + 1]);
                VexForms.set256(c, j.reg0, first, second, third, fourth);
            } else {
                VexForms.set128(c, j.reg0, first, second);
            }
        };
    }

    // Shifts

    /** {@code f} of an element and its count, sign-extended. */
    private static Handler shift(LongBinaryOperator f, boolean doublewords) {
        LongBinaryOperator each =
                doublewords
                        ? (v, n) ->
                                pair(
                                        f.applyAsLong((int) v, (int) n),
                                        f.applyAsLong(v >> 32, n >> 32))
                        : f;
        return (c, j) -> {
            c.requireAvx();
            boolean wide = j.kind0 == YMM;
            VexForms.source(c, j, j.kind2, j.reg2, wide);
            long[] x = c.fpu.xmm;
            int s = j.reg1 << 1;
            long first = each.applyAsLong(x[s], c.lo);
            long second = each.applyAsLong(x[s + 1], c.hi);
            if (wide) {
                long[] y = c.fpu.ymmHigh;
                long third = each.applyAsLong(y[s], c.lo2);
                long fourth = each.applyAsLong(y[s + 1], c.hi2);
                VexForms.set256(c, j.reg0, first, second, third, fourth);
            } else {
                VexForms.set128(c, j.reg0, first, second);
            }
        };
    }
}
