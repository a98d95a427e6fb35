package org.javisor.testkit;

import org.javisor.x86.Instruction;
import org.javisor.x86.Op;

/**
 * What the architecture leaves undefined, so that processors may differ. Each entry is from the
 * "Flags Affected" paragraph of the instruction's page in the Intel SDM, volume 2, unless another
 * source is named.
 *
 * @param flags bits of RFLAGS that mean nothing
 * @param register the general register that means nothing, or -1
 * @param status bits of the x87 status word that mean nothing
 * @param approximate whether floating-point results may differ in their last bits
 * @param fpu whether the x87 and MMX registers may differ
 * @param memory a bit for each of the memory operand's first bytes that mean nothing
 * @param faultAddress whether it is open which part of the operand faults first
 */
record UndefinedResults(
        int flags,
        int register,
        int status,
        boolean approximate,
        boolean fpu,
        long memory,
        boolean faultAddress) {
    private static final int CF = 1, PF = 4, AF = 0x10, ZF = 0x40, SF = 0x80, OF = 0x800;
    private static final int SIMD_ERROR = 19;
    private static final int C1_AND_PRECISION = 0x220, CONDITIONS = 0x4700;

    /** Of a sequence whose instructions leave nothing undefined but the x87's condition codes. */
    static final UndefinedResults OF_SEQUENCE =
            new UndefinedResults(0, -1, CONDITIONS, false, false, 0, true);

    /** Of one instruction, given the registers before it and the exception it ended in. */
    static UndefinedResults of(Instruction i, UserState before, int vector) {
        boolean fault = vector != UserState.NO_FAULT;
        boolean destination = !fault && destination(i, before);
        boolean approximate = approximate(i.op);
        boolean stored = destination && i.kind0 == Instruction.MEM;
        return new UndefinedResults(
                fault ? 0 : flags(i, before),
                destination && i.kind0 == Instruction.GPR ? i.reg0 : -1,
                ComparableForms.isX87(i.op)
                        ? status(i.op) | (approximate ? C1_AND_PRECISION : 0)
                        : 0,
                approximate,
                vector == SIMD_ERROR && convertsToMmx(i.op),
                stored ? (1L << i.memorySize) - 1 : memory(i),
                i.memorySize > 16 || inParts(i.op));
    }

    /** Instructions that may touch the parts of their operand in any order. */
    private static boolean inParts(Op op) {
        return switch (op) {
            case MASKMOVDQU, MASKMOVQ, FNSTENV, FLDENV -> true;
            case VMASKMOVPS, VMASKMOVPD, VPMASKMOVD, VPMASKMOVQ -> true;
            default -> false;
        };
    }

    /** Whether the unit has already gone over to MMX when such an instruction faults is open. */
    private static boolean convertsToMmx(Op op) {
        return switch (op) {
            case CVTPI2PS, CVTPI2PD, CVTPS2PI, CVTTPS2PI, CVTPD2PI, CVTTPD2PI -> true;
            default -> false;
        };
    }

    /**
     * The last-instruction pointers: AMD's processors save them only while an exception is pending
     * (AMD APM vol. 2, 11.4.4.3). And MXCSR_MASK, which tells of the model.
     */
    private static long memory(Instruction i) {
        boolean narrow = i.memorySize == 14 || i.memorySize == 94;
        return switch (i.op) {
            case FXSAVE, XSAVE, XSAVEC -> 0xf0ffffc0L;
            case FNSAVE, FNSTENV -> narrow ? 0x3fc0 : 0xffff000;
            default -> 0;
        };
    }

    /** The flags that mean nothing after an instruction, given the registers before it. */
    private static int flags(Instruction i, UserState before) {
        return switch (i.op) {
            case AND, OR, XOR, TEST -> AF;
            case MUL, IMUL, IMUL2 -> SF | ZF | AF | PF;
            case DIV, IDIV -> CF | OF | SF | ZF | AF | PF;
            case ROL, ROR, RCL, RCR -> count(i, before) == 1 ? 0 : rotated(i, before);
            case SHL, SHR, SAR -> shift(i, before);
            case SHLD, SHRD -> doubleShift(i, before);
            case BSF, BSR -> CF | OF | SF | AF | PF;
            case BT, BTS, BTR, BTC -> OF | SF | AF | PF;
            case TZCNT, LZCNT -> OF | SF | AF | PF;
            case ANDN, BLSI, BLSMSK, BLSR, BZHI -> AF | PF;
            case BEXTR -> SF | AF | PF;
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
    private static boolean destination(Instruction i, UserState before) {
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
    private static int status(Op op) {
        return switch (op) {
            case FCOM, FCOMP, FCOMPP, FUCOM, FUCOMP, FUCOMPP, FICOM, FICOMP, FTST, FXAM -> 0;
            case FPREM, FPREM1, FLDENV, FRSTOR, FXRSTOR, XRSTOR, FNINIT, FNSAVE -> 0;
            // AMD's processors leave C1 alone, Intel's clear it (SDM, FCOMI).
            case FCOMI, FCOMIP, FUCOMI, FUCOMIP -> CONDITIONS;
            case FSIN, FCOS, FSINCOS, FPTAN -> 0x4100;
            default -> 0x4500;
        };
    }

    /** Whether the result is an approximation, which processors may round differently. */
    private static boolean approximate(Op op) {
        return switch (op) {
            case FSIN, FCOS, FSINCOS, FPTAN, FPATAN, F2XM1, FYL2X, FYL2XP1 -> true;
            case RCPPS, RCPSS, RSQRTPS, RSQRTSS -> true;
            default -> false;
        };
    }
}
