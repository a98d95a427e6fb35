package org.javisor.interpreter;

import java.lang.invoke.MethodHandles;
import org.javisor.x86.Instruction;

/**
 * The pattern of all {@link Operation}s: {@link Operations} defines it anew for each handler. Its
 * handler is a constant of the class, which lets HotSpot compile it in.
 */
final class HandlerOperation extends Operation {
    private static final Handler HANDLER;

    static {
        try {
            HANDLER = MethodHandles.classData(MethodHandles.lookup(), "_", Handler.class);
        } catch (IllegalAccessException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    @Override
    void execute(Cpu cpu, Instruction i) {
        HANDLER.execute(cpu, i);
    }

    @Override
    Handler handler() {
        return HANDLER;
    }
}
