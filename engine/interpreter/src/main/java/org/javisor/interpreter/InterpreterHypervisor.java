package org.javisor.interpreter;

import java.util.function.Function;
import org.javisor.device.Clock;
import org.javisor.hypervisor.CpuidTable;
import org.javisor.hypervisor.Hypervisor;
import org.javisor.hypervisor.Vm;
import org.javisor.memory.GuestMemory;

/** The engine that runs wherever a JVM does. */
public final class InterpreterHypervisor implements Hypervisor {
    private final Operations operations = new Operations();
    private final int hotInstructions;

    public InterpreterHypervisor() {
        this(Block.HOT_INSTRUCTIONS);
    }

    /**
     * For tests.
     *
     * @param hotInstructions after so many, a block of code is executed in one piece
     */
    InterpreterHypervisor(int hotInstructions) {
        this.hotInstructions = hotInstructions;
    }

    @Override
    public String name() {
        return "interpreter";
    }

    @Override
    public CpuidTable cpuid() {
        return Identification.table();
    }

    @Override
    public Vm createVm(GuestMemory memory, Clock clock) {
        return new InterpreterVm(memory, clock, operations, hotInstructions);
    }

    /**
     * A machine whose processors are interpreted but for what a {@link CodeRunner} takes over.
     *
     * @param runners makes a processor's, once
     * @param onClose runs when the machine and its runners have been closed
     */
    public Vm createVm(
            GuestMemory memory,
            Clock clock,
            Function<GuestProcessor, CodeRunner> runners,
            Runnable onClose) {
        return new InterpreterVm(memory, clock, operations, hotInstructions, runners, onClose);
    }
}
