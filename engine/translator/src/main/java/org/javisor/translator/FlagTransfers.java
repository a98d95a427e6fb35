package org.javisor.translator;

import static org.javisor.translator.Assembler.*;

import java.util.List;
import org.javisor.x86.Instruction;

/** CLI, PUSHF and POPF of supervisor code, as kernels use them to hold interrupts off. */
final class FlagTransfers {
    private static final int IF = 0x200;
    private static final int ARITHMETIC = 0x8d5;
    private static final int BIT_1 = 2;

    private final BlockTranslator block;

    FlagTransfers(BlockTranslator block) {
        this.block = block;
    }

    static boolean translated(Instruction i, int context) {
        if (Context.user(context)) {
            return false;
        }
        return switch (i.op) {
            case CLI -> true;
            case PUSHF, POPF -> i.operandSize == 8;
            default -> false;
        };
    }

    void emit(Instruction i) {
        switch (i.op) {
            case CLI -> block.asm.storeStateImm32(ProcessorBlock.INTERRUPT_FLAG, 0);
            case PUSHF -> push();
            default -> pop();
        }
    }

    private void push() {
        Assembler a = block.asm;
        block.probe().emit(() -> a.lea(Gpr.ADDRESS, Gpr.RSP, -8), 8, true, 1);
        a.storeState(ProcessorBlock.TEMPORARY, Gpr.ADDRESS);
        gather();
        a.loadState(Gpr.ADDRESS, ProcessorBlock.TEMPORARY);
        a.mem(Gpr.ADDRESS, 0);
        a.storeMem(Gpr.SCRATCH);
        a.lea(Gpr.RSP, Gpr.RSP, -8);
    }

    /** RFLAGS to the scratch register; spoils the other. */
    void gather() {
        Assembler a = block.asm;
        a.emit(0x9c); // pushfq
        a.emit(0x58 | Gpr.SCRATCH);
        a.pextState(Gpr.SCRATCH, Gpr.SCRATCH, ProcessorBlock.FLAGS_MASK);
        a.pdepState(Gpr.SCRATCH, Gpr.SCRATCH, ProcessorBlock.FLAGS_MASK);
        // These share no bits with one another, so sums are unions.
        a.loadState32(Gpr.ADDRESS, ProcessorBlock.INTERRUPT_FLAG);
        a.leaSum(Gpr.SCRATCH, Gpr.SCRATCH, Gpr.ADDRESS, 0);
        a.loadState32(Gpr.ADDRESS, ProcessorBlock.SYSTEM_FLAGS);
        a.leaSum(Gpr.SCRATCH, Gpr.SCRATCH, Gpr.ADDRESS, 0);
    }

    /** The arithmetic flags out of a register with RFLAGS; spoils the scratch register. */
    void scatter(int from) {
        Assembler a = block.asm;
        // AH takes the low byte of the flags, AL overflows or not.
        a.mov(Gpr.SCRATCH, RAX);
        a.mov32(RAX, from);
        a.op(false, 0xc1, 4, RAX); // shl
        a.emit(8);
        a.op(0, false, MAP_0F, 0xba, 4, from, false); // bt
        a.emit(11);
        a.op(0, false, MAP_0F, 0x92, 0, RAX, false); // setc al
        Stubs.emitFlagsFromAx(a);
        a.mov(RAX, Gpr.SCRATCH);
    }

    /** Only IF and the arithmetic flags may change here; else the interpreter does it. */
    private void pop() {
        Assembler a = block.asm;
        if (!block.flags().saved()) {
            block.flags().save();
        }
        block.probe().emit(() -> a.mov(Gpr.ADDRESS, Gpr.RSP), 8, false, 1);
        a.mem(Gpr.ADDRESS, 0);
        a.loadMem(Gpr.ADDRESS);
        a.mov32(Gpr.SCRATCH, Gpr.ADDRESS);
        a.aluImm(false, 4, Gpr.SCRATCH, 0x3c7fd7 & ~(ARITHMETIC | IF));
        a.aluImm(false, 1, Gpr.SCRATCH, BIT_1);
        a.memState(ProcessorBlock.SYSTEM_FLAGS);
        a.opMem(false, 0x3b, Gpr.SCRATCH); // cmp
        int others = a.jccAhead(5);
        a.mov32(Gpr.SCRATCH, Gpr.ADDRESS);
        a.aluImm(false, 4, Gpr.SCRATCH, IF);
        int cleared = a.jccShortAhead(4);
        // Interrupts come on: the interpreter looks whether one waits.
        a.memState(ProcessorBlock.NOTHING_HELD, 1);
        a.aluMemImm8(7, 0);
        int held = a.jccAhead(4);
        a.bind8(cleared);
        block.interpretCold(List.of(others, held));
        a.storeState32(ProcessorBlock.INTERRUPT_FLAG, Gpr.SCRATCH);
        scatter(Gpr.ADDRESS);
        a.lea(Gpr.RSP, Gpr.RSP, 8);
        block.flags().made();
    }
}
