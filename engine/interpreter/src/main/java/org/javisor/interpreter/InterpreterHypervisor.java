package org.javisor.interpreter;

import org.javisor.device.Clock;
import org.javisor.hypervisor.CpuidTable;
import org.javisor.hypervisor.Hypervisor;
import org.javisor.hypervisor.Vm;
import org.javisor.memory.GuestMemory;

/** The engine that runs wherever a JVM does. */
public final class InterpreterHypervisor implements Hypervisor {
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
        return new InterpreterVm(memory, clock, hotInstructions);
    }
}
