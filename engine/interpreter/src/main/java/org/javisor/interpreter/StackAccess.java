package org.javisor.interpreter;

import org.javisor.x86.Instruction;
import org.javisor.x86.Op;

/**
 * Which instructions reach memory through SS: for them an address that is not canonical raises #SS,
 * not #GP.
 */
final class StackAccess {
    private StackAccess() {}

    /**
     * Whether it was through SS that an instruction met such an address.
     *
     * @param c as the instruction left it
     */
    static boolean failed(Cpu c, Instruction i) {
        return switch (i.op) {
            case PUSH, CALL, CALL_FAR -> !i.hasMemory() || throughStack(i) || reaches(c, i);
            case POP -> !i.hasMemory() || throughStack(i) || !canonical(c.gpr[Cpu.RSP]);
            case PUSHF, POPF, RET, ENTER, LEAVE, RET_FAR, IRET -> true;
            default -> i.hasMemory() && throughStack(i);
        };
    }

    private static boolean throughStack(Instruction i) {
        return i.segment == Cpu.SS
                || (i.base == Cpu.RSP || i.base == Cpu.RBP) && i.segment < Cpu.FS;
    }

    /** Whether the operand, which is read first, can be. */
    private static boolean reaches(Cpu c, Instruction i) {
        long linear = c.linearAddress(i);
        return canonical(linear) && canonical(linear + i.memorySize - 1);
    }

    private static boolean canonical(long linear) {
        return linear << 16 >> 16 == linear;
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
