package org.javisor.translator;

import static org.javisor.translator.Assembler.*;

import org.javisor.x86.Instruction;
import org.javisor.x86.Op;

/**
 * MOVS, STOS and LODS upwards: translated code runs with DF clear only. A repetition is done by the
 * host's own, page by page, with the registers right in between.
 */
final class StringInstruction {
    private static final int EQUAL = 4;

    private final BlockTranslator block;

    StringInstruction(BlockTranslator block) {
        this.block = block;
    }

    static boolean translated(Instruction i) {
        if (i.addressSize != 8 || i.segment >= 4 && i.op != Op.STOS) {
            return false;
        }
        return switch (i.op) {
            case MOVS, STOS -> true;
            case LODS -> !i.repeated();
            default -> false;
        };
    }

    void emit(Instruction i) {
        if (i.repeated()) {
            repeat(i);
            return;
        }
        Assembler a = block.asm;
        int size = i.operandSize;
        if (i.op != Op.STOS) {
            block.probe().emit(() -> a.mov(Gpr.ADDRESS, RSI), size, false, 1);
        }
        switch (i.op) {
            case LODS -> move(a, size, true, RAX);
            case STOS -> {
                block.probe().emit(() -> a.mov(Gpr.ADDRESS, RDI), size, true, 1);
                move(a, size, false, RAX);
            }
            default -> {
                move(a, size, true, Gpr.ADDRESS);
                a.storeState(ProcessorBlock.TEMPORARY, Gpr.ADDRESS);
                block.probe().emit(() -> a.mov(Gpr.ADDRESS, RDI), size, true, 1);
                a.loadState(Gpr.SCRATCH, ProcessorBlock.TEMPORARY);
                move(a, size, false, Gpr.SCRATCH);
            }
        }
        if (i.op != Op.STOS) {
            a.lea(RSI, RSI, size);
        }
        if (i.op != Op.LODS) {
            a.lea(RDI, RDI, size);
        }
    }

    private static void move(Assembler a, int size, boolean load, int register) {
        a.mem(Gpr.ADDRESS, 0);
        int opcode = (load ? 0x8a : 0x88) | (size == 1 ? 0 : 1);
        a.opMem(size == 2 ? 0x66 : 0, size == 8, MAP_1, opcode, register, size == 1);
    }

    private void repeat(Instruction i) {
        Assembler a = block.asm;
        int size = i.operandSize;
        boolean needed = !block.flags().dead();
        if (!block.flags().saved()) {
            block.flags().save();
        }
        int again = a.size();
        a.op(true, 0x85, Gpr.RCX, Gpr.RCX); // test
        int done = a.jccAhead(EQUAL);
        block.jumps().pollKeepingRip();
        if (i.op == Op.MOVS) {
            block.probe().emit(() -> a.mov(Gpr.ADDRESS, RSI), size, false, 1);
            a.storeState(ProcessorBlock.TEMPORARY, Gpr.ADDRESS);
        }
        block.probe().emit(() -> a.mov(Gpr.ADDRESS, RDI), size, true, 1);
        elementsInPage(a, Gpr.SCRATCH, RDI, size);
        if (i.op == Op.MOVS) {
            a.storeState(ProcessorBlock.TEMPORARY_2, RAX);
            elementsInPage(a, RAX, RSI, size);
            atMost(a, RAX);
            a.loadState(RAX, ProcessorBlock.TEMPORARY_2);
        }
        atMost(a, Gpr.RCX);
        a.op(true, 0x29, Gpr.SCRATCH, Gpr.RCX); // sub
        a.op(true, 0x87, RDI, Gpr.ADDRESS); // xchg
        a.mem(Gpr.ADDRESS, Gpr.SCRATCH, log2(size), 0);
        a.leaMem(Gpr.ADDRESS);
        if (i.op == Op.MOVS) {
            a.storeState(ProcessorBlock.TEMPORARY_2, Gpr.ADDRESS);
            a.mem(RSI, Gpr.SCRATCH, log2(size), 0);
            a.leaMem(Gpr.ADDRESS);
            a.loadState(RSI, ProcessorBlock.TEMPORARY);
        }
        host(a, i, size);
        if (i.op == Op.MOVS) {
            a.mov(RSI, Gpr.ADDRESS);
            a.loadState(RDI, ProcessorBlock.TEMPORARY_2);
        } else {
            a.mov(RDI, Gpr.ADDRESS);
        }
        a.jmp(a.here() - a.size() + again);
        a.bind32(done);
        if (needed) {
            block.flags().restore();
        }
    }

    private static void host(Assembler a, Instruction i, int size) {
        a.emit(0xf3);
        if (size == 2) {
            a.emit(0x66);
        } else if (size == 8) {
            a.emit(0x48);
        }
        a.emit((i.op == Op.MOVS ? 0xa4 : 0xaa) | (size == 1 ? 0 : 1));
    }

    /** Elements from a pointer to the end of its page; at least one lies there whole. */
    private static void elementsInPage(Assembler a, int to, int pointer, int size) {
        a.mov32(to, pointer);
        a.op(false, 0xf7, 2, to); // not
        a.aluImm(false, 4, to, 0xfff);
        a.aluImm(false, 0, to, 1);
        if (size > 1) {
            a.op(false, 0xc1, 5, to); // shr
            a.emit(log2(size));
        }
    }

    /** Lowers the count in the scratch register to another register's, if that is less. */
    private static void atMost(Assembler a, int other) {
        a.op(true, 0x39, other, Gpr.SCRATCH); // cmp
        a.op(0, true, MAP_0F, 0x47, Gpr.SCRATCH, other, false); // cmova
    }

    private static int log2(int size) {
        return Integer.numberOfTrailingZeros(size);
    }
}
