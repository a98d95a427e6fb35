package org.javisor.interpreter;

import org.javisor.x86.FxsaveImage;
import org.javisor.x86.Instruction;
import org.javisor.x86.XsaveImage;

/**
 * FXSAVE, XSAVE and their relatives, and MXCSR (Intel SDM vol. 1, 10.5 and chapter 13). XSAVES and
 * XRSTORS are not offered by CPUID and undefined.
 */
final class FpuAreaHandlers {
    private FpuAreaHandlers() {}

    static Handler select(Instruction i) {
        return i.vex() ? null : selectSse(i);
    }

    /** As above, of a VEX encoding too. */
    static Handler selectSse(Instruction i) {
        return switch (i.op) {
            case FXSAVE -> FpuAreaHandlers::fxsave;
            case FXRSTOR -> FpuAreaHandlers::fxrstor;
            case LDMXCSR -> FpuAreaHandlers::ldmxcsr;
            case STMXCSR -> FpuAreaHandlers::stmxcsr;
            case XSAVE -> (c, x) -> xsave(c, x, false);
            case XSAVEOPT -> (c, x) -> xsave(c, x, true);
            case XSAVEC -> FpuAreaHandlers::xsavec;
            case XRSTOR -> FpuAreaHandlers::xrstor;
            case XSAVES, XRSTORS -> FpuAreaHandlers::undefined;
            default -> null;
        };
    }

    private static void undefined(Cpu c, Instruction i) {
        throw GuestFault.ud();
    }

    private static int xmmRegisters(Cpu c) {
        return c.code64 ? 16 : 8;
    }

    private static boolean wide(Instruction i) {
        return i.operandSize == 8;
    }

    private static void fxsave(Cpu c, Instruction i) {
        c.requireFpu();
        c.checkAligned(i, 16);
        // All 512 bytes must be writable although the last of them stay as they are.
        c.checkWritable(i);
        byte[] area = c.fpuArea;
        FxsaveImage.writeX87(c.fpu, area, wide(i));
        FxsaveImage.writeMxcsr(c.fpu, area);
        FxsaveImage.writeXmm(c.fpu, area, xmmRegisters(c));
        c.storeBytes(i, area, c.code64 ? FxsaveImage.USED : FxsaveImage.USED - 128);
    }

    private static void fxrstor(Cpu c, Instruction i) {
        c.requireFpu();
        c.checkAligned(i, 16);
        byte[] area = c.fpuArea;
        c.loadBytes(i, area, FxsaveImage.SIZE);
        int mxcsr = checkMxcsr(FxsaveImage.mxcsr(area));
        FxsaveImage.readX87(c.fpu, area, wide(i));
        FxsaveImage.readXmm(c.fpu, area, xmmRegisters(c));
        c.fpu.mxcsr = mxcsr;
    }

    private static int checkMxcsr(int value) {
        if ((value & ~FxsaveImage.MXCSR_MASK) != 0) {
            throw GuestFault.gp0();
        }
        return value;
    }

    private static void ldmxcsr(Cpu c, Instruction i) {
        c.requireSse();
        c.fpu.mxcsr = checkMxcsr(c.load32(i));
    }

    private static void stmxcsr(Cpu c, Instruction i) {
        c.requireSse();
        c.store32(i, c.fpu.mxcsr);
    }

    /** Checks what all of the XSAVE family check; the requested-feature bitmap. */
    private static long enterXsave(Cpu c, Instruction i) {
        if (!c.control.has4(ControlRegisters.CR4_OSXSAVE)) {
            throw GuestFault.ud();
        }
        if ((c.control.cr0 & ControlRegisters.CR0_TS) != 0) {
            throw GuestFault.of(GuestFault.NM);
        }
        c.checkAligned(i, 64);
        return c.control.xcr0 & (c.gpr[Cpu.RDX] << 32 | c.gpr[Cpu.RAX] & 0xffffffffL);
    }

    /** Loads the area that a save will overwrite in part; faults as a write. */
    private static int loadForUpdate(Cpu c, Instruction i, long written) {
        int size = XsaveImage.size(written);
        c.mmu.checkWritable(c.linearAddress(i), size);
        c.loadBytes(i, c.fpuArea, size);
        return size;
    }

    private static void xsave(Cpu c, Instruction i, boolean optimised) {
        long requested = enterXsave(c, i);
        long written = optimised ? requested & XsaveImage.inUse(c.fpu) : requested;
        int size = loadForUpdate(c, i, written);
        XsaveImage.save(c.fpu, c.fpuArea, requested, optimised, wide(i), xmmRegisters(c));
        c.storeBytes(i, c.fpuArea, size);
    }

    private static void xsavec(Cpu c, Instruction i) {
        long requested = enterXsave(c, i);
        int size = loadForUpdate(c, i, requested & XsaveImage.inUse(c.fpu));
        XsaveImage.saveCompacted(c.fpu, c.fpuArea, requested, wide(i), xmmRegisters(c));
        c.storeBytes(i, c.fpuArea, size);
    }

    private static void xrstor(Cpu c, Instruction i) {
        long requested = enterXsave(c, i);
        c.loadBytes(i, c.fpuArea, XsaveImage.SIZE);
        if (XsaveImage.size(XsaveImage.loaded(c.fpuArea, requested)) > XsaveImage.SIZE) {
            c.loadBytes(i, c.fpuArea, XsaveImage.FULL_SIZE);
        }
        if (!XsaveImage.restore(
                c.fpu, c.fpuArea, requested, c.control.xcr0, wide(i), xmmRegisters(c))) {
            throw GuestFault.gp0();
        }
    }
}
