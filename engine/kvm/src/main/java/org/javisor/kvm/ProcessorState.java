package org.javisor.kvm;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.javisor.hypervisor.VcpuState;
import org.javisor.hypervisor.VcpuState.Activity;

/**
 * A processor's whole state, inside the kernel and as {@link VcpuState}: registers, time, activity;
 * and what power-on, INIT and start-up make of it.
 */
final class ProcessorState {
    private static final int INTERRUPT_FLAG = 0x200;

    /** Bits of CR0 that INIT keeps: cache disable, not write-through. */
    private static final long CACHE_CONTROL = 0x60000000L;

    // KVM_SET_MP_STATE
    private static final int RUNNABLE = 0, UNINITIALIZED = 1, INIT_RECEIVED = 2, HALTED = 3;
    private static final int SIPI_RECEIVED = 4;

    private final KvmHandle handle;
    private final boolean first;
    private final boolean hostApic;
    private final VcpuRegisters registers;
    private final Counter counter;
    private final OuterApic outer;
    private final MemorySegment mode;
    private final VcpuState powerOn = new VcpuState();
    private final ApicState apic;
    private final MemorySegment powerOnApic;
    private final long apicBase;

    /** Puts the processor into the state after power-on. */
    ProcessorState(
            KvmHandle handle,
            boolean first,
            boolean hostApic,
            VcpuRegisters registers,
            Counter counter,
            OuterApic outer,
            Arena arena) {
        this.handle = handle;
        this.first = first;
        this.hostApic = hostApic;
        this.registers = registers;
        this.counter = counter;
        this.outer = outer;
        apic = new ApicState(handle, registers);
        mode = arena.allocate(Layouts.MP_STATE);
        powerOnApic = arena.allocate(Layouts.LAPIC);
        powerOn.activity = first ? Activity.RUNNING : Activity.WAITING_FOR_STARTUP;
        restore(powerOn);
        registers.saveMsrs(powerOn);
        apicBase = registers.knownApicBase();
        if (hostApic) {
            handle.call(Ioctl.GET_LAPIC, powerOnApic);
        }
    }

    void reset() {
        if (hostApic) {
            registers.setApicBase(apicBase);
            handle.call(Ioctl.SET_LAPIC, powerOnApic);
        }
        restore(powerOn);
    }

    VcpuState save() {
        VcpuState state = new VcpuState();
        registers.save(state);
        Activity activity = outer.activity();
        state.activity = hostApic && activity != Activity.SHUTDOWN ? hostActivity() : activity;
        state.tscOffset = counter.lead();
        if (!hostApic) {
            state.cr8 = outer.controller().cr8();
        }
        return state;
    }

    /** Whether the kernel holds a non-maskable interrupt back. */
    boolean nmiPending() {
        return registers.nmiPending();
    }

    /** Of the kernel's own. */
    ApicState apic() {
        return apic;
    }

    private Activity hostActivity() {
        handle.call(Ioctl.GET_MP_STATE, mode);
        return switch (mode.get(ValueLayout.JAVA_INT, 0)) {
            case HALTED -> Activity.HALTED;
            case UNINITIALIZED, INIT_RECEIVED, SIPI_RECEIVED -> Activity.WAITING_FOR_STARTUP;
            default -> Activity.RUNNING;
        };
    }

    /**
     * @throws IllegalArgumentException if the host's processor or kernel cannot hold it
     */
    void restore(VcpuState state) {
        registers.restore(state);
        counter.setLead(state.tscOffset);
        restoreActivity(state);
        outer.stateSet((state.rflags & INTERRUPT_FLAG) != 0, state.interruptShadow);
    }

    /**
     * As {@link #restore} for a processor that is known to be in another state, with no more calls
     * than the difference needs.
     *
     * @param to a successor of {@code from} in the same time, with the MSRs only that changed
     * @throws IllegalArgumentException if the host's processor or kernel cannot hold it
     */
    void change(VcpuState from, VcpuState to) {
        registers.change(from, to);
        if (to.activity != from.activity || to.cr8 != from.cr8) {
            restoreActivity(to);
        }
        outer.stateSet((to.rflags & INTERRUPT_FLAG) != 0, to.interruptShadow);
    }

    private void restoreActivity(VcpuState state) {
        outer.setActivity(state.activity);
        if (hostApic && state.activity != Activity.SHUTDOWN) {
            int value =
                    switch (state.activity) {
                        case RUNNING, SHUTDOWN -> RUNNABLE;
                        case HALTED -> HALTED;
                        case WAITING_FOR_STARTUP -> INIT_RECEIVED;
                    };
            mode.set(ValueLayout.JAVA_INT, 0, value);
            handle.call(Ioctl.SET_MP_STATE, mode);
            outer.setActivity(Activity.RUNNING);
        } else if (outer.controller().cr8() != state.cr8) {
            outer.controller().setCr8(state.cr8);
        }
    }

    /** After INIT, which keeps the FPU and most MSRs (Intel SDM vol. 3A, table 9-1). */
    VcpuState initialized() {
        VcpuState now = save();
        VcpuState fresh = new VcpuState();
        fresh.xsave = now.xsave;
        fresh.msrs.putAll(now.msrs);
        fresh.cr0 |= now.cr0 & CACHE_CONTROL;
        fresh.tscOffset = now.tscOffset;
        fresh.activity = first ? Activity.RUNNING : Activity.WAITING_FOR_STARTUP;
        return fresh;
    }

    /** After a start-up message, whose vector is the page to begin at. */
    VcpuState started(int vector) {
        VcpuState start = save();
        start.segments[VcpuState.CS] =
                new VcpuState.Segment(vector << 8, (long) vector << 12, 0xffff, 0x9b);
        start.rip = 0;
        start.activity = Activity.RUNNING;
        return start;
    }
}
