package org.javisor.interpreter;

import static org.javisor.interpreter.SimdForms.loadAligned;
import static org.javisor.interpreter.SimdForms.setLow32;
import static org.javisor.interpreter.SimdForms.settle;
import static org.javisor.interpreter.SimdForms.source32;
import static org.javisor.interpreter.SimdForms.source64;
import static org.javisor.x86.Instruction.MEM;

import org.javisor.x86.FpuState;
import org.javisor.x86.Instruction;
import org.javisor.x86.SseConvert;
import org.javisor.x86.SseFloat;

/**
 * Floating-point arithmetic and comparison on XMM registers. Results are written after {@link
 * SimdForms#settle}.
 */
final class SseFloatHandlers {
    private static final long LOW = 0xffffffffL;

    /** One double, or two floats side by side, of each operand. */
    @FunctionalInterface
    interface Lanes {
        long apply(FpuState f, long a, long b);
    }

    /** One float of each operand. */
    @FunctionalInterface
    interface Single {
        int apply(FpuState f, int a, int b);
    }

    private SseFloatHandlers() {}

    static Handler select(Instruction i) {
        Handler handler = i.kind1 == MEM ? frequentMemory(i) : frequentRegister(i);
        if (handler == null) {
            handler = packed(i);
        }
        if (handler == null) {
            handler = scalar(i);
        }
        return handler == null ? comparison(i) : handler;
    }

    // The operations that numeric loops live on, each with a method of its own

    private static Handler frequentRegister(Instruction i) {
        return switch (i.op) {
            case ADDSD -> SseFloatHandlers::addsdRegister;
            case SUBSD -> SseFloatHandlers::subsdRegister;
            case MULSD -> SseFloatHandlers::mulsdRegister;
            case DIVSD -> SseFloatHandlers::divsdRegister;
            case ADDSS -> SseFloatHandlers::addssRegister;
            case SUBSS -> SseFloatHandlers::subssRegister;
            case MULSS -> SseFloatHandlers::mulssRegister;
            case DIVSS -> SseFloatHandlers::divssRegister;
            default -> null;
        };
    }

    private static Handler frequentMemory(Instruction i) {
        return switch (i.op) {
            case ADDSD -> SseFloatHandlers::addsdMemory;
            case SUBSD -> SseFloatHandlers::subsdMemory;
            case MULSD -> SseFloatHandlers::mulsdMemory;
            case DIVSD -> SseFloatHandlers::divsdMemory;
            case ADDSS -> SseFloatHandlers::addssMemory;
            case SUBSS -> SseFloatHandlers::subssMemory;
            case MULSS -> SseFloatHandlers::mulssMemory;
            case DIVSS -> SseFloatHandlers::divssMemory;
            default -> null;
        };
    }

    private static void addsdRegister(Cpu c, Instruction i) {
        c.requireSse();
        long[] x = c.fpu.xmm;
        int d = i.reg0 << 1;
        long result = SseFloat.addsd(c.fpu, x[d], x[i.reg1 << 1]);
        settle(c);
        x[d] = result;
    }

    private static void addsdMemory(Cpu c, Instruction i) {
        c.requireSse();
        long[] x = c.fpu.xmm;
        int d = i.reg0 << 1;
        long result = SseFloat.addsd(c.fpu, x[d], c.load64(i));
        settle(c);
        x[d] = result;
    }

    private static void subsdRegister(Cpu c, Instruction i) {
        c.requireSse();
        long[] x = c.fpu.xmm;
        int d = i.reg0 << 1;
        long result = SseFloat.subsd(c.fpu, x[d], x[i.reg1 << 1]);
        settle(c);
        x[d] = result;
    }

    private static void subsdMemory(Cpu c, Instruction i) {
        c.requireSse();
        long[] x = c.fpu.xmm;
        int d = i.reg0 << 1;
        long result = SseFloat.subsd(c.fpu, x[d], c.load64(i));
        settle(c);
        x[d] = result;
    }

    private static void mulsdRegister(Cpu c, Instruction i) {
        c.requireSse();
        long[] x = c.fpu.xmm;
        int d = i.reg0 << 1;
        long result = SseFloat.mulsd(c.fpu, x[d], x[i.reg1 << 1]);
        settle(c);
        x[d] = result;
    }

    private static void mulsdMemory(Cpu c, Instruction i) {
        c.requireSse();
        long[] x = c.fpu.xmm;
        int d = i.reg0 << 1;
        long result = SseFloat.mulsd(c.fpu, x[d], c.load64(i));
        settle(c);
        x[d] = result;
    }

    private static void divsdRegister(Cpu c, Instruction i) {
        c.requireSse();
        long[] x = c.fpu.xmm;
        int d = i.reg0 << 1;
        long result = SseFloat.divsd(c.fpu, x[d], x[i.reg1 << 1]);
        settle(c);
        x[d] = result;
    }

    private static void divsdMemory(Cpu c, Instruction i) {
        c.requireSse();
        long[] x = c.fpu.xmm;
        int d = i.reg0 << 1;
        long result = SseFloat.divsd(c.fpu, x[d], c.load64(i));
        settle(c);
        x[d] = result;
    }

    private static void addssRegister(Cpu c, Instruction i) {
        c.requireSse();
        long[] x = c.fpu.xmm;
        int d = i.reg0 << 1;
        int result = SseFloat.addss(c.fpu, (int) x[d], (int) x[i.reg1 << 1]);
        settle(c);
        setLow32(x, d, result);
    }

    private static void addssMemory(Cpu c, Instruction i) {
        c.requireSse();
        long[] x = c.fpu.xmm;
        int d = i.reg0 << 1;
        int result = SseFloat.addss(c.fpu, (int) x[d], c.load32(i));
        settle(c);
        setLow32(x, d, result);
    }

    private static void subssRegister(Cpu c, Instruction i) {
        c.requireSse();
        long[] x = c.fpu.xmm;
        int d = i.reg0 << 1;
        int result = SseFloat.subss(c.fpu, (int) x[d], (int) x[i.reg1 << 1]);
        settle(c);
        setLow32(x, d, result);
    }

    private static void subssMemory(Cpu c, Instruction i) {
        c.requireSse();
        long[] x = c.fpu.xmm;
        int d = i.reg0 << 1;
        int result = SseFloat.subss(c.fpu, (int) x[d], c.load32(i));
        settle(c);
        setLow32(x, d, result);
    }

    private static void mulssRegister(Cpu c, Instruction i) {
        c.requireSse();
        long[] x = c.fpu.xmm;
        int d = i.reg0 << 1;
        int result = SseFloat.mulss(c.fpu, (int) x[d], (int) x[i.reg1 << 1]);
        settle(c);
        setLow32(x, d, result);
    }

    private static void mulssMemory(Cpu c, Instruction i) {
        c.requireSse();
        long[] x = c.fpu.xmm;
        int d = i.reg0 << 1;
        int result = SseFloat.mulss(c.fpu, (int) x[d], c.load32(i));
        settle(c);
        setLow32(x, d, result);
    }

    private static void divssRegister(Cpu c, Instruction i) {
        c.requireSse();
        long[] x = c.fpu.xmm;
        int d = i.reg0 << 1;
        int result = SseFloat.divss(c.fpu, (int) x[d], (int) x[i.reg1 << 1]);
        settle(c);
        setLow32(x, d, result);
    }

    private static void divssMemory(Cpu c, Instruction i) {
        c.requireSse();
        long[] x = c.fpu.xmm;
        int d = i.reg0 << 1;
        int result = SseFloat.divss(c.fpu, (int) x[d], c.load32(i));
        settle(c);
        setLow32(x, d, result);
    }

    // Packed

    private static Handler packed(Instruction i) {
        int imm = (int) i.imm;
        int predicate = imm & (i.vex() ? 31 : 7);
        return switch (i.op) {
            case ADDPS -> lanes(i, SseFloat::addps);
            case ADDPD -> lanes(i, SseFloat::addsd);
            case SUBPS -> lanes(i, SseFloat::subps);
            case SUBPD -> lanes(i, SseFloat::subsd);
            case MULPS -> lanes(i, SseFloat::mulps);
            case MULPD -> lanes(i, SseFloat::mulsd);
            case DIVPS -> lanes(i, SseFloat::divps);
            case DIVPD -> lanes(i, SseFloat::divsd);
            case MINPS -> lanes(i, SseFloat::minps);
            case MINPD -> lanes(i, SseFloat::minsd);
            case MAXPS -> lanes(i, SseFloat::maxps);
            case MAXPD -> lanes(i, SseFloat::maxsd);
            case SQRTPS -> lanes(i, (f, a, b) -> SseFloat.sqrtps(f, b));
            case SQRTPD -> lanes(i, (f, a, b) -> SseFloat.sqrtsd(f, b));
            case RCPPS -> lanes(i, (f, a, b) -> each(b, false));
            case RSQRTPS -> lanes(i, (f, a, b) -> each(b, true));
            case CMPPS -> lanes(i, (f, a, b) -> SseFloat.cmpps(f, a, b, predicate));
            case CMPPD -> lanes(i, (f, a, b) -> SseFloat.cmpsd(f, a, b, predicate));
            case ROUNDPS ->
                    lanes(
                            i,
                            (f, a, b) ->
                                    SseConvert.roundss(f, (int) b, imm) & LOW
                                            | (long) SseConvert.roundss(f, (int) (b >>> 32), imm)
                                                    << 32);
            case ROUNDPD -> lanes(i, (f, a, b) -> SseConvert.roundsd(f, b, imm));
            case ADDSUBPS -> lanes(i, SseFloat::addsubps);
            case ADDSUBPD -> SseFloatHandlers::addsubpd;
            case HADDPS -> horizontal(SseFloat::haddps);
            case HSUBPS -> horizontal(SseFloat::hsubps);
            case HADDPD -> horizontal(SseFloat::addsd);
            case HSUBPD -> horizontal(SseFloat::subsd);
            case DPPS -> SseFloatHandlers::dpps;
            case DPPD -> SseFloatHandlers::dppd;
            default -> null;
        };
    }

    private static Handler lanes(Instruction i, Lanes lanes) {
        if (i.kind1 == MEM) {
            return (c, j) -> {
                c.requireSse();
                loadAligned(c, j);
                apply(c, j.reg0 << 1, lanes, c.lo, c.hi);
            };
        }
        return (c, j) -> {
            c.requireSse();
            long[] x = c.fpu.xmm;
            int s = j.reg1 << 1;
            apply(c, j.reg0 << 1, lanes, x[s], x[s + 1]);
        };
    }

    private static void apply(Cpu c, int d, Lanes lanes, long lo, long hi) {
        FpuState f = c.fpu;
        long[] x = f.xmm;
        long low = lanes.apply(f, x[d], lo);
        long high = lanes.apply(f, x[d + 1], hi);
        settle(c);
        x[d] = low;
        x[d + 1] = high;
    }

    private static long each(long b, boolean root) {
        int low = root ? SseConvert.rsqrtss((int) b) : SseConvert.rcpss((int) b);
        int high = root ? SseConvert.rsqrtss((int) (b >>> 32)) : SseConvert.rcpss((int) (b >>> 32));
        return low & LOW | (long) high << 32;
    }

    private static void addsubpd(Cpu c, Instruction i) {
        c.requireSse();
        SimdForms.source128(c, i);
        FpuState f = c.fpu;
        int d = i.reg0 << 1;
        long low = SseFloat.subsd(f, f.xmm[d], c.lo);
        long high = SseFloat.addsd(f, f.xmm[d + 1], c.hi);
        settle(c);
        SimdForms.set(f.xmm, d, low, high);
    }

    /** The destination's halves make the lower half of the result, the source's the upper. */
    private static Handler horizontal(Lanes lanes) {
        return (c, j) -> {
            c.requireSse();
            SimdForms.source128(c, j);
            FpuState f = c.fpu;
            int d = j.reg0 << 1;
            long low = lanes.apply(f, f.xmm[d], f.xmm[d + 1]);
            long high = lanes.apply(f, c.lo, c.hi);
            settle(c);
            SimdForms.set(f.xmm, d, low, high);
        };
    }

    /** The exceptions of the products come before those of the sums. */
    private static void dpps(Cpu c, Instruction i) {
        c.requireSse();
        SimdForms.source128(c, i);
        FpuState f = c.fpu;
        int d = i.reg0 << 1;
        int imm = (int) i.imm & 0xff;
        long low = product(f, f.xmm[d], c.lo, imm >> 4);
        long high = product(f, f.xmm[d + 1], c.hi, imm >> 6);
        settle(c);
        int first = SseFloat.addss(f, (int) low, (int) (low >>> 32));
        int second = SseFloat.addss(f, (int) high, (int) (high >>> 32));
        settle(c);
        long sum = SseFloat.addss(f, first, second) & LOW;
        settle(c);
        f.xmm[d] = ((imm & 1) != 0 ? sum : 0) | ((imm & 2) != 0 ? sum << 32 : 0);
        f.xmm[d + 1] = ((imm & 4) != 0 ? sum : 0) | ((imm & 8) != 0 ? sum << 32 : 0);
    }

    private static long product(FpuState f, long a, long b, int select) {
        long low = (select & 1) != 0 ? SseFloat.mulss(f, (int) a, (int) b) & LOW : 0;
        long high = (select & 2) != 0 ? SseFloat.mulss(f, (int) (a >>> 32), (int) (b >>> 32)) : 0;
        return low | high << 32;
    }

    private static void dppd(Cpu c, Instruction i) {
        c.requireSse();
        SimdForms.source128(c, i);
        FpuState f = c.fpu;
        int d = i.reg0 << 1;
        int imm = (int) i.imm & 0xff;
        long first = (imm & 0x10) != 0 ? SseFloat.mulsd(f, f.xmm[d], c.lo) : 0;
        long second = (imm & 0x20) != 0 ? SseFloat.mulsd(f, f.xmm[d + 1], c.hi) : 0;
        settle(c);
        long sum = SseFloat.addsd(f, first, second);
        settle(c);
        SimdForms.set(f.xmm, d, (imm & 1) != 0 ? sum : 0, (imm & 2) != 0 ? sum : 0);
    }

    // Scalar

    private static Handler scalar(Instruction i) {
        int imm = (int) i.imm;
        int predicate = imm & (i.vex() ? 31 : 7);
        return switch (i.op) {
            case MINSD -> scalarDouble(SseFloat::minsd);
            case MAXSD -> scalarDouble(SseFloat::maxsd);
            case SQRTSD -> scalarDouble((f, a, b) -> SseFloat.sqrtsd(f, b));
            case CMPSD_SSE -> scalarDouble((f, a, b) -> SseFloat.cmpsd(f, a, b, predicate));
            case ROUNDSD -> scalarDouble((f, a, b) -> SseConvert.roundsd(f, b, imm));
            case MINSS -> scalarSingle(SseFloat::minss);
            case MAXSS -> scalarSingle(SseFloat::maxss);
            case SQRTSS -> scalarSingle((f, a, b) -> SseFloat.sqrtss(f, b));
            case CMPSS -> scalarSingle((f, a, b) -> SseFloat.cmpss(f, a, b, predicate));
            case ROUNDSS -> scalarSingle((f, a, b) -> SseConvert.roundss(f, b, imm));
            case RCPSS -> scalarSingle((f, a, b) -> SseConvert.rcpss(b));
            case RSQRTSS -> scalarSingle((f, a, b) -> SseConvert.rsqrtss(b));
            default -> null;
        };
    }

    private static Handler scalarDouble(Lanes lanes) {
        return (c, j) -> {
            c.requireSse();
            long b = source64(c, j);
            long[] x = c.fpu.xmm;
            int d = j.reg0 << 1;
            long result = lanes.apply(c.fpu, x[d], b);
            settle(c);
            x[d] = result;
        };
    }

    private static Handler scalarSingle(Single single) {
        return (c, j) -> {
            c.requireSse();
            int b = source32(c, j);
            long[] x = c.fpu.xmm;
            int d = j.reg0 << 1;
            int result = single.apply(c.fpu, (int) x[d], b);
            settle(c);
            setLow32(x, d, result);
        };
    }

    // Comparison into RFLAGS

    private static Handler comparison(Instruction i) {
        return switch (i.op) {
            case COMISD -> (c, j) -> compareDouble(c, j, true);
            case UCOMISD -> (c, j) -> compareDouble(c, j, false);
            case COMISS -> (c, j) -> compareSingle(c, j, true);
            case UCOMISS -> (c, j) -> compareSingle(c, j, false);
            case PTEST -> SseFloatHandlers::ptest;
            default -> null;
        };
    }

    private static void compareDouble(Cpu c, Instruction i, boolean signalling) {
        c.requireSse();
        int outcome =
                SseFloat.compareDouble(c.fpu, c.fpu.xmm[i.reg0 << 1], source64(c, i), signalling);
        settle(c);
        setOrder(c, outcome);
    }

    private static void compareSingle(Cpu c, Instruction i, boolean signalling) {
        c.requireSse();
        int outcome =
                SseFloat.compareSingle(
                        c.fpu, (int) c.fpu.xmm[i.reg0 << 1], source32(c, i), signalling);
        settle(c);
        setOrder(c, outcome);
    }

    private static void setOrder(Cpu c, int outcome) {
        c.flags.setArithmetic(
                switch (outcome) {
                    case SseFloat.EQUAL -> Flags.ZF;
                    case SseFloat.LESS -> Flags.CF;
                    case SseFloat.GREATER -> 0;
                    default -> Flags.ZF | Flags.PF | Flags.CF;
                });
    }

    private static void ptest(Cpu c, Instruction i) {
        c.requireSse();
        SimdForms.source128(c, i);
        long[] x = c.fpu.xmm;
        int d = i.reg0 << 1;
        boolean zero = (x[d] & c.lo | x[d + 1] & c.hi) == 0;
        boolean carry = (~x[d] & c.lo | ~x[d + 1] & c.hi) == 0;
        c.flags.setArithmetic((zero ? Flags.ZF : 0) | (carry ? Flags.CF : 0));
    }
}
