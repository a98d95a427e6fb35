package org.javisor.kvm;

import java.util.Map;
import java.util.Optional;
import org.javisor.device.Clock;
import org.javisor.hypervisor.CpuidTable;
import org.javisor.hypervisor.VcpuIo;
import org.javisor.hypervisor.VcpuState;
import org.javisor.interpreter.RefusedInstructions;
import org.javisor.memory.GuestMemory;

/**
 * Carries out, by the interpreter, instructions that the kernel's emulator refuses. The interpreter
 * is made when it is first needed, which on hardware is never.
 */
final class Rescuer {
    /** Instructions in a row; interrupts wait that long. */
    private static final int AT_ONCE = 64;

    private final GuestMemory memory;
    private final Clock clock;
    private final CpuidTable cpuid;
    private final VcpuIo io;
    private Optional<RefusedInstructions> interpreter = Optional.empty();

    Rescuer(GuestMemory memory, Clock clock, CpuidTable cpuid, VcpuIo io) {
        this.memory = memory;
        this.clock = clock;
        this.cpuid = cpuid;
        this.io = io;
    }

    private RefusedInstructions interpreter() {
        if (interpreter.isEmpty()) {
            interpreter = Optional.of(new RefusedInstructions(memory, clock, cpuid, io));
        }
        return interpreter.get();
    }

    /**
     * The state after the instruction, with those of its MSRs only that have changed by it.
     *
     * @param alone whether the instructions that follow are none of its business
     */
    VcpuState execute(VcpuState before, boolean alone) {
        VcpuState after = interpreter().execute(before, alone ? 1 : AT_ONCE);
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
        interpreter.ifPresent(RefusedInstructions::close);
    }
}
