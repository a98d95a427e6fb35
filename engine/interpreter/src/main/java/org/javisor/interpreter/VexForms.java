package org.javisor.interpreter;

import org.javisor.x86.FpuState;
import org.javisor.x86.Instruction;

/**
 * The operands of VEX-encoded vector instructions: sources of 128 and 256 bits, and destinations,
 * whose upper half a 128-bit operation clears.
 */
final class VexForms {
    /** Working registers behind the sixteen of the state: what they hold is nobody's. */
    static final int FIRST = FpuState.VECTORS, SECOND = FIRST + 1;

    private VexForms() {}

    /** Whether an operand has 256 bits. */
    static boolean wide(Instruction i) {
        return i.memorySize == 32
                || i.kind0 == Instruction.YMM
                || i.kind1 == Instruction.YMM
                || i.kind2 == Instruction.YMM;
    }

    static boolean isVector(int kind) {
        return kind == Instruction.XMM || kind == Instruction.YMM;
    }

    /** Whether the second operand is a first source, in VEX.vvvv, and the third another. */
    static boolean hasTwoSources(Instruction i) {
        return isVector(i.kind1) && i.kind2 != Instruction.NONE && i.kind2 != Instruction.IMM;
    }

    /**
     * Brings a register or a memory operand of 128 or 256 bits, at any address, to {@link Cpu#lo}
     * and its fellows.
     */
    static void source(Cpu c, Instruction i, int kind, int register, boolean wide) {
        if (kind == Instruction.MEM) {
            if (wide) {
                c.load256(i);
            } else {
                c.load128(i);
            }
            return;
        }
        long[] x = c.fpu.xmm;
        int s = register << 1;
        c.lo = x[s];
        c.hi = x[s + 1];
        if (wide) {
            long[] y = c.fpu.ymmHigh;
            c.lo2 = y[s];
            c.hi2 = y[s + 1];
        }
    }

    static void set128(Cpu c, int register, long low, long high) {
        long[] x = c.fpu.xmm;
        int d = register << 1;
        x[d] = low;
        x[d + 1] = high;
        clearHigh(c, register);
    }

    static void set256(Cpu c, int register, long first, long second, long third, long fourth) {
        long[] x = c.fpu.xmm;
        long[] y = c.fpu.ymmHigh;
        int d = register << 1;
        x[d] = first;
        x[d + 1] = second;
        y[d] = third;
        y[d + 1] = fourth;
    }

    static void clearHigh(Cpu c, int register) {
        long[] y = c.fpu.ymmHigh;
        int d = register << 1;
        y[d] = 0;
        y[d + 1] = 0;
    }

    /** Bits 64 * n to 64 * n + 63 of a register. */
    static long quadword(Cpu c, int register, int n) {
        return (n < 2 ? c.fpu.xmm : c.fpu.ymmHigh)[(register << 1) + (n & 1)];
    }

    static void setQuadword(Cpu c, int register, int n, long value) {
        (n < 2 ? c.fpu.xmm : c.fpu.ymmHigh)[(register << 1) + (n & 1)] = value;
    }

    /** Bits 32 * n to 32 * n + 31 of a register. */
    static int doubleword(Cpu c, int register, int n) {
        return (int) (quadword(c, register, n >> 1) >>> ((n & 1) << 5));
    }

    static void setDoubleword(Cpu c, int register, int n, int value) {
        int shift = (n & 1) << 5;
        long rest = quadword(c, register, n >> 1) & ~(0xffffffffL << shift);
        setQuadword(c, register, n >> 1, rest | (value & 0xffffffffL) << shift);
    }
}
