package org.javisor.translator;

import org.javisor.x86.Instruction;
import org.javisor.x86.Op;

/** Which instructions become host code; the others are the interpreter's. */
final class Translatability {
    /** Farther jumps are interpreted: their targets' distances from the page might be too large. */
    private static final int FARTHEST_JUMP = Integer.MAX_VALUE - 8192;

    private final TranslationCache cache;

    Translatability(TranslationCache cache) {
        this.cache = cache;
    }

    /**
     * @param context that of the block
     */
    boolean translated(Instruction i, int context) {
        boolean bitScan = i.op == Op.TZCNT || i.op == Op.LZCNT;
        if (!bitScan && !cache.offers(i) || !cache.hostExecutes(i)) {
            return false;
        }
        return switch (i.op) {
            case JMP, CALL, RET, JCC -> near(i);
            case NOP, PAUSE, ENDBR, PREFETCH, CLD, SERIALIZE -> !i.lock();
            case CLFLUSH, CLFLUSHOPT, CLWB -> true;
            case LEA -> i.operandSize >= 4;
            case PUSH -> i.operandSize == 8 && i.kind0 != Instruction.SEG;
            case POP -> i.operandSize == 8 && i.kind0 == Instruction.GPR;
            case LEAVE -> i.operandSize == 8;
            case DIV, IDIV -> i.operandSize >= 4 && i.kind0 != Instruction.GPR_HIGH;
            case CMPXCHG8B, CMPXCHG16B -> true;
            case MOVS, STOS, LODS -> StringInstruction.translated(i);
            case BT, BTS, BTR, BTC ->
                    BitString.translated(i)
                            || Translatability.copied(i) && CopiedInstruction.possible(i);
            case RDTSC, RDTSCP -> true;
            case STI -> !Context.user(context);
            case CLI, PUSHF, POPF -> FlagTransfers.translated(i, context);
            case SYSCALL, SYSRET, SWAPGS, STAC, CLAC -> PrivilegeTransfers.translated(i, context);
            default ->
                    Translatability.copied(i)
                            && unitsUsable(i, context)
                            && CopiedInstruction.possible(i);
        };
    }

    private static boolean unitsUsable(Instruction i, int context) {
        if (!Operands.usesUnits(i)) {
            return true;
        }
        return i.vex() ? Context.avxUsable(context) : Context.sseUsable(context);
    }

    static boolean near(Instruction i) {
        return i.operandSize == 8
                && !(i.op == Op.CALL && i.kind0 == Instruction.GPR && i.reg0 == 4)
                && !(i.kind0 == Instruction.REL && Math.abs(i.imm) > FARTHEST_JUMP);
    }

    /** Whether nothing of the block follows: it goes elsewhere or to the interpreter. */
    boolean endsBlock(Instruction i, int context) {
        return switch (i.op) {
            case JMP, CALL, RET, JCC -> true;
            case SYSCALL, SYSRET -> true;
            case STAC, CLAC ->
                    !translated(i, context) || PrivilegeTransfers.changesContext(i, context);
            default -> !translated(i, context);
        };
    }

    /** Whether its translation leaves flags that are spoilt alone, and the block at probes only. */
    boolean calm(Instruction i, int context) {
        return translated(i, context)
                && switch (i.op) {
                    case NOP, ENDBR, PREFETCH, LEA -> true;
                    case PUSH, POP -> i.kind0 != Instruction.MEM;
                    default -> Translatability.copied(i) && !Operands.usesX87(i);
                };
    }

    /** Whether an instruction can be carried over with its registers and memory operand renamed. */
    static boolean copied(Instruction i) {
        if (i.lock() && !i.hasMemory()) {
            return false;
        }
        return switch (i.op) {
            case ADD, OR, ADC, SBB, AND, SUB, XOR, CMP, TEST, NOT, NEG, INC, DEC -> true;
            case MUL, IMUL, IMUL2 -> true;
            case ROL, ROR, RCL, RCR, SHL, SHR, SAR, SHLD, SHRD -> true;
            case BT, BTS, BTR, BTC -> !i.hasMemory() || i.kind1 == Instruction.IMM;
            case BSF, BSR, TZCNT, LZCNT, POPCNT, BSWAP, CRC32 -> true;
            case MOV -> plainOperand(i.kind0) && plainOperand(i.kind1);
            case MOVBE, ADCX, ADOX -> true;
            case ANDN, BEXTR, BLSI, BLSMSK, BLSR, BZHI, PDEP, PEXT, MULX -> true;
            case RORX, SARX, SHLX, SHRX -> true;
            case MOVZX, MOVSX, MOVSXD, XCHG, XADD, CMPXCHG, CMOVCC, SETCC, MOVNTI -> true;
            case CBW, CWD, LAHF, SAHF -> true;
            case CLC, STC, CMC -> true;
            case LFENCE, SFENCE, MFENCE -> true;
            default -> Operands.x87(i) ? x87Copied(i) : Operands.vector(i) && vectorCopied(i);
        };
    }

    private static boolean plainOperand(int kind) {
        return kind == Instruction.GPR
                || kind == Instruction.GPR_HIGH
                || kind == Instruction.MEM
                || kind == Instruction.IMM;
    }

    /** What loads a control word might unmask exceptions, and what stores pointers shows them. */
    private static boolean x87Copied(Instruction i) {
        return switch (i.op) {
            case FLDCW, FNSTENV, FLDENV, FNSAVE, FRSTOR -> false;
            default -> true;
        };
    }

    private static boolean vectorCopied(Instruction i) {
        if ((i.flags & Instruction.VSIB) != 0) {
            return false;
        }
        return switch (i.op) {
            case MASKMOVDQU, MASKMOVQ -> false;
            default -> true;
        };
    }
}
