package org.javisor.interpreter;

import java.lang.invoke.VarHandle;
import org.javisor.x86.Instruction;

/**
 * Instructions that compute nothing: hints, fences, cache lines, bounds, and the opcodes that are
 * undefined for good.
 */
final class HintHandlers {
    /** PAUSEs until the host's scheduler is asked whether somebody else should run. */
    private static final int PAUSES_IN_A_ROW = 64;

    private HintHandlers() {}

    static Handler select(Instruction i) {
        return switch (i.op) {
            case NOP, PREFETCH, ENDBR, RDSSP, LFENCE, SFENCE -> HintHandlers::nothing;
            case PAUSE -> HintHandlers::pause;
            case MFENCE -> HintHandlers::mfence;
            case CLFLUSH, CLFLUSHOPT, CLWB -> HintHandlers::touch;
            case BOUND -> HintHandlers::bound;
            case UD0, UD1, UD2 -> HintHandlers::undefined;
            default -> null;
        };
    }

    private static void nothing(Cpu c, Instruction i) {}

    /** Who spins waits for another processor, which may need the host's. */
    private static void pause(Cpu c, Instruction i) {
        if (++c.pauses % PAUSES_IN_A_ROW == 0) {
            Thread.yield();
        } else {
            Thread.onSpinWait();
        }
    }

    private static void mfence(Cpu c, Instruction i) {
        VarHandle.fullFence();
    }

    /** Faults as a load of a byte does. */
    private static void touch(Cpu c, Instruction i) {
        c.mmu.checkReadable(c.linearAddress(i), 1);
    }

    private static void bound(Cpu c, Instruction i) {
        boolean words = i.operandSize == 2;
        int index = words ? (short) c.gpr[i.reg0] : (int) c.gpr[i.reg0];
        int lower = words ? (short) c.load16(i) : c.load32(i);
        int upper = words ? (short) c.load16(i, 2) : c.load32(i, 4);
        if (index < lower || index > upper) {
            throw GuestFault.of(GuestFault.BR);
        }
    }

    private static void undefined(Cpu c, Instruction i) {
        throw GuestFault.ud();
    }
}
