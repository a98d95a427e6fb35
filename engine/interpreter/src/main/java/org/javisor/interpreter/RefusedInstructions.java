package org.javisor.interpreter;

import java.util.Arrays;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.javisor.device.Clock;
import org.javisor.hypervisor.CpuidTable;
import org.javisor.hypervisor.DebugRequest;
import org.javisor.hypervisor.ExitReason;
import org.javisor.hypervisor.VcpuIo;
import org.javisor.hypervisor.VcpuState;
import org.javisor.memory.GuestMemory;
import org.javisor.x86.Op;

/**
 * Carries out instructions for a processor that another engine runs, where that engine refuses to.
 * Guest memory may change behind its back between two calls: nothing is kept of code or
 * translations.
 *
 * <p>For one processor and its thread. Close it before the memory.
 */
public final class RefusedInstructions implements AutoCloseable {
    private static final DebugRequest ONE = new DebugRequest(true, true, List.of(), List.of());

    /** Bytes that an instruction may have, and one. */
    private static final int LONGEST = 16;

    private static final long PAGE = -GuestMemory.PAGE_SIZE;

    /** In an XSAVE area: the legacy part, and which components hold something. */
    private static final int LEGACY = 512, COMPONENTS = 512, HEADER_END = 576;

    private final InterpreterVm vm;
    private final InterpreterVcpu vcpu;
    private final Set<Integer> knownMsrs = new HashSet<>();

    /** Operations that {@link #execute} was called for: the other engine refuses them. */
    private final Set<Op> refused = EnumSet.noneOf(Op.class);

    /** Linear address of an instruction whose pages have been read again. */
    private long fresh;

    /**
     * @param cpuid what CPUID answers on that processor
     * @param io takes the instruction's accesses to ports and memory-mapped registers
     */
    public RefusedInstructions(GuestMemory memory, Clock clock, CpuidTable cpuid, VcpuIo io) {
        vm = new InterpreterVm(memory, clock);
        vcpu = new InterpreterVcpu(vm, 0, cpuid, io);
        // There are other processors at work on the same memory: locked operations are to be
        // atomic.
        vm.createVcpu(0, cpuid, io);
        vm.createVcpu(1, cpuid, io);
        vcpu.setDebug(ONE);
        Arrays.stream(MsrAccess.snapshotIndices()).forEach(knownMsrs::add);
    }

    /**
     * Carries out the instruction that the processor stands at, or delivers the exception that it
     * raises; then those that follow, as long as they do what has been refused before: handing over
     * a processor's state costs far more than the instructions do. Interrupts are not taken. An
     * iteration of a repeated string instruction counts as an instruction.
     *
     * @param before not changed
     * @param limit how many at most, 1 or more
     * @return the state afterwards; what this engine does not know, such as further state
     *     components and MSRs, is as before
     */
    public VcpuState execute(VcpuState before, int limit) {
        VcpuState known = copy(before);
        known.msrs.keySet().retainAll(knownMsrs);
        vcpu.setState(known);
        forgetCode(vcpu.linearRip());
        Op first = next();
        if (first != Op.INVALID) {
            refused.add(first);
        }
        int left = limit;
        do {
            ExitReason reason = vcpu.run();
            if (reason != ExitReason.DEBUG && reason != ExitReason.SHUTDOWN) {
                throw new AssertionError("A single instruction ended with " + reason);
            }
        } while (--left > 0 && vcpu.events().running() && refused.contains(next()));
        VcpuState after = vcpu.state();
        before.msrs.forEach(after.msrs::putIfAbsent);
        after.xsave = merge(before.xsave, after.xsave);
        after.cr8 = before.cr8;
        after.tscOffset = before.tscOffset;
        return after;
    }

    /** What the instruction at RIP does; {@link Op#INVALID} also if it cannot be fetched. */
    private Op next() {
        long at = vcpu.linearRip();
        if (pages(at) != pages(fresh)) {
            forgetCode(at);
        }
        ControlRegisters control = vcpu.cpu().control;
        long cr2 = control.cr2;
        try {
            return vcpu.next().op;
        } catch (GuestFault notThere) {
            control.cr2 = cr2;
            return Op.INVALID;
        }
    }

    /**
     * Translates a linear address as the processor in that state would, without setting accessed
     * bits and without permission checks.
     *
     * @return the guest-physical address, or -1 if it is not mapped
     */
    public long translate(VcpuState state, long linear) {
        VcpuState known = copy(state);
        known.msrs.clear();
        vcpu.setState(known);
        return vcpu.translate(linear);
    }

    private void forgetCode(long linear) {
        fresh = linear;
        for (long at = linear & PAGE; at - linear < LONGEST; at += GuestMemory.PAGE_SIZE) {
            long gpa = vcpu.translate(at);
            if (gpa != -1) {
                vm.codeCache().drop(gpa & PAGE);
            }
        }
    }

    /** One value for one or two pages that an instruction may lie on. */
    private static long pages(long linear) {
        return (linear & PAGE) + (linear + LONGEST - 1 & PAGE);
    }

    private static VcpuState copy(VcpuState from) {
        VcpuState to = new VcpuState();
        System.arraycopy(from.gpr, 0, to.gpr, 0, to.gpr.length);
        to.rip = from.rip;
        to.rflags = from.rflags;
        System.arraycopy(from.segments, 0, to.segments, 0, to.segments.length);
        to.gdtr = from.gdtr;
        to.idtr = from.idtr;
        to.cr0 = from.cr0;
        to.cr2 = from.cr2;
        to.cr3 = from.cr3;
        to.cr4 = from.cr4;
        to.cr8 = from.cr8;
        to.xcr0 = from.xcr0;
        to.efer = from.efer;
        System.arraycopy(from.dr, 0, to.dr, 0, to.dr.length);
        to.xsave = from.xsave.clone();
        to.msrs.putAll(from.msrs);
        to.activity = from.activity;
        to.interruptShadow = from.interruptShadow;
        to.nmiBlocked = from.nmiBlocked;
        to.nmiPending = from.nmiPending;
        to.tscOffset = from.tscOffset;
        return to;
    }

    /** This engine's components in the place of the other's; the rest stays. */
    private static byte[] merge(byte[] theirs, byte[] ours) {
        if (ours.length >= theirs.length) {
            return ours;
        }
        byte[] result = theirs.clone();
        System.arraycopy(ours, 0, result, 0, LEGACY);
        if (ours.length > HEADER_END) {
            System.arraycopy(ours, HEADER_END, result, HEADER_END, ours.length - HEADER_END);
        }
        int kept = ours.length > HEADER_END ? ~7 : ~3;
        result[COMPONENTS] = (byte) (theirs[COMPONENTS] & kept | ours[COMPONENTS]);
        return result;
    }

    @Override
    public void close() {
        vm.close();
    }
}
