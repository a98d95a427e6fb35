package org.javisor.interpreter;

import org.javisor.x86.Instruction;

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
}
