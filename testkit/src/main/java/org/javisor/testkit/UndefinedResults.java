package org.javisor.testkit;

import org.javisor.x86.Instruction;
import org.javisor.x86.Op;

/**
 * What the architecture leaves undefined, so that processors may differ. Each entry is from the
 * "Flags Affected" paragraph of the instruction's page in the Intel SDM, volume 2, unless another
 * source is named.
 */
final class UndefinedResults {
    private static final int CF = 1, PF = 4, AF = 0x10, ZF = 0x40, SF = 0x80, OF = 0x800;

    private UndefinedResults() {}

    /** The flags that mean nothing after an instruction, given the registers before it. */
    static int flags(Instruction i, UserState before) {
        return switch (i.op) {
            case AND, OR, XOR, TEST -> AF;
            case MUL, IMUL, IMUL2 -> SF | ZF | AF | PF;
            case DIV, IDIV -> CF | OF | SF | ZF | AF | PF;
            case ROL, ROR, RCL, RCR -> count(i, before) == 1 ? 0 : rotated(i, before);
            case SHL, SHR, SAR -> shift(i, before);
            case SHLD, SHRD -> doubleShift(i, before);
            case BSF, BSR -> CF | OF | SF | AF | PF;
            case BT, BTS, BTR, BTC -> OF | SF | AF | PF;
            case AAA, AAS -> OF | SF | ZF | PF;
            case AAD, AAM -> OF | AF | CF;
            case DAA, DAS -> OF;
            default -> 0;
        };
    }

    private static int count(Instruction i, UserState before) {
        int operand = i.op == Op.SHLD || i.op == Op.SHRD ? i.kind2 : i.kind1;
        long raw = operand == Instruction.IMM ? i.imm : before.gpr[1];
        return (int) raw & (i.operandSize == 8 ? 63 : 31);
    }

    private static int rotated(Instruction i, UserState before) {
        return count(i, before) == 0 ? 0 : OF;
    }

    private static int shift(Instruction i, UserState before) {
        int count = count(i, before);
        if (count == 0) {
            return 0;
        }
        boolean beyond = count >= 8 * i.operandSize && i.op != Op.SAR;
        return AF | (count == 1 ? 0 : OF) | (beyond ? CF : 0);
    }

    private static int doubleShift(Instruction i, UserState before) {
        int count = count(i, before);
        if (count == 0) {
            return 0;
        }
        if (count > 8 * i.operandSize) {
            return CF | OF | SF | ZF | AF | PF;
        }
        return AF | (count == 1 ? 0 : OF);
    }

    /** Whether the destination itself is undefined. */
    static boolean destination(Instruction i, UserState before) {
        return switch (i.op) {
            case SHLD, SHRD -> count(i, before) > 8 * i.operandSize;
            // BSWAP of a 16-bit register.
            case BSWAP -> i.operandSize == 2;
            default -> false;
        };
    }

    /**
     * Bits of the x87 status word that mean nothing: C0, C2 and C3 after everything that is not a
     * comparison, an examination or a remainder.
     */
    static int status(Op op) {
        return switch (op) {
            case FCOM, FCOMP, FCOMPP, FUCOM, FUCOMP, FUCOMPP, FICOM, FICOMP, FTST, FXAM -> 0;
            case FPREM, FPREM1, FLDENV, FRSTOR, FXRSTOR, XRSTOR, FNINIT, FNSAVE -> 0;
            // AMD's processors leave C1 alone, Intel's clear it (SDM, FCOMI).
            case FCOMI, FCOMIP, FUCOMI, FUCOMIP -> 0x4700;
            case FSIN, FCOS, FSINCOS, FPTAN -> 0x4100;
            default -> 0x4500;
        };
    }

    /** Whether the result is an approximation, which processors may round differently. */
    static boolean approximate(Op op) {
        return switch (op) {
            case FSIN, FCOS, FSINCOS, FPTAN, FPATAN, F2XM1, FYL2X, FYL2XP1 -> true;
            case RCPPS, RCPSS, RSQRTPS, RSQRTSS -> true;
            default -> false;
        };
    }
}
