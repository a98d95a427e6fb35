package org.javisor.translator;

import org.javisor.x86.Instruction;
import org.javisor.x86.Op;

/** What instructions do with their operands, as far as translation has to know. */
final class Operands {
    private static final int FIRST_VECTOR_OP = Op.EMMS.ordinal();
    private static final int FIRST_UNIT_OP = Op.FXSAVE.ordinal();

    private Operands() {}

    /** Belongs to the FPU, MMX or SSE units: needs their registers. */
    static boolean usesUnits(Instruction i) {
        return i.op.ordinal() >= FIRST_UNIT_OP;
    }

    static boolean vector(Instruction i) {
        return i.op.ordinal() >= FIRST_VECTOR_OP;
    }

    static boolean x87(Instruction i) {
        return i.op.ordinal() >= Op.FLD.ordinal() && i.op.ordinal() < FIRST_VECTOR_OP;
    }

    /** Needs the x87 registers, under this name or as the MMX ones. */
    static boolean usesX87(Instruction i) {
        return x87(i)
                || i.kind0 == Instruction.MMX
                || i.kind1 == Instruction.MMX
                || i.op == Op.EMMS
                || i.op == Op.WAIT;
    }

    /** Whether the memory operand is written. */
    static boolean writesMemory(Instruction i) {
        if (i.op == Op.XCHG) {
            return true;
        }
        if (i.kind0 != Instruction.MEM) {
            return false;
        }
        return switch (i.op) {
            case CMP, TEST, BT, MUL, IMUL, DIV, IDIV, PUSH, CALL, JMP -> false;
            case FLD, FILD, FBLD, FADD, FIADD, FSUB, FISUB, FSUBR, FISUBR, FMUL, FIMUL -> false;
            case FDIV, FIDIV, FDIVR, FIDIVR, FCOM, FCOMP, FICOM, FICOMP, FLDCW -> false;
            default -> true;
        };
    }

    /**
     * Whether a page fault that its memory operand's probe finds is the one that it raises: not if
     * it may leave elements out, or addresses more than is probed.
     */
    static boolean faultsAsProbed(Instruction i) {
        return switch (i.op) {
            case BT, BTS, BTR, BTC, VMASKMOVPS, VMASKMOVPD, VPMASKMOVD, VPMASKMOVQ -> false;
            default -> true;
        };
    }

    /** Bytes that a legacy-encoded or aligned-only vector operand must be aligned to, or 1. */
    static int alignment(Instruction i) {
        if (!vector(i) || i.memorySize < 16) {
            return i.op == Op.CMPXCHG16B ? 16 : 1;
        }
        return switch (i.op) {
            case MOVAPS, MOVAPD, MOVDQA, MOVNTPS, MOVNTPD, MOVNTDQ, MOVNTDQA -> i.memorySize;
            case MOVUPS, MOVUPD, MOVDQU, LDDQU -> 1;
            case PCMPESTRI, PCMPESTRM, PCMPISTRI, PCMPISTRM -> 1;
            default -> i.vex() ? 1 : 16;
        };
    }

    /** Whether the first operand, a general register, is written without being read. */
    static boolean overwritesFirst(Instruction i) {
        return switch (i.op) {
            case MOV, MOVZX, MOVSX, MOVSXD, LEA, MOVBE -> i.operandSize >= 4;
            case IMUL2 -> i.kind2 != Instruction.NONE && i.operandSize >= 4;
            case MOVMSKPS, MOVMSKPD, PMOVMSKB, MOVD, MOVQ, CVTSS2SI, CVTSD2SI -> true;
            case CVTTSS2SI, CVTTSD2SI, PEXTRB, PEXTRW, PEXTRD, PEXTRQ, EXTRACTPS -> true;
            case ANDN, BLSI, BLSMSK, BLSR, BZHI, BEXTR, PDEP, PEXT, RORX -> true;
            case SARX, SHLX, SHRX, MULX -> true;
            default -> false;
        };
    }

    /** Whether the first operand is only read. */
    static boolean keepsFirst(Instruction i) {
        return switch (i.op) {
            case CMP, TEST, BT, PUSH, CALL, JMP -> true;
            default -> false;
        };
    }
}
