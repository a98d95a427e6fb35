package org.javisor.translator;

import static org.javisor.translator.Assembler.*;

import org.javisor.x86.Instruction;
import org.javisor.x86.Op;

/**
 * BT, BTS, BTR and BTC of a bit in memory whose number is in a register: a signed number of bits
 * from the operand's address on. The 32 bits that hold it are addressed.
 */
final class BitString {
    private static final int LOG2_BITS = 5;

    private final BlockTranslator block;

    BitString(BlockTranslator block) {
        this.block = block;
    }

    static boolean translated(Instruction i) {
        return i.kind0 == Instruction.MEM
                && i.kind1 == Instruction.GPR
                && i.operandSize >= 4
                && i.addressSize == 8;
    }

    void emit(Instruction i) {
        Assembler a = block.asm;
        int after = block.next();
        block.probe().emit(() -> address(i, after), 4, i.op != Op.BT, 1);
        int number = block.read(i.reg1, Gpr.SCRATCH);
        a.pextState(Gpr.SCRATCH, number, ProcessorBlock.BIT_NUMBER_MASK);
        a.mem(Gpr.ADDRESS, 0);
        a.opMem(i.lock() ? 0xf0 : 0, false, MAP_0F, i.opcode, Gpr.SCRATCH, false);
    }

    private void address(Instruction i, int after) {
        Assembler a = block.asm;
        int number = block.read(i.reg1, Gpr.ADDRESS);
        if (i.operandSize == 4) {
            a.op(true, 0x63, Gpr.ADDRESS, number); // movsxd
            number = Gpr.ADDRESS;
        }
        a.movImm32(Gpr.SCRATCH, LOG2_BITS);
        a.vex(2, MAP_0F38, true, false, 0xf7, Gpr.SCRATCH, Gpr.SCRATCH, number); // sarx
        a.storeState(ProcessorBlock.TEMPORARY, Gpr.SCRATCH);
        block.addresses().linear(i, after);
        a.loadState(Gpr.SCRATCH, ProcessorBlock.TEMPORARY);
        a.mem(Gpr.ADDRESS, Gpr.SCRATCH, 2, 0);
        a.leaMem(Gpr.ADDRESS);
    }
}
