package org.javisor.interpreter;

import org.javisor.x86.FpuState;

/** What a {@link CodeRunner} can change of a processor's registers, to be put back later. */
final class RegisterSnapshot {
    private final long[] gpr = new long[16];
    private long rip;
    private int arithmetic;
    private int system;
    private int cpl;
    private long cr2;
    private long kernelGsBase;
    private final int[] selector = new int[8];
    private final long[] base = new long[8];
    private final long[] limit = new long[8];
    private final int[] attributes = new int[8];
    private final FpuState fpu = new FpuState();

    void take(Cpu c) {
        System.arraycopy(c.gpr, 0, gpr, 0, 16);
        rip = c.rip;
        arithmetic = c.flags.arithmetic();
        system = c.flags.system;
        cpl = c.cpl;
        cr2 = c.control.cr2;
        kernelGsBase = c.msr.kernelGsBase;
        System.arraycopy(c.segments.selector, 0, selector, 0, 8);
        System.arraycopy(c.segments.base, 0, base, 0, 8);
        System.arraycopy(c.segments.limit, 0, limit, 0, 8);
        System.arraycopy(c.segments.attributes, 0, attributes, 0, 8);
        copy(c.fpu, fpu);
    }

    void putBack(Cpu c) {
        System.arraycopy(gpr, 0, c.gpr, 0, 16);
        c.rip = rip;
        c.flags.setArithmetic(arithmetic);
        c.control.cr2 = cr2;
        c.msr.kernelGsBase = kernelGsBase;
        for (int n = 0; n < 8; n++) {
            c.segments.set(n, selector[n], base[n], limit[n], attributes[n]);
        }
        copy(fpu, c.fpu);
        c.flags.system = system;
        c.vcpu.codeSegmentChanged(cpl);
        c.vcpu.flagsChanged();
    }

    long rip() {
        return rip;
    }

    long register(int n) {
        return gpr[n];
    }

    int flags() {
        return system | arithmetic;
    }

    int cpl() {
        return cpl;
    }

    private static void copy(FpuState from, FpuState to) {
        System.arraycopy(from.xmm, 0, to.xmm, 0, 2 * FpuState.VECTORS);
        System.arraycopy(from.ymmHigh, 0, to.ymmHigh, 0, 2 * FpuState.VECTORS);
        System.arraycopy(from.significand, 0, to.significand, 0, 8);
        System.arraycopy(from.signExponent, 0, to.signExponent, 0, 8);
        to.control = from.control;
        to.status = from.status;
        to.top = from.top;
        to.valid = from.valid;
        to.lastInstruction = from.lastInstruction;
        to.lastData = from.lastData;
        to.lastInstructionSelector = from.lastInstructionSelector;
        to.lastDataSelector = from.lastDataSelector;
        to.lastOpcode = from.lastOpcode;
        to.mxcsr = from.mxcsr;
    }
}
