package org.javisor.interpreter;

import org.javisor.x86.Instruction;

/**
 * The general-purpose instructions (Intel SDM vol. 1, chapter 7) but for those that SystemHandlers
 * carries out.
 */
final class IntegerHandlers {
    private IntegerHandlers() {}

    /** The handler of an instruction, or null if it is of another kind. */
    static Handler select(Instruction i) {
        return switch (i.op) {
            case ADD, OR, ADC, SBB, AND, SUB, XOR, CMP, TEST, NOT, NEG, INC, DEC ->
                    AluHandlers.select(i);
            case MUL, IMUL, IMUL2, DIV, IDIV -> MultiplyHandlers.select(i);
            case ROL, ROR, RCL, RCR, SHL, SHR, SAR, SHLD, SHRD -> ShiftHandlers.select(i);
            case BT, BTS, BTR, BTC, BSF, BSR, TZCNT, LZCNT, POPCNT, BSWAP, MOVBE, ADCX, ADOX ->
                    BitHandlers.select(i);
            case AAA, AAD, AAM, AAS, DAA, DAS -> DecimalHandlers.select(i);
            case MOV, MOVZX, MOVSX, MOVSXD, LEA, XLAT, MOVNTI -> MoveHandlers.select(i);
            case XCHG, XADD, CMPXCHG, CMPXCHG8B, CMPXCHG16B -> ExchangeHandlers.select(i);
            case PUSH, POP, PUSHA, POPA, PUSHF, ENTER, LEAVE -> StackHandlers.select(i);
            case JCC, SETCC, CMOVCC -> ConditionHandlers.select(i);
            case JMP, CALL, RET, LOOP, LOOPE, LOOPNE, JCXZ -> BranchHandlers.select(i);
            case MOVS, CMPS, STOS, LODS, SCAS, INS, OUTS -> StringHandlers.select(i);
            case IN, OUT -> PortHandlers.select(i);
            case CLC, STC, CMC, CLD, STD, LAHF, SAHF, SALC, CBW, CWD -> FlagHandlers.select(i);
            case NOP,
                    PAUSE,
                    PREFETCH,
                    CLFLUSH,
                    CLFLUSHOPT,
                    CLWB,
                    LFENCE,
                    SFENCE,
                    MFENCE,
                    ENDBR,
                    RDSSP,
                    BOUND,
                    UD0,
                    UD1,
                    UD2 ->
                    HintHandlers.select(i);
            case RDRAND, RDSEED -> RandomHandlers.select(i);
            default -> null;
        };
    }
}
