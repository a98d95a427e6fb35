package org.javisor.translator;

import org.javisor.x86.Instruction;

/** Which instructions become host code; the others are the interpreter's. */
final class Translatability {
    private Translatability() {}

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
