package org.javisor.x86;

import java.util.Locale;

/**
 * Writes an {@link Instruction} as text in Intel syntax, for logs, debuggers and tests: close to
 * what GNU objdump prints with {@code -M intel}, numbers in hexadecimal, but not meant to be
 * assembled again.
 */
public final class InstructionFormatter {
    private static final String[] CONDITIONS = {
        "o", "no", "b", "ae", "e", "ne", "be", "a", "s", "ns", "p", "np", "l", "ge", "le", "g"
    };
    private static final String[] BYTES = {"al", "cl", "dl", "bl", "spl", "bpl", "sil", "dil"};
    private static final String[] HIGH_BYTES = {"ah", "ch", "dh", "bh"};
    private static final String[] WORDS = {"ax", "cx", "dx", "bx", "sp", "bp", "si", "di"};
    private static final String[] SEGMENTS = {"es", "cs", "ss", "ds", "fs", "gs", "?", "?"};

    private InstructionFormatter() {}

    /**
     * Formats one instruction.
     *
     * @param address where it stands, for the targets of branches and RIP-relative operands
     */
    public static String format(Instruction instruction, long address) {
        StringBuilder text = new StringBuilder();
        if (instruction.lock()) {
            text.append("lock ");
        }
        if ((instruction.flags & Instruction.REP) != 0) {
            text.append("rep ");
        }
        if ((instruction.flags & Instruction.REPNE) != 0) {
            text.append("repnz ");
        }
        text.append(mnemonic(instruction));
        long next = address + instruction.length;
        String separator = " ";
        for (int i = 0; i < 4; i++) {
            String operand = operand(instruction, i, next);
            if (!operand.isEmpty()) {
                text.append(separator).append(operand);
                separator = ",";
            }
        }
        if (instruction.op == Op.ENTER) {
            text.append(separator).append(hex(instruction.imm2));
        }
        if (instruction.base == Instruction.RIP) {
            text.append(" # ").append(hex(mask(next + instruction.disp, instruction.addressSize)));
        }
        return text.toString();
    }

    /** The mnemonic alone, in lower case, with condition and size suffixes. */
    public static String mnemonic(Instruction instruction) {
        int size = instruction.operandSize;
        return switch (instruction.op) {
            case INVALID, TOO_LONG -> "(bad)";
            case JCC -> "j" + CONDITIONS[instruction.condition];
            case SETCC -> "set" + CONDITIONS[instruction.condition];
            case CMOVCC -> "cmov" + CONDITIONS[instruction.condition];
            case CBW -> bySize(size, "", "cbw", "cwde", "cdqe");
            case CWD -> bySize(size, "", "cwd", "cdq", "cqo");
            case MOVSD_SSE -> vector(instruction) + "movsd";
            case CMPSD_SSE -> vector(instruction) + "cmpsd";
            case IMUL2 -> "imul";
            case JCXZ -> bySize(instruction.addressSize, "", "jcxz", "jecxz", "jrcxz");
            case MOVS, CMPS, STOS, LODS, SCAS, INS, OUTS ->
                    name(instruction) + bySize(size, "b", "w", "d", "q");
            case JMP_FAR -> "jmp far";
            case CALL_FAR -> "call far";
            case RET_FAR -> "retf";
            default -> vector(instruction) + name(instruction);
        };
    }

    /** The V of VEX encodings whose operation bears a name without it. */
    private static String vector(Instruction in) {
        Op op = in.op;
        boolean general = op.compareTo(Op.ANDN) >= 0 && op.compareTo(Op.SHRX) <= 0;
        return in.vex() && !general && op.name().charAt(0) != 'V' ? "v" : "";
    }

    private static String name(Instruction instruction) {
        return instruction.op.name().toLowerCase(Locale.ROOT);
    }

    private static String bySize(int size, String one, String two, String four, String eight) {
        return switch (size) {
            case 1 -> one;
            case 2 -> two;
            case 4 -> four;
            default -> eight;
        };
    }

    private static String operand(Instruction in, int i, long next) {
        int kind = in.kind(i);
        int register = in.register(i);
        return switch (kind) {
            case Instruction.NONE -> "";
            case Instruction.GPR -> register(register, registerSize(in, i, register));
            case Instruction.GPR_HIGH -> HIGH_BYTES[register];
            case Instruction.MEM -> memory(in);
            case Instruction.IMM -> hex(mask(in.imm, in.operandSize));
            case Instruction.REL -> hex(mask(next + in.imm, in.operandSize));
            case Instruction.FAR -> hex(in.imm2) + ":" + hex(in.imm);
            case Instruction.SEG -> SEGMENTS[register];
            case Instruction.CR -> "cr" + register;
            case Instruction.DR -> "dr" + register;
            case Instruction.XMM -> "xmm" + register;
            case Instruction.YMM -> "ymm" + register;
            case Instruction.MMX -> "mm" + register;
            case Instruction.ST -> "st(" + register + ")";
            default -> "?" + kind;
        };
    }

    private static int registerSize(Instruction in, int i, int register) {
        return switch (in.op) {
            case MOVZX, MOVSX, MOVSXD, LAR, LSL -> i == 0 ? in.operandSize : in.memorySize;
            case CRC32 -> i == 0 ? Math.max(in.operandSize, 4) : in.operandSize;
            case IN -> i == 0 ? in.operandSize : 2;
            case OUT -> i == 0 ? 2 : in.operandSize;
            case ROL, ROR, RCL, RCR, SHL, SHR, SAR -> i == 0 ? in.operandSize : 1;
            case SHLD, SHRD -> i < 2 ? in.operandSize : 1;
            default -> in.operandSize;
        };
    }

    private static String register(int number, int size) {
        if (number == Instruction.RIP) {
            return "rip";
        }
        if (number >= 8) {
            return "r" + number + bySize(size, "b", "w", "d", "");
        }
        return size == 1 ? BYTES[number] : bySize(size, "", "", "e", "r") + WORDS[number];
    }

    private static String memory(Instruction in) {
        StringBuilder text = new StringBuilder();
        text.append(
                switch (in.memorySize) {
                    case 1 -> "BYTE PTR ";
                    case 2 -> "WORD PTR ";
                    case 4 -> "DWORD PTR ";
                    case 6 -> "FWORD PTR ";
                    case 8 -> "QWORD PTR ";
                    case 10 -> "TBYTE PTR ";
                    case 16 -> "XMMWORD PTR ";
                    case 32 -> "YMMWORD PTR ";
                    default -> "";
                });
        boolean absolute =
                in.base == Instruction.NO_REGISTER && in.index == Instruction.NO_REGISTER;
        boolean stack = in.base == 4 || in.base == 5;
        if (absolute || in.segment != (stack ? 2 : 3)) {
            text.append(SEGMENTS[in.segment]).append(':');
        }
        if (absolute) {
            return text.append(hex(mask(in.disp, in.addressSize))).toString();
        }
        text.append('[');
        if (in.base != Instruction.NO_REGISTER) {
            text.append(register(in.base, in.addressSize));
        }
        if (in.index != Instruction.NO_REGISTER) {
            text.append(in.base == Instruction.NO_REGISTER ? "" : "+");
            boolean vector = (in.flags & Instruction.VSIB) != 0;
            boolean wide = (in.flags & Instruction.VSIB_256) != 0;
            text.append(
                    vector
                            ? (wide ? "ymm" : "xmm") + in.index
                            : register(in.index, in.addressSize));
            text.append(in.addressSize == 2 ? "" : "*" + (1 << in.scale));
        }
        if (in.disp != 0 || in.base == Instruction.RIP) {
            text.append(in.disp < 0 ? "-" : "+").append(hex(Math.abs(in.disp)));
        }
        text.append(']');
        return text.toString();
    }

    private static long mask(long value, int size) {
        return size >= 8 ? value : value & (1L << size * 8) - 1;
    }

    private static String hex(long value) {
        return "0x" + Long.toHexString(value);
    }
}
