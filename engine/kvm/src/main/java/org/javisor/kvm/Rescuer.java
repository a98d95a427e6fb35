package org.javisor.kvm;

import java.util.Map;
import java.util.Optional;
import org.javisor.device.Clock;
import org.javisor.hypervisor.CpuidTable;
import org.javisor.hypervisor.VcpuIo;
import org.javisor.hypervisor.VcpuState;
import org.javisor.interpreter.SingleInstruction;
import org.javisor.memory.GuestMemory;

/**
 * Carries out, by the interpreter, single instructions that the kernel's emulator refuses. The
 * interpreter is made when it is first needed, which on hardware is never.
 */
final class Rescuer {
    private final GuestMemory memory;
    private final Clock clock;
    private final CpuidTable cpuid;
    private final VcpuIo io;
    private Optional<SingleInstruction> interpreter = Optional.empty();

    Rescuer(GuestMemory memory, Clock clock, CpuidTable cpuid, VcpuIo io) {
        this.memory = memory;
        this.clock = clock;
        this.cpuid = cpuid;
        this.io = io;
    }

    private SingleInstruction interpreter() {
        if (interpreter.isEmpty()) {
            interpreter = Optional.of(new SingleInstruction(memory, clock, cpuid, io));
        }
        return interpreter.get();
    }

    /** The state after the instruction, with those of its MSRs only that have changed by it. */
    VcpuState execute(VcpuState before) {
        VcpuState after = interpreter().execute(before);
        // What stays the same need not be written, and some of it has side effects.
        Map<Integer, Long> unchanged = before.msrs;
        after.msrs.entrySet().removeAll(unchanged.entrySet());
        return after;
    }

    /** As {@link org.javisor.hypervisor.Vcpu#translate}: KVM_TRANSLATE would set accessed bits. */
    long translate(VcpuState state, long linear) {
        return interpreter().translate(state, linear);
    }

    void close() {
        interpreter.ifPresent(SingleInstruction::close);
    }
}
