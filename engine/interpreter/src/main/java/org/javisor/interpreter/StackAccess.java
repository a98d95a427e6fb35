package org.javisor.interpreter;

import org.javisor.x86.Instruction;
import org.javisor.x86.Op;

/**
 * Which instructions reach memory through SS: for them an address that is not canonical raises #SS,
 * not #GP.
 */
final class StackAccess {
    private StackAccess() {}

    static boolean isToStack(Instruction i) {
        return switch (i.op) {
            case PUSH, POP, PUSHF, POPF, CALL, RET, ENTER, LEAVE, RET_FAR, CALL_FAR, IRET -> true;
            default ->
                    i.hasMemory() && i.segment == Cpu.SS
                            || i.hasMemory()
                                    && (i.base == Cpu.RSP || i.base == Cpu.RBP)
                                    && i.segment < Cpu.FS;
        };
    }

    /**
     * Instructions that end in a handler which runs with TF clear: they are not followed by a
     * single-step trap.
     */
    static boolean entersHandler(Op op) {
        return switch (op) {
            case INT, INT1, INT3, INTO, SYSCALL, SYSENTER -> true;
            default -> false;
        };
    }
}
