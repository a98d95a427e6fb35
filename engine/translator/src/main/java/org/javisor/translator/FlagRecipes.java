package org.javisor.translator;

import static org.javisor.x86.Instruction.GPR;
import static org.javisor.x86.Instruction.IMM;

import org.javisor.x86.Instruction;
import org.javisor.x86.Op;

/**
 * How flags are made again after they were spoilt: comparisons are repeated; what a sum or
 * difference in a register left is undone and done again; of a logical result the flags are those
 * of TEST.
 */
final class FlagRecipes {
    private static final int ADD = 0, SUB = 5;

    private FlagRecipes() {}

    /** Whether the flags that an instruction leaves can be made again from its operands. */
    static boolean repeatable(Instruction i) {
        if (i.kind0 != GPR || i.kind1 != GPR && i.kind1 != IMM || i.kind2 != Instruction.NONE) {
            return false;
        }
        return switch (i.op) {
            case CMP, TEST -> !spilled(i);
            case ADD, SUB ->
                    i.operandSize >= 4 && !spilled(i) && !(i.kind1 == GPR && i.reg0 == i.reg1);
            case AND, OR, XOR -> i.operandSize >= 4 && !spilled(i);
            default -> false;
        };
    }

    private static boolean spilled(Instruction i) {
        return Gpr.host(i.reg0) == Gpr.SPILLED || i.kind1 == GPR && Gpr.host(i.reg1) == Gpr.SPILLED;
    }

    /** Whether an instruction, which does not replace the flags, may change what a maker needs. */
    static boolean changesOperands(Instruction i, Instruction maker) {
        return changes(i, maker.reg0) || maker.kind1 == GPR && changes(i, maker.reg1);
    }

    /** May say yes without need. */
    private static boolean changes(Instruction i, int register) {
        return switch (i.op) {
            case MOV, MOVZX, MOVSX, MOVSXD, LEA, CMOVCC, SETCC, NOT, BSWAP ->
                    (i.kind0 == GPR && i.reg0 == register)
                            || (i.kind0 == Instruction.GPR_HIGH && (i.reg0 & 3) == register);
            case PUSH -> register == 4;
            case POP -> register == 4 || i.reg0 == register;
            case NOP, ENDBR, PREFETCH -> false;
            case CBW -> register == 0;
            case CWD -> register == 2;
            case JCC -> false;
            default ->
                    !Operands.vector(i) || i.kind0 == GPR && i.reg0 == register || i.op == Op.EMMS;
        };
    }

    static void repeat(BlockTranslator block, Instruction i, int at) {
        Assembler a = block.asm;
        boolean wide = i.operandSize == 8;
        switch (i.op) {
            case CMP, TEST -> block.copied().emit(i, at);
            case AND, OR, XOR -> {
                int host = Gpr.host(i.reg0);
                a.op(wide, 0x85, host, host); // test
            }
            default -> {
                boolean add = i.op == Op.ADD;
                int host = Gpr.host(i.reg0);
                if (i.kind1 == IMM) {
                    a.aluImm(wide, add ? SUB : ADD, host, (int) i.imm);
                    a.aluImm(wide, add ? ADD : SUB, host, (int) i.imm);
                } else {
                    int other = Gpr.host(i.reg1);
                    a.op(wide, add ? 0x29 : 0x01, other, host);
                    a.op(wide, add ? 0x01 : 0x29, other, host);
                }
            }
        }
    }
}
