package org.javisor.interpreter;

import static org.javisor.interpreter.SimdForms.set;
import static org.javisor.interpreter.SimdForms.setLow32;
import static org.javisor.interpreter.SimdForms.settle;
import static org.javisor.interpreter.SimdForms.source32;
import static org.javisor.interpreter.SimdForms.source64;
import static org.javisor.x86.Instruction.MEM;

import org.javisor.x86.FpuState;
import org.javisor.x86.Instruction;
import org.javisor.x86.Mxcsr;
import org.javisor.x86.SseConvert;

/**
 * Conversions between integers, floats and doubles. Results are written after {@link
 * SimdForms#settle}.
 */
final class SseConvertHandlers {
    private static final long LOW = 0xffffffffL;
    private static final int CURRENT = -1;

    private SseConvertHandlers() {}

    static Handler select(Instruction i) {
        boolean wide = i.operandSize == 8;
        return switch (i.op) {
            case CVTSI2SD ->
                    wide ? SseConvertHandlers::longToDouble : SseConvertHandlers::intToDouble;
            case CVTSI2SS -> SseConvertHandlers::integerToSingle;
            case CVTTSD2SI -> (c, j) -> doubleToInteger(c, j, wide ? 64 : 32, Mxcsr.ZERO);
            case CVTSD2SI -> (c, j) -> doubleToInteger(c, j, wide ? 64 : 32, CURRENT);
            case CVTTSS2SI -> (c, j) -> singleToInteger(c, j, Mxcsr.ZERO);
            case CVTSS2SI -> (c, j) -> singleToInteger(c, j, CURRENT);
            case CVTSS2SD -> SseConvertHandlers::singleToDouble;
            case CVTSD2SS -> SseConvertHandlers::doubleToSingle;
            case CVTPS2PD -> SseConvertHandlers::cvtps2pd;
            case CVTPD2PS -> SseConvertHandlers::cvtpd2ps;
            case CVTDQ2PS -> SseConvertHandlers::cvtdq2ps;
            case CVTDQ2PD -> SseConvertHandlers::cvtdq2pd;
            case CVTPS2DQ -> (c, j) -> singlesToInts(c, j, CURRENT);
            case CVTTPS2DQ -> (c, j) -> singlesToInts(c, j, Mxcsr.ZERO);
            case CVTPD2DQ -> (c, j) -> doublesToInts(c, j, CURRENT);
            case CVTTPD2DQ -> (c, j) -> doublesToInts(c, j, Mxcsr.ZERO);
            case CVTPI2PS -> SseConvertHandlers::cvtpi2ps;
            case CVTPI2PD -> SseConvertHandlers::cvtpi2pd;
            case CVTPS2PI -> (c, j) -> singlesToMmx(c, j, CURRENT);
            case CVTTPS2PI -> (c, j) -> singlesToMmx(c, j, Mxcsr.ZERO);
            case CVTPD2PI -> (c, j) -> doublesToMmx(c, j, CURRENT);
            case CVTTPD2PI -> (c, j) -> doublesToMmx(c, j, Mxcsr.ZERO);
            default -> null;
        };
    }

    // Scalars

    private static void intToDouble(Cpu c, Instruction i) {
        c.requireSse();
        int value = i.kind1 == MEM ? c.load32(i) : (int) c.gpr[i.reg1];
        c.fpu.xmm[i.reg0 << 1] = SseConvert.fromInt(value);
    }

    private static void longToDouble(Cpu c, Instruction i) {
        c.requireSse();
        long value = i.kind1 == MEM ? c.load64(i) : c.gpr[i.reg1];
        long result = SseConvert.longToDouble(c.fpu, value);
        settle(c);
        c.fpu.xmm[i.reg0 << 1] = result;
    }

    private static void integerToSingle(Cpu c, Instruction i) {
        c.requireSse();
        long value;
        if (i.operandSize == 8) {
            value = i.kind1 == MEM ? c.load64(i) : c.gpr[i.reg1];
        } else {
            value = i.kind1 == MEM ? c.load32(i) : (int) c.gpr[i.reg1];
        }
        int result = SseConvert.longToSingle(c.fpu, value);
        settle(c);
        setLow32(c.fpu.xmm, i.reg0 << 1, result);
    }

    private static void doubleToInteger(Cpu c, Instruction i, int bits, int mode) {
        c.requireSse();
        long result = SseConvert.doubleToInteger(c.fpu, source64(c, i), bits, mode);
        settle(c);
        c.gpr[i.reg0] = bits == 64 ? result : result & LOW;
    }

    private static void singleToInteger(Cpu c, Instruction i, int mode) {
        c.requireSse();
        int bits = i.operandSize == 8 ? 64 : 32;
        long result = SseConvert.singleToInteger(c.fpu, source32(c, i), bits, mode);
        settle(c);
        c.gpr[i.reg0] = bits == 64 ? result : result & LOW;
    }

    private static void singleToDouble(Cpu c, Instruction i) {
        c.requireSse();
        long result = SseConvert.singleToDouble(c.fpu, source32(c, i));
        settle(c);
        c.fpu.xmm[i.reg0 << 1] = result;
    }

    private static void doubleToSingle(Cpu c, Instruction i) {
        c.requireSse();
        int result = SseConvert.doubleToSingle(c.fpu, source64(c, i));
        settle(c);
        setLow32(c.fpu.xmm, i.reg0 << 1, result);
    }

    // Packed

    private static long pair(int low, int high) {
        return low & LOW | (long) high << 32;
    }

    private static void cvtps2pd(Cpu c, Instruction i) {
        c.requireSse();
        long source = source64(c, i);
        long low = SseConvert.singleToDouble(c.fpu, (int) source);
        long high = SseConvert.singleToDouble(c.fpu, (int) (source >>> 32));
        settle(c);
        set(c.fpu.xmm, i.reg0 << 1, low, high);
    }

    private static void cvtpd2ps(Cpu c, Instruction i) {
        c.requireSse();
        SimdForms.source128(c, i);
        int low = SseConvert.doubleToSingle(c.fpu, c.lo);
        int high = SseConvert.doubleToSingle(c.fpu, c.hi);
        settle(c);
        set(c.fpu.xmm, i.reg0 << 1, pair(low, high), 0);
    }

    private static long toSingles(FpuState f, long ints) {
        return pair(SseConvert.longToSingle(f, (int) ints), SseConvert.longToSingle(f, ints >> 32));
    }

    private static void cvtdq2ps(Cpu c, Instruction i) {
        c.requireSse();
        SimdForms.source128(c, i);
        long low = toSingles(c.fpu, c.lo);
        long high = toSingles(c.fpu, c.hi);
        settle(c);
        set(c.fpu.xmm, i.reg0 << 1, low, high);
    }

    private static void cvtdq2pd(Cpu c, Instruction i) {
        c.requireSse();
        long source = source64(c, i);
        set(
                c.fpu.xmm,
                i.reg0 << 1,
                SseConvert.fromInt((int) source),
                SseConvert.fromInt((int) (source >> 32)));
    }

    private static long singlesToInts(FpuState f, long v, int mode) {
        return pair(
                (int) SseConvert.singleToInteger(f, (int) v, 32, mode),
                (int) SseConvert.singleToInteger(f, (int) (v >>> 32), 32, mode));
    }

    private static void singlesToInts(Cpu c, Instruction i, int mode) {
        c.requireSse();
        SimdForms.source128(c, i);
        long low = singlesToInts(c.fpu, c.lo, mode);
        long high = singlesToInts(c.fpu, c.hi, mode);
        settle(c);
        set(c.fpu.xmm, i.reg0 << 1, low, high);
    }

    private static long doublesToInts(FpuState f, long low, long high, int mode) {
        return pair(
                (int) SseConvert.doubleToInteger(f, low, 32, mode),
                (int) SseConvert.doubleToInteger(f, high, 32, mode));
    }

    private static void doublesToInts(Cpu c, Instruction i, int mode) {
        c.requireSse();
        SimdForms.source128(c, i);
        long result = doublesToInts(c.fpu, c.lo, c.hi, mode);
        settle(c);
        set(c.fpu.xmm, i.reg0 << 1, result, 0);
    }

    // Between XMM and MMX registers

    /** The 64-bit source of CVTPI2PS and CVTPI2PD; from memory it leaves the x87 state as it is. */
    private static long mmxSource(Cpu c, Instruction i) {
        if (i.kind1 == MEM) {
            return c.load64(i);
        }
        c.requireMmx();
        return MmxHandlers.source(c, i);
    }

    private static void cvtpi2ps(Cpu c, Instruction i) {
        c.requireSse();
        long result = toSingles(c.fpu, mmxSource(c, i));
        settle(c);
        if (i.kind1 != MEM) {
            MmxHandlers.enter(c);
        }
        c.fpu.xmm[i.reg0 << 1] = result;
    }

    private static void cvtpi2pd(Cpu c, Instruction i) {
        c.requireSse();
        long source = mmxSource(c, i);
        if (i.kind1 != MEM) {
            MmxHandlers.enter(c);
        }
        set(
                c.fpu.xmm,
                i.reg0 << 1,
                SseConvert.fromInt((int) source),
                SseConvert.fromInt((int) (source >> 32)));
    }

    private static void singlesToMmx(Cpu c, Instruction i, int mode) {
        c.requireSse();
        c.requireMmx();
        long result = singlesToInts(c.fpu, source64(c, i), mode);
        settle(c);
        MmxHandlers.write(c, i.reg0, result);
    }

    private static void doublesToMmx(Cpu c, Instruction i, int mode) {
        c.requireSse();
        c.requireMmx();
        SimdForms.source128(c, i);
        long result = doublesToInts(c.fpu, c.lo, c.hi, mode);
        settle(c);
        MmxHandlers.write(c, i.reg0, result);
    }
}
