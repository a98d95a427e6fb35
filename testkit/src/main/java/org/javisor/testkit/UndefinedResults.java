package org.javisor.testkit;

import org.javisor.x86.Instruction;
import org.javisor.x86.Op;
import org.javisor.x86.UndefinedFlags;

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
                fault ? 0 : UndefinedFlags.after(i, before.gpr[1]),
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

    /** Whether the destination itself is undefined. */
    private static boolean destination(Instruction i, UserState before) {
        return switch (i.op) {
            case SHLD, SHRD -> UndefinedFlags.count(i, before.gpr[1]) > 8 * i.operandSize;
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
