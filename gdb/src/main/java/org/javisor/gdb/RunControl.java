package org.javisor.gdb;

import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.SequencedMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.javisor.gdb.ResumeRequest.Action;
import org.javisor.hypervisor.DebugRequest;
import org.javisor.hypervisor.Vcpu;
import org.javisor.hypervisor.VcpuState;
import org.javisor.machine.Machine;

/**
 * Makes a debugged machine go on and stop. When one processor stops all do; of several that stop by
 * themselves at the same time the debugger is told one, and the others when it wants them to go on.
 */
final class RunControl {
    /** One processor's stop, with which the whole machine has stopped. */
    record Stop(int vcpu, StopCause cause) {}

    private final Machine machine;
    private final Processors processors;
    private final Breakpoints breakpoints;

    /** Processors that have met their debug requests, from the machine's threads. */
    private final Queue<Integer> met = new ConcurrentLinkedQueue<>();

    /** Why processors stand still, as far as the debugger has not been told. */
    private final SequencedMap<Integer, StopCause> untold = new LinkedHashMap<>();

    private boolean running;
    private ResumeRequest resumed;

    RunControl(Machine machine, Processors processors, Breakpoints breakpoints) {
        this.machine = machine;
        this.processors = processors;
        this.breakpoints = breakpoints;
        resumed = ResumeRequest.continueAll(processors.count());
    }

    boolean running() {
        return running;
    }

    /** The machine has ended, and so nothing runs any more. */
    void ended() {
        running = false;
    }

    /**
     * Stops the machine.
     *
     * @param onStop called later on one of the machine's threads, when {@link #afterStop} is due
     */
    void attach(Runnable onStop) {
        machine.attachDebugger(
                vcpu -> {
                    met.add(vcpu);
                    onStop.run();
                });
        machine.pause();
    }

    /** Takes every wish back; the machine stands still. */
    void detach() {
        machine.pause();
        running = false;
        machine.detachDebugger();
        for (Vcpu vcpu : machine.vcpus()) {
            vcpu.setDebug(DebugRequest.NONE);
        }
    }

    /**
     * Lets processors go on, unless one that is to has stopped before and the debugger not been
     * told.
     */
    Optional<Stop> resume(ResumeRequest request) {
        resumed = request;
        untold.entrySet().removeIf(stop -> !stillTrue(stop.getKey(), stop.getValue()));
        Optional<Stop> due =
                untold.entrySet().stream()
                        .filter(stop -> !(request.action(stop.getKey()) instanceof Action.Stay))
                        .map(stop -> new Stop(stop.getKey(), stop.getValue()))
                        .findFirst();
        due.ifPresentOrElse(stop -> untold.remove(stop.vcpu()), this::goOn);
        return due;
    }

    /** Whether the debugger would still want to hear of a stop. */
    private boolean stillTrue(int vcpu, StopCause cause) {
        return switch (cause) {
            case StopCause.Breakpoint breakpoint ->
                    processors.instruction(vcpu) == breakpoint.linear()
                            && breakpoints.atInstruction(breakpoint.linear()).isPresent();
            case StopCause.Watched watched -> breakpoints.atData(watched.linear()).isPresent();
            case StopCause.ShutDown shutDown -> true;
            case StopCause.Stepped stepped -> false;
            case StopCause.Asked asked -> false;
        };
    }

    private void goOn() {
        BitSet going = new BitSet();
        boolean time = true;
        for (int n = 0; n < processors.count(); n++) {
            Action action = resumed.action(n);
            boolean awake = processors.state(n).activity == VcpuState.Activity.RUNNING;
            boolean step = action instanceof Action.Step;
            // A step stands outside of time and is not led astray by interrupts; but a processor
            // that sleeps takes its step when one has woken it.
            processors.vcpu(n).setDebug(breakpoints.request(step, step && awake));
            time &= !(step && awake);
            going.set(n, !(action instanceof Action.Stay));
        }
        processors.forget();
        running = true;
        if (resumed.everybodyContinues()) {
            machine.resume();
        } else {
            machine.resumeOnly(going, time);
        }
    }

    /**
     * Stops the machine if it runs.
     *
     * @param selected the processor to speak of if nothing else has stopped it
     */
    Optional<Stop> interrupt(int selected) {
        if (!running) {
            return Optional.empty();
        }
        settle();
        return Optional.of(
                untold.isEmpty() ? new Stop(busy(selected), new StopCause.Asked()) : first());
    }

    /** The selected processor if it does something, or else one that does. */
    private int busy(int selected) {
        for (int n = 0; n < processors.count(); n++) {
            int candidate = (selected + n) % processors.count();
            if (processors.state(candidate).activity == VcpuState.Activity.RUNNING) {
                return candidate;
            }
        }
        return selected;
    }

    /** To be called after a processor has met its debug request. */
    Optional<Stop> afterStop() {
        if (!running || met.isEmpty()) {
            return Optional.empty();
        }
        settle();
        if (untold.size() == 1 && inRange(untold.firstEntry())) {
            untold.clear();
            goOn();
            return Optional.empty();
        }
        return Optional.of(first());
    }

    private boolean inRange(Map.Entry<Integer, StopCause> stop) {
        return stop.getValue() instanceof StopCause.Stepped
                && resumed.action(stop.getKey()) instanceof Action.Step step
                && step.goesOn(processors.state(stop.getKey()).rip);
    }

    /** Waits until everything stands still, and sees who has stopped by itself. */
    private void settle() {
        machine.pause();
        running = false;
        processors.forget();
        Integer vcpu;
        while ((vcpu = met.poll()) != null) {
            untold.put(vcpu, cause(vcpu));
        }
    }

    private StopCause cause(int vcpu) {
        if (processors.state(vcpu).activity == VcpuState.Activity.SHUTDOWN) {
            return new StopCause.ShutDown();
        }
        long watched = processors.vcpu(vcpu).debugAddress();
        Optional<StopCause> cause =
                watched == -1
                        ? breakpoints.atInstruction(processors.instruction(vcpu))
                        : breakpoints.atData(watched);
        return cause.orElseGet(StopCause.Stepped::new);
    }

    private Stop first() {
        Map.Entry<Integer, StopCause> first = untold.pollFirstEntry();
        return new Stop(first.getKey(), first.getValue());
    }
}
