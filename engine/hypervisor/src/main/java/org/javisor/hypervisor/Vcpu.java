package org.javisor.hypervisor;

import org.javisor.device.LocalApicState;
import org.javisor.device.LocalInterruptController;
import org.javisor.device.ProcessorPins;

/**
 * A virtual processor. One thread runs it; the pins and {@link #requestExit} may be used from any
 * thread; everything else is for the running thread, or any thread while the processor is outside
 * {@link #run}.
 */
public interface Vcpu extends ProcessorPins {
    int index();

    /**
     * Connects the processor's interrupt controller. Must precede the first run on engines that
     * have none of their own.
     */
    void connect(LocalInterruptController controller);

    /**
     * Runs guest instructions until there is a reason to return. A processor that is halted or
     * waits for start-up sleeps inside, using no host processor. Port and memory-mapped accesses
     * are answered through the {@link VcpuIo} meanwhile, on this thread.
     */
    ExitReason run();

    /**
     * Makes {@link #run} return {@link ExitReason#REQUESTED} soon, now or at its next call; several
     * requests before it does are one. From any thread.
     */
    void requestExit();

    /** A copy of the whole architectural state. */
    VcpuState state();

    /**
     * Takes over a state.
     *
     * @throws IllegalArgumentException if the engine cannot hold it (an MSR or state component it
     *     lacks)
     */
    void setState(VcpuState state);

    /**
     * The local APIC's state where it is the engine's own.
     *
     * @throws IllegalStateException if the machine has connected one
     */
    default LocalApicState localApic() {
        throw new IllegalStateException("This processor's local APIC is the machine's");
    }

    /**
     * Takes over a local APIC's state, whichever engine it comes from. To be called after {@link
     * #setState}.
     *
     * @throws IllegalStateException if the machine has connected one
     * @throws IllegalArgumentException if the engine cannot hold it
     */
    default void setLocalApic(LocalApicState state) {
        throw new IllegalStateException("This processor's local APIC is the machine's");
    }

    /**
     * The time-stamp counter as the guest would read it now, in ticks of {@link Vm#tscFrequency()}:
     * what a local APIC compares its deadline with. From any thread.
     */
    long tsc();

    /** RESET: the state after power-on again. */
    void reset();

    /**
     * Translates a linear address with the processor's current paging, without setting accessed or
     * dirty bits and without permission checks; for debuggers.
     *
     * @return the guest-physical address, or -1 if it is not mapped
     */
    long translate(long linear);

    /**
     * What a debugger wants to stop at; replaces what it wanted before. With debugging on, {@code
     * run} returns {@link ExitReason#DEBUG} before the instruction at a breakpoint, after a single
     * step, after a watched access. The next {@code run} carries out the instruction that the
     * processor then stands at, be there a breakpoint or not, and takes no interrupt before it.
     */
    void setDebug(DebugRequest request);

    /**
     * After {@link ExitReason#DEBUG}: the linear address of the watched access, or -1 for a
     * breakpoint or step.
     */
    long debugAddress();

    /** After {@link ExitReason#FAILURE}: one line on what the engine could not do. */
    String failure();
}
