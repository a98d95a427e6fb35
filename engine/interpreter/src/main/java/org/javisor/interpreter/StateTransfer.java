package org.javisor.interpreter;

import org.javisor.hypervisor.VcpuState;
import org.javisor.x86.XsaveImage;

/**
 * Between the processor's working state and the {@link VcpuState} that boot code, debuggers and
 * snapshots use.
 */
final class StateTransfer {
    private static final int[] MSRS = MsrAccess.snapshotIndices();

    private StateTransfer() {}

    static VcpuState save(Cpu c, InterpreterVcpu vcpu) {
        VcpuState s = new VcpuState();
        System.arraycopy(c.gpr, 0, s.gpr, 0, 16);
        s.rip = c.rip;
        s.rflags = c.flags.value();
        for (int n = 0; n < 8; n++) {
            s.segments[n] =
                    new VcpuState.Segment(
                            c.segments.selector[n],
                            c.segments.base[n],
                            (int) c.segments.limit[n],
                            c.segments.attributes[n]);
        }
        ControlRegisters r = c.control;
        s.gdtr = new VcpuState.TableRegister(r.gdtBase, r.gdtLimit);
        s.idtr = new VcpuState.TableRegister(r.idtBase, r.idtLimit);
        s.cr0 = r.cr0;
        s.cr2 = r.cr2;
        s.cr3 = r.cr3;
        s.cr4 = r.cr4;
        s.xcr0 = r.xcr0;
        s.efer = r.efer;
        System.arraycopy(c.debug.address, 0, s.dr, 0, 4);
        s.dr[6] = c.debug.dr6;
        s.dr[7] = c.debug.dr7;
        s.xsave = XsaveImage.toXsave(c.fpu);
        for (int index : MSRS) {
            s.msrs.put(index, MsrAccess.get(c, index));
        }
        vcpu.saveLoop(s);
        return s;
    }

    /**
     * @param clearMsrs whether registers that the state does not name go back to their values after
     *     power-on
     */
    static void restore(Cpu c, InterpreterVcpu vcpu, VcpuState s, boolean clearMsrs) {
        System.arraycopy(s.gpr, 0, c.gpr, 0, 16);
        c.rip = s.rip;
        c.flags.setValue(s.rflags);
        for (int n = 0; n < 8; n++) {
            VcpuState.Segment segment = s.segments[n];
            c.segments.set(
                    n, segment.selector(), segment.base(), segment.limit(), segment.attributes());
        }
        ControlRegisters r = c.control;
        r.gdtBase = s.gdtr.base();
        r.gdtLimit = s.gdtr.limit();
        r.idtBase = s.idtr.base();
        r.idtLimit = s.idtr.limit();
        r.cr0 = s.cr0;
        r.cr2 = s.cr2;
        r.cr3 = s.cr3;
        r.cr4 = s.cr4;
        r.xcr0 = s.xcr0;
        r.efer = s.efer;
        if (r.paging() && !r.longMode() && r.has4(ControlRegisters.CR4_PAE)) {
            c.mmu.walker().loadPdptes(r.cr3);
        }
        System.arraycopy(s.dr, 0, c.debug.address, 0, 4);
        c.debug.dr6 = s.dr[6];
        c.debug.dr7 = s.dr[7];
        XsaveImage.fromXsave(c.fpu, s.xsave);
        if (clearMsrs) {
            for (int index : MSRS) {
                MsrAccess.set(
                        c,
                        index,
                        index == MsrAccess.PAT
                                ? 0x0007040600070406L
                                : index == MsrAccess.MISC_ENABLE ? 1 : 0);
            }
        }
        c.cpl = c.control.protectedMode() ? c.segments.dpl(Cpu.SS) : 0;
        restoreMsrs(c, s);
        vcpu.restoreLoop(s);
    }

    private static void restoreMsrs(Cpu c, VcpuState s) {
        s.msrs.forEach(
                (index, value) -> {
                    try {
                        MsrAccess.set(c, index, value);
                    } catch (GuestFault refused) {
                        throw new IllegalArgumentException(
                                "MSR "
                                        + Integer.toHexString(index)
                                        + " cannot hold "
                                        + Long.toHexString(value));
                    }
                });
    }
}
