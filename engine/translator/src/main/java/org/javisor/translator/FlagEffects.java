package org.javisor.translator;

import org.javisor.x86.Instruction;

/**
 * What instructions do with the six arithmetic flags. An instruction that changes some and keeps
 * others counts as a reader: the host needs the right ones in place to keep them.
 */
final class FlagEffects {
    private FlagEffects() {}

    /** Whether the result, or the flags afterwards, depend on the flags before. */
    static boolean reads(Instruction i) {
        return !replaces(i) && !ignores(i);
    }

    /** Whether all flags afterwards are the instruction's own, or left undefined by it. */
    static boolean replaces(Instruction i) {
        return switch (i.op) {
            case ADD, SUB, AND, OR, XOR, CMP, TEST, NEG -> true;
            case MUL, IMUL, IMUL2, XADD, CMPXCHG, POPCNT -> true;
            case DIV, IDIV, POPF -> true;
            case SHL, SHR, SAR -> constantCount(i);
            case FCOMI, FUCOMI, FCOMIP, FUCOMIP -> true;
            case VTESTPS, VTESTPD -> true;
            case COMISS, COMISD, UCOMISS, UCOMISD, PTEST -> true;
            case ANDN, BLSI, BLSMSK, BLSR, BZHI, BEXTR -> true;
            case PCMPESTRI, PCMPESTRM, PCMPISTRI, PCMPISTRM -> true;
            default -> false;
        };
    }

    private static boolean constantCount(Instruction i) {
        int mask = i.operandSize == 8 ? 63 : 31;
        return i.kind1 == Instruction.IMM && (i.imm & mask) != 0;
    }

    /** Whether it neither looks at flags nor changes them. */
    private static boolean ignores(Instruction i) {
        return switch (i.op) {
            case MOV, MOVZX, MOVSX, MOVSXD, LEA, XCHG, PUSH, POP, LEAVE, CBW, CWD, BSWAP, NOT ->
                    true;
            case CLD,
                    SERIALIZE,
                    NOP,
                    PAUSE,
                    ENDBR,
                    PREFETCH,
                    LFENCE,
                    MFENCE,
                    SFENCE,
                    CLFLUSH,
                    CLFLUSHOPT,
                    CLWB,
                    MOVBE,
                    MOVNTI ->
                    true;
            case PDEP, PEXT, MULX, RORX, SARX, SHLX, SHRX, CRC32 -> true;
            case FCMOVB, FCMOVE, FCMOVBE, FCMOVU, FCMOVNB, FCMOVNE, FCMOVNBE, FCMOVNU -> false;
            case SWAPGS, STAC, CLAC, RDTSC, RDTSCP -> true;
            case CALL, RET, JMP, CLI, STI, MOVS, STOS, LODS -> true;
            default -> i.op.ordinal() >= org.javisor.x86.Op.FXSAVE.ordinal();
        };
    }
}
