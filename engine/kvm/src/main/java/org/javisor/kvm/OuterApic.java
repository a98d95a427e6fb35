package org.javisor.kvm;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.javisor.device.LocalInterruptController;
import org.javisor.hypervisor.VcpuState.Activity;

/**
 * A processor's interrupts, HLT and waiting for start-up, as far as they are not the kernel's own
 * affair: all of it where the local APIC is Javisor's, and the PIC's vectors where only that is.
 */
final class OuterApic {
    private final KvmHandle handle;
    private final RunPage page;
    private final Attention attention;
    private final GuestDebug debug;
    private final boolean hostApic;
    private final MemorySegment interrupt;

    private LocalInterruptController controller = LocalInterruptController.NONE;

    /** Without the kernel's APIC: what the processor does. With it: RUNNING or SHUTDOWN. */
    private Activity activity = Activity.RUNNING;

    private boolean interruptFlag;

    /** Whether an interrupt may be injected now; known after an exit. */
    private boolean ready;

    /** What the controller said its CR8 was before the stay in the guest. */
    private long cr8;

    /**
     * @param hostApic whether the local APIC is the kernel's
     */
    OuterApic(
            KvmHandle handle,
            RunPage page,
            Attention attention,
            GuestDebug debug,
            boolean hostApic,
            Arena arena) {
        this.handle = handle;
        this.page = page;
        this.attention = attention;
        this.debug = debug;
        this.hostApic = hostApic;
        interrupt = arena.allocate(Layouts.INTERRUPT);
    }

    void connect(LocalInterruptController newController) {
        controller = newController;
    }

    LocalInterruptController controller() {
        return controller;
    }

    Activity activity() {
        return activity;
    }

    void setActivity(Activity next) {
        activity = next;
    }

    /** HLT has been executed. */
    void halted() {
        activity = Activity.HALTED;
        interruptFlag = page.interruptFlag();
    }

    /** A state was set that the kernel has not run yet. */
    void stateSet(boolean newInterruptFlag, boolean shadow) {
        interruptFlag = newInterruptFlag;
        ready = interruptFlag && !shadow && !hostApic;
    }

    // Around a stay in the guest

    /**
     * Gives the processor an interrupt, or asks to be told when it would take one.
     *
     * @param withhold not now
     */
    void offerInterrupt(boolean withhold) {
        boolean window = false;
        if (!withhold && !debug.holdsInterrupts() && controller.interruptPending()) {
            if (ready) {
                int vector = controller.acknowledge();
                if (vector >= 0) {
                    interrupt.set(ValueLayout.JAVA_INT, 0, vector);
                    handle.call(Ioctl.INTERRUPT, interrupt);
                }
                ready = false;
                window = controller.interruptPending();
            } else {
                window = true;
            }
        }
        page.requestInterruptWindow(window);
    }

    void enter() {
        if (!hostApic) {
            cr8 = controller.cr8();
            page.setCr8(cr8);
        }
    }

    void left() {
        ready = page.readyForInterrupt();
        if (!hostApic && page.cr8() != cr8) {
            controller.setCr8(page.cr8());
        }
    }

    // Outside the guest

    void takeNmi() {
        activity = activity == Activity.HALTED ? Activity.RUNNING : activity;
        handle.call(Ioctl.NMI, 0);
    }

    /** HLT, or waiting for start-up, without the kernel's APIC. */
    void sleep() {
        attention.goToSleep();
        while (!wakes()) {
            attention.sleep();
        }
        attention.comeOutside();
    }

    private boolean wakes() {
        int now = attention.events();
        if ((now & (Attention.EXIT | Attention.INIT)) != 0) {
            return true;
        }
        if (activity == Activity.WAITING_FOR_STARTUP) {
            return (now & Attention.STARTUP) != 0;
        }
        if ((now & Attention.NMI) != 0) {
            return true;
        }
        if ((now & Attention.INTERRUPT) != 0) {
            attention.clear(Attention.INTERRUPT);
        }
        if (interruptFlag && !debug.holdsInterrupts() && controller.interruptPending()) {
            activity = Activity.RUNNING;
            return true;
        }
        return false;
    }
}
