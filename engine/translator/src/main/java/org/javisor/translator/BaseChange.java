package org.javisor.translator;

import static org.javisor.x86.Instruction.GPR;
import static org.javisor.x86.Instruction.IMM;

import org.javisor.x86.Instruction;
import org.javisor.x86.Op;

/** By how much instructions change the registers that addresses are computed from. */
final class BaseChange {
    /** The change is not known, or not a constant. */
    static final int LOST = Integer.MIN_VALUE;

    /** Displacements and changes short of it can be summed up. */
    static final int FAR = 1 << 29;

    private static final int RAX = 0, RCX = 1, RDX = 2, RSP = 4;

    private BaseChange() {}

    /**
     * What an instruction adds to the sum of a base and an index, or {@link #LOST}.
     *
     * @param base guest register
     * @param index guest register, or less than 0
     */
    static int of(Instruction i, int base, int index) {
        switch (i.op) {
            case PUSH:
                return base == RSP ? -8 : 0;
            case POP:
                if (i.kind0 != GPR || i.reg0 == base || i.reg0 == index) {
                    return LOST;
                }
                return base == RSP ? 8 : 0;
            case NOP, ENDBR, JCC, PREFETCH:
                return 0;
            case LEA:
                return byLea(i, base, index);
            case ADD, SUB:
                if (i.kind0 == GPR && i.reg0 == base && base != index) {
                    boolean known = i.kind1 == IMM && i.operandSize == 8;
                    int amount = (int) (i.op == Op.ADD ? i.imm : -i.imm);
                    return known && Math.abs((long) amount) < FAR ? amount : LOST;
                }
                break;
            case INC, DEC:
                if (i.kind0 == GPR && i.reg0 == base && base != index) {
                    return i.operandSize != 8 ? LOST : i.op == Op.INC ? 1 : -1;
                }
                break;
            default:
        }
        return writesItsFirstOperandOnly(i) && keeps(i, base) && keeps(i, index) ? 0 : LOST;
    }

    private static int byLea(Instruction i, int base, int index) {
        if (i.reg0 == index) {
            return LOST;
        }
        if (i.reg0 != base) {
            return 0;
        }
        boolean known =
                i.base == base
                        && i.index < 0
                        && i.operandSize == 8
                        && i.addressSize == 8
                        && i.disp > -FAR
                        && i.disp < FAR;
        return known ? (int) i.disp : LOST;
    }

    /** May say no without need. */
    private static boolean writesItsFirstOperandOnly(Instruction i) {
        return switch (i.op) {
            case MOV, MOVZX, MOVSX, MOVSXD, CBW, CWD -> true;
            case ADD, ADC, SUB, SBB, AND, OR, XOR, CMP, TEST, INC, DEC, NEG, NOT -> true;
            case SHL, SHR, SAR, ROL, ROR, IMUL2, BSWAP, BSF, BSR, TZCNT, LZCNT, POPCNT -> true;
            case CMOVCC, SETCC -> true;
            default -> Operands.vector(i);
        };
    }

    /** Whether one of those leaves a register as it is. */
    private static boolean keeps(Instruction i, int register) {
        if (register < 0) {
            return true;
        }
        return switch (i.op) {
            case CBW -> register != RAX;
            case CWD -> register != RDX;
            case PCMPESTRI, PCMPISTRI -> register != RCX;
            default ->
                    i.kind0 != GPR && i.kind0 != Instruction.GPR_HIGH
                            || (i.kind0 == GPR ? i.reg0 : i.reg0 & 3) != register
                            || Operands.keepsFirst(i);
        };
    }
}
