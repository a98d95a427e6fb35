package org.javisor.interpreter;

import static org.javisor.interpreter.ControlRegisters.*;

import org.javisor.device.LocalInterruptController;
import org.javisor.x86.Instruction;

/**
 * RDMSR and WRMSR (Intel SDM vol. 4). What is not known here raises #GP, as the architecture has
 * it.
 */
final class MsrAccess {
    static final int TSC = 0x10,
            PLATFORM_ID = 0x17,
            FEATURE_CONTROL = 0x3a,
            TSC_ADJUST = 0x3b,
            UCODE_WRITE = 0x79;
    static final int UCODE_REVISION = 0x8b,
            MTRR_CAP = 0xfe,
            SYSENTER_CS = 0x174,
            SYSENTER_ESP = 0x175;
    static final int SYSENTER_EIP = 0x176, MCG_CAP = 0x179, MCG_STATUS = 0x17a, MISC_ENABLE = 0x1a0;
    static final int ARCH_CAPABILITIES = 0x10a;
    static final int MTRR_PHYSBASE0 = 0x200,
            MTRR_PHYSMASK7 = 0x20f,
            PAT = 0x277,
            MTRR_DEF_TYPE = 0x2ff;
    static final int EFER = 0xc0000080, STAR = 0xc0000081, LSTAR = 0xc0000082, CSTAR = 0xc0000083;
    static final int FMASK = 0xc0000084,
            FS_BASE = 0xc0000100,
            GS_BASE = 0xc0000101,
            KERNEL_GS_BASE = 0xc0000102;
    static final int TSC_AUX = 0xc0000103;

    private static final int[] MTRR_FIXED = {
        0x250, 0x258, 0x259, 0x268, 0x269, 0x26a, 0x26b, 0x26c, 0x26d, 0x26e, 0x26f
    };

    private MsrAccess() {}

    static void read(Cpu c, Instruction i) {
        c.requireCpl0();
        long value = get(c, (int) c.gpr[Cpu.RCX]);
        c.gpr[Cpu.RAX] = value & 0xffffffffL;
        c.gpr[Cpu.RDX] = value >>> 32;
    }

    static void write(Cpu c, Instruction i) {
        c.requireCpl0();
        long value = c.gpr[Cpu.RDX] << 32 | c.gpr[Cpu.RAX] & 0xffffffffL;
        set(c, (int) c.gpr[Cpu.RCX], value);
    }

    /**
     * @throws GuestFault #GP if the register does not exist
     */
    static long get(Cpu c, int index) {
        ModelSpecificRegisters m = c.msr;
        return switch (index) {
            case TSC -> c.vcpu.tsc();
            case PLATFORM_ID, UCODE_WRITE, MCG_CAP, MCG_STATUS -> 0;
            case FEATURE_CONTROL -> 1; // locked, without VMX
            case TSC_ADJUST -> m.tscAdjust;
            case UCODE_REVISION -> 1L << 32;
            case MTRR_CAP -> 0x508; // write-combining, fixed ranges, 8 variable ranges
            case ARCH_CAPABILITIES -> Identification.ARCH_CAPABILITIES;
            case SYSENTER_CS -> m.sysenterCs;
            case SYSENTER_ESP -> m.sysenterEsp;
            case SYSENTER_EIP -> m.sysenterEip;
            case MISC_ENABLE -> m.miscEnable;
            case PAT -> m.pat;
            case MTRR_DEF_TYPE -> m.mtrrDefault;
            case EFER -> c.control.efer;
            case STAR -> m.star;
            case LSTAR -> m.lstar;
            case CSTAR -> m.cstar;
            case FMASK -> m.fmask;
            case FS_BASE -> c.segments.base[Cpu.FS];
            case GS_BASE -> c.segments.base[Cpu.GS];
            case KERNEL_GS_BASE -> m.kernelGsBase;
            case TSC_AUX -> m.tscAux;
            default -> getOther(c, index);
        };
    }

    private static long getOther(Cpu c, int index) {
        if (LocalInterruptController.ownsMsr(index)) {
            return c.vcpu.events().readApicMsr(index);
        }
        if (index >= MTRR_PHYSBASE0 && index <= MTRR_PHYSMASK7) {
            return c.msr.mtrrVariable[index - MTRR_PHYSBASE0];
        }
        int fixed = fixedMtrr(index);
        if (fixed >= 0) {
            return c.msr.mtrrFixed[fixed];
        }
        if (ParavirtualClock.owns(index)) {
            return c.vcpu.paravirtualClock().read(index);
        }
        throw GuestFault.gp0();
    }

    /**
     * @throws GuestFault #GP if the register does not exist or refuses the value
     */
    static void set(Cpu c, int index, long value) {
        ModelSpecificRegisters m = c.msr;
        switch (index) {
            case TSC -> c.vcpu.timeStamp().set(value);
            case TSC_ADJUST -> c.vcpu.timeStamp().setAdjust(value);
            case UCODE_WRITE, UCODE_REVISION, MCG_STATUS -> {}
            case SYSENTER_CS -> m.sysenterCs = value;
            case SYSENTER_ESP -> m.sysenterEsp = canonical(value);
            case SYSENTER_EIP -> m.sysenterEip = canonical(value);
            case MISC_ENABLE -> m.miscEnable = value;
            case PAT -> m.pat = checkedPat(value);
            case MTRR_DEF_TYPE -> m.mtrrDefault = value & 0xcff;
            case EFER -> setEfer(c, value);
            case STAR -> m.star = value;
            case LSTAR -> m.lstar = canonical(value);
            case CSTAR -> m.cstar = canonical(value);
            case FMASK -> m.fmask = value & 0xffffffffL;
            case FS_BASE -> c.segments.base[Cpu.FS] = canonical(value);
            case GS_BASE -> c.segments.base[Cpu.GS] = canonical(value);
            case KERNEL_GS_BASE -> m.kernelGsBase = canonical(value);
            case TSC_AUX -> m.tscAux = value & 0xffffffffL;
            default -> setOther(c, index, value);
        }
    }

    private static void setOther(Cpu c, int index, long value) {
        if (LocalInterruptController.ownsMsr(index)) {
            c.vcpu.events().writeApicMsr(index, value);
            return;
        }
        if (index >= MTRR_PHYSBASE0 && index <= MTRR_PHYSMASK7) {
            c.msr.mtrrVariable[index - MTRR_PHYSBASE0] = value;
            return;
        }
        int fixed = fixedMtrr(index);
        if (fixed >= 0) {
            c.msr.mtrrFixed[fixed] = value;
            return;
        }
        if (ParavirtualClock.owns(index) && c.vcpu.paravirtualClock().write(index, value)) {
            return;
        }
        throw GuestFault.gp0();
    }

    private static int fixedMtrr(int index) {
        for (int n = 0; n < MTRR_FIXED.length; n++) {
            if (MTRR_FIXED[n] == index) {
                return n;
            }
        }
        return -1;
    }

    private static long canonical(long value) {
        if (value << 16 >> 16 != value) {
            throw GuestFault.gp0();
        }
        return value;
    }

    private static long checkedPat(long value) {
        for (int n = 0; n < 64; n += 8) {
            int type = (int) (value >>> n) & 0xff;
            if (type > 7 || type == 2 || type == 3) {
                throw GuestFault.gp0();
            }
        }
        return value;
    }

    private static void setEfer(Cpu c, long value) {
        ControlRegisters r = c.control;
        boolean lmeChanges = ((r.efer ^ value) & EFER_LME) != 0;
        if ((value & ~EFER_DEFINED) != 0 || lmeChanges && r.paging()) {
            throw GuestFault.gp0();
        }
        boolean nxChanges = ((r.efer ^ value) & EFER_NXE) != 0;
        r.efer = value & ~EFER_LMA | r.efer & EFER_LMA;
        if (nxChanges) {
            c.mmu.flushAll();
            c.endBlock();
        }
    }

    /**
     * The registers that a snapshot holds by index, beyond those with fields of their own in the
     * state.
     */
    static int[] snapshotIndices() {
        int[] named = {
            TSC_ADJUST,
            SYSENTER_CS,
            SYSENTER_ESP,
            SYSENTER_EIP,
            MISC_ENABLE,
            PAT,
            MTRR_DEF_TYPE,
            STAR,
            LSTAR,
            CSTAR,
            FMASK,
            KERNEL_GS_BASE,
            TSC_AUX
        };
        int variable = MTRR_PHYSMASK7 - MTRR_PHYSBASE0 + 1;
        int[] clock = ParavirtualClock.MSRS;
        int[] all = new int[named.length + variable + MTRR_FIXED.length + clock.length];
        System.arraycopy(named, 0, all, 0, named.length);
        int at = named.length;
        for (int n = 0; n < variable; n++) {
            all[at++] = MTRR_PHYSBASE0 + n;
        }
        System.arraycopy(MTRR_FIXED, 0, all, at, MTRR_FIXED.length);
        System.arraycopy(clock, 0, all, at + MTRR_FIXED.length, clock.length);
        return all;
    }
}
