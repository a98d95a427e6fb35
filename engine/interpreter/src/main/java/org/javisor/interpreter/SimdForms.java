package org.javisor.interpreter;

import org.javisor.x86.FpuState;
import org.javisor.x86.Instruction;
import org.javisor.x86.Mxcsr;

/**
 * The operand forms that SSE instructions share: register and aligned memory sources, and how they
 * end.
 */
final class SimdForms {
    /** Changes the XMM register at {@code x[d]}, {@code x[d + 1]} by a 128-bit source operand. */
    @FunctionalInterface
    interface Operation {
        void apply(long[] x, int d, long low, long high);
    }

    private SimdForms() {}

    /** {@code op xmm, xmm/m128} on integers; legacy SSE memory operands must be aligned. */
    static Handler binary(Instruction i, Operation f) {
        if (i.kind1 == Instruction.MEM) {
            return (c, j) -> {
                c.requireSse();
                loadAligned(c, j);
                f.apply(c.fpu.xmm, j.reg0 << 1, c.lo, c.hi);
            };
        }
        return (c, j) -> {
            c.requireSse();
            long[] x = c.fpu.xmm;
            int s = j.reg1 << 1;
            f.apply(x, j.reg0 << 1, x[s], x[s + 1]);
        };
    }

    static void set(long[] x, int d, long low, long high) {
        x[d] = low;
        x[d + 1] = high;
    }

    /**
     * Brings the second operand, register or aligned memory, to {@link Cpu#lo} and {@link Cpu#hi}.
     */
    static void source128(Cpu c, Instruction i) {
        if (i.kind1 == Instruction.MEM) {
            loadAligned(c, i);
        } else {
            c.lo = c.fpu.xmm[i.reg1 << 1];
            c.hi = c.fpu.xmm[(i.reg1 << 1) + 1];
        }
    }

    static long source64(Cpu c, Instruction i) {
        return i.kind1 == Instruction.MEM ? c.load64(i) : c.fpu.xmm[i.reg1 << 1];
    }

    static int source32(Cpu c, Instruction i) {
        return i.kind1 == Instruction.MEM ? c.load32(i) : (int) c.fpu.xmm[i.reg1 << 1];
    }

    static void loadAligned(Cpu c, Instruction i) {
        long linear = c.linearAddress(i);
        if ((linear & 15) != 0) {
            throw GuestFault.gp0();
        }
        c.lo = c.mmu.read64(linear);
        c.hi = c.mmu.read64(linear + 8);
    }

    static void storeAligned(Cpu c, Instruction i, long low, long high) {
        c.checkAligned(i, 16);
        c.store128(i, low, high);
    }

    /**
     * Raises the floating-point exceptions found; to be called before the first change of state.
     */
    static void settle(Cpu c) {
        FpuState f = c.fpu;
        if (f.raised != 0 && !c.settleLater && Mxcsr.settle(f)) {
            throw c.control.has4(ControlRegisters.CR4_OSXMMEXCPT)
                    ? GuestFault.of(GuestFault.XM)
                    : GuestFault.ud();
        }
    }

    /** Replaces the low doubleword of the register at {@code x[d]}. */
    static void setLow32(long[] x, int d, int value) {
        x[d] = x[d] & ~0xffffffffL | value & 0xffffffffL;
    }
}
