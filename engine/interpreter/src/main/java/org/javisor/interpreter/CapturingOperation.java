package org.javisor.interpreter;

import org.javisor.x86.Instruction;

/**
 * The {@link Operation} of a handler that captures what it was selected for: one object for each
 * instruction.
 */
final class CapturingOperation extends Operation {
    private final Handler handler;

    CapturingOperation(Handler handler) {
        this.handler = handler;
    }

    @Override
    void execute(Cpu cpu, Instruction i) {
        handler.execute(cpu, i);
    }

    @Override
    Handler handler() {
        return handler;
    }
}
