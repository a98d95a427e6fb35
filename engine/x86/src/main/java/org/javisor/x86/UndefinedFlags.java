package org.javisor.x86;

/**
 * Which arithmetic flags the architecture leaves undefined, so that processors may differ, and
 * which ones instructions look at. Each entry is from the "Flags Affected" paragraph of the
 * instruction's page in the Intel SDM, volume 2.
 */
public final class UndefinedFlags {
    private static final int CF = 1, PF = 4, AF = 0x10, ZF = 0x40, SF = 0x80, OF = 0x800;
    private static final int ALL = CF | PF | AF | ZF | SF | OF;

    private UndefinedFlags() {}

    /**
     * The flags, at their places in RFLAGS, that mean nothing after an instruction.
     *
     * @param rcx before it
     */
    public static int after(Instruction i, long rcx) {
        return switch (i.op) {
            case AND, OR, XOR, TEST -> AF;
            case MUL, IMUL, IMUL2 -> SF | ZF | AF | PF;
            case DIV, IDIV -> ALL;
            case ROL, ROR, RCL, RCR -> rotated(count(i, rcx));
            case SHL, SHR, SAR -> shift(i, count(i, rcx));
            case SHLD, SHRD -> doubleShift(i, count(i, rcx));
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

    /** The count of a shift or rotation as it is applied. */
    public static int count(Instruction i, long rcx) {
        int operand = i.op == Op.SHLD || i.op == Op.SHRD ? i.kind2 : i.kind1;
        long raw = operand == Instruction.IMM ? i.imm : rcx;
        return (int) raw & (i.operandSize == 8 ? 63 : 31);
    }

    private static int rotated(int count) {
        return count == 0 || count == 1 ? 0 : OF;
    }

    private static int shift(Instruction i, int count) {
        if (count == 0) {
            return 0;
        }
        boolean beyond = count >= 8 * i.operandSize && i.op != Op.SAR;
        return AF | (count == 1 ? 0 : OF) | (beyond ? CF : 0);
    }

    private static int doubleShift(Instruction i, int count) {
        if (count == 0) {
            return 0;
        }
        return count > 8 * i.operandSize ? ALL : AF | (count == 1 ? 0 : OF);
    }

    /** The flags that an instruction may have left as they were. */
    public static int kept(Instruction i) {
        return switch (i.op) {
            case ADD, SUB, ADC, SBB, AND, OR, XOR, CMP, TEST, NEG, XADD, CMPXCHG, POPF -> 0;
            case MUL, IMUL, IMUL2, DIV, IDIV, POPCNT, BSF, BSR, TZCNT, LZCNT -> 0;
            case ANDN, BLSI, BLSMSK, BLSR, BZHI, BEXTR -> 0;
            case COMISS, COMISD, UCOMISS, UCOMISD, PTEST, VTESTPS, VTESTPD -> 0;
            case PCMPESTRI, PCMPESTRM, PCMPISTRI, PCMPISTRM -> 0;
            case INC, DEC, BT, BTS, BTR, BTC, CLC, STC -> ALL & ~CF;
            case SAHF -> OF;
            default -> ALL;
        };
    }

    /** The flags that an instruction looks at. */
    public static int read(Instruction i) {
        return switch (i.op) {
            case JCC, SETCC, CMOVCC -> condition(i.condition);
            case ADC, SBB, RCL, RCR, CMC, ADCX -> CF;
            case ADOX -> OF;
            case LAHF -> ALL & ~OF;
            case PUSHF, SYSCALL -> ALL;
            case FCMOVB, FCMOVNB -> CF;
            case FCMOVE, FCMOVNE -> ZF;
            case FCMOVBE, FCMOVNBE -> CF | ZF;
            case FCMOVU, FCMOVNU -> PF;
            default -> 0;
        };
    }

    private static int condition(int code) {
        return switch (code >> 1) {
            case 0 -> OF;
            case 1 -> CF;
            case 2 -> ZF;
            case 3 -> CF | ZF;
            case 4 -> SF;
            case 5 -> PF;
            case 6 -> SF | OF;
            default -> SF | OF | ZF;
        };
    }
}
