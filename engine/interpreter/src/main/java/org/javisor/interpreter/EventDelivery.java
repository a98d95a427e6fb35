package org.javisor.interpreter;

import org.javisor.device.LocalInterruptController;
import org.javisor.hypervisor.VcpuState;

/**
 * What a processor does about the events that its {@link Attention} was called to, and about
 * exceptions: whether it runs, halts or waits, and what it holds off meanwhile.
 */
final class EventDelivery {
    private final Cpu cpu;
    private final Attention attention;
    private final DebugStops stops;
    private final ParavirtualClock paravirtualClock;
    private final Interrupts interrupts;
    private final HostSchedule hostSchedule = new HostSchedule();
    private LocalInterruptController controller = LocalInterruptController.NONE;
    private volatile int startupVector;

    private VcpuState.Activity activity;

    /** Interrupts wait until after the next instruction. */
    private boolean shadow;

    private boolean nmiBlocked;

    // Figures
    private long halts;
    private long injected;

    EventDelivery(
            Cpu cpu, Attention attention, DebugStops stops, ParavirtualClock paravirtualClock) {
        this.cpu = cpu;
        this.attention = attention;
        this.stops = stops;
        this.paravirtualClock = paravirtualClock;
        this.interrupts = new Interrupts(cpu);
    }

    void connect(LocalInterruptController newController) {
        controller = newController;
    }

    /** From any thread. */
    void startUp(int vector) {
        startupVector = vector;
        attention.post(Attention.STARTUP);
    }

    /** To be called when something has changed on which it depends what is held off. */
    void updateMask() {
        int mask = Attention.INIT | Attention.EXIT | Attention.SETTLE;
        if (activity == VcpuState.Activity.WAITING_FOR_STARTUP) {
            mask |= Attention.STARTUP;
        } else {
            boolean held = stops.holdInterrupts(running());
            if (!nmiBlocked && !held) {
                mask |= Attention.NMI;
            }
            if (cpu.flags.has(Flags.IF) && !held) {
                mask |= Attention.INTERRUPT;
            }
        }
        attention.heed(mask);
    }

    boolean running() {
        return activity == VcpuState.Activity.RUNNING;
    }

    boolean shutDown() {
        return activity == VcpuState.Activity.SHUTDOWN;
    }

    boolean shadowed() {
        return shadow;
    }

    /** Interrupts wait until after the next instruction. */
    void beginShadow() {
        shadow = true;
        updateMask();
    }

    void endShadow() {
        shadow = false;
    }

    void halt() {
        activity = VcpuState.Activity.HALTED;
        updateMask();
    }

    /** Until something is due. */
    void sleep() {
        halts++;
        attention.sleep();
    }

    void nmiDone() {
        nmiBlocked = false;
        updateMask();
    }

    /** Delivers an exception, with RIP at the instruction that is to blame. */
    void raise(GuestFault fault) {
        if (!interrupts.raise(fault.vector, fault.errorCode)) {
            activity = VcpuState.Activity.SHUTDOWN;
        }
        shadow = false;
    }

    /** INT n, INT3, INTO; see {@link Interrupts#software}. */
    void software(int vector) {
        interrupts.software(vector);
    }

    /** Acts on the most urgent event that is due. */
    void take() {
        if (attention.posted(Attention.INIT)) {
            attention.clear(Attention.INIT);
            cpu.vcpu.resetProcessor(true);
        } else if (attention.due(Attention.STARTUP)) {
            attention.clear(Attention.STARTUP);
            begin(startupVector);
        } else if (attention.due(Attention.NMI)) {
            attention.clear(Attention.NMI);
            nmiBlocked = true;
            deliver(GuestFault.NMI);
        } else if (attention.due(Attention.INTERRUPT)) {
            attention.clear(Attention.INTERRUPT);
            takeInterrupt();
        }
    }

    private void takeInterrupt() {
        int vector = controller.acknowledge();
        if (vector < 0) {
            return;
        }
        injected++;
        if (paravirtualClock.reportsStolenTime()) {
            paravirtualClock.addStolen(hostSchedule.waitedSinceLast());
        }
        deliver(vector);
        postInterruptIfPending();
    }

    private void postInterruptIfPending() {
        if (controller.interruptPending()) {
            attention.post(Attention.INTERRUPT);
        }
    }

    private void deliver(int vector) {
        activity = VcpuState.Activity.RUNNING;
        if (!interrupts.interrupt(vector)) {
            activity = VcpuState.Activity.SHUTDOWN;
        }
    }

    private void begin(int vector) {
        cpu.segments.set(Cpu.CS, vector << 8, (long) vector << 12, 0xffff, 0x9b);
        cpu.rip = 0;
        activity = VcpuState.Activity.RUNNING;
        cpu.vcpu.codeSegmentChanged(0);
        updateMask();
    }

    /** The runner's thread leaves. */
    void end() {
        hostSchedule.close();
    }

    // Registers of the interrupt controller

    long cr8() {
        return controller.cr8();
    }

    void setCr8(long value) {
        controller.setCr8(value);
        attention.post(Attention.INTERRUPT);
    }

    long readApicMsr(int msr) {
        if (!controller.canReadMsr(msr)) {
            throw GuestFault.gp0();
        }
        return controller.readMsr(msr);
    }

    void writeApicMsr(int msr, long value) {
        if (!controller.writeMsr(msr, value)) {
            throw GuestFault.gp0();
        }
        postInterruptIfPending();
    }

    // State

    void save(VcpuState state) {
        state.activity = activity;
        state.interruptShadow = shadow;
        state.nmiBlocked = nmiBlocked;
        state.nmiPending = attention.posted(Attention.NMI);
        state.cr8 = controller.cr8();
    }

    void restore(VcpuState state) {
        activity = state.activity;
        shadow = state.interruptShadow;
        nmiBlocked = state.nmiBlocked;
        if (controller.cr8() != state.cr8) {
            controller.setCr8(state.cr8);
        }
        if (state.nmiPending) {
            attention.post(Attention.NMI);
        }
    }

    // Figures

    long halts() {
        return halts;
    }

    long injected() {
        return injected;
    }

    /** Exceptions and interrupts of a vector that were delivered. */
    long delivered(int vector) {
        return interrupts.delivered[vector];
    }
}
