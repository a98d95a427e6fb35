package org.javisor.translator;

import static org.javisor.x86.Instruction.GPR;
import static org.javisor.x86.Instruction.IMM;
import static org.javisor.x86.Instruction.MEM;
import static org.javisor.x86.Instruction.NONE;

import org.javisor.x86.Instruction;
import org.javisor.x86.Op;

/**
 * How the flags that an instruction has made are made again after they were spoilt: comparisons and
 * shifts are repeated; what a sum or difference left is undone and done again; of a logical result
 * the flags are those of TEST. The operands are where the instruction has left them; before they
 * change they can be kept in fields of the {@link ProcessorBlock}.
 *
 * @param at where the instruction's bytes begin in the page
 * @param firstKept whether the first operand, or the result, stands in its field
 * @param secondKept whether the second does
 */
record FlagRecipe(Instruction maker, int at, boolean firstKept, boolean secondKept) {
    private static final int TEST = 0x85;

    /** For what an instruction leaves, or null if its operands do not tell afterwards. */
    static FlagRecipe of(Instruction i, int at) {
        boolean register = i.kind1 == GPR;
        if (i.kind0 != GPR || i.kind2 != NONE) {
            return null;
        }
        boolean possible =
                switch (i.op) {
                    case CMP, TEST -> register || i.kind1 == IMM;
                    case ADD, SUB ->
                            i.operandSize >= 4 && (register && i.reg0 != i.reg1 || i.kind1 == IMM);
                    case AND, OR, XOR -> register || i.kind1 == IMM || i.kind1 == MEM;
                    default -> false;
                };
        return possible ? new FlagRecipe(i, at, false, false) : null;
    }

    /** Whether the flags that it leaves can be made again if its operand was kept before. */
    static boolean needsSource(Instruction i) {
        return i.kind0 == GPR
                && i.operandSize >= 4
                && switch (i.op) {
                    case SHL, SHR, SAR -> i.kind1 == IMM;
                    case NEG -> true;
                    default -> false;
                };
    }

    /** The recipe for such an instruction, which keeps its operand: to be used in front of it. */
    static FlagRecipe keepSource(BlockTranslator block, Instruction i, int at) {
        return new FlagRecipe(i, at, false, false).keep(block, true, false);
    }

    /** The same for what compares or adds an operand in memory; null if it is none of these. */
    static FlagRecipe keepingMemory(Instruction i, int at) {
        boolean first = i.kind0 == MEM && (i.kind1 == IMM || inHost(i.kind1, i.reg1));
        boolean second = inHost(i.kind0, i.reg0) && i.kind1 == MEM;
        if (i.kind2 != NONE) {
            return null;
        }
        boolean possible =
                switch (i.op) {
                    case CMP, TEST -> first || second;
                    case ADD, SUB -> second && i.operandSize >= 4;
                    default -> false;
                };
        return possible ? new FlagRecipe(i, at, first, second) : null;
    }

    /** Where the operand of such an instruction is to be kept. */
    int memoryField() {
        return firstKept ? ProcessorBlock.KEPT_OPERAND : ProcessorBlock.KEPT_OPERAND_2;
    }

    /** Whether nothing had to be kept. */
    boolean asLeft() {
        return !firstKept && !secondKept;
    }

    private boolean needsSecond() {
        return maker.kind1 == GPR
                && switch (maker.op) {
                    case CMP, TEST, ADD, SUB -> true;
                    default -> false;
                };
    }

    /** Whether an instruction, which does not replace the flags, may change what is needed. */
    boolean changedBy(Instruction i) {
        return changesFirst(i) || changesSecond(i);
    }

    private boolean changesFirst(Instruction i) {
        return !firstKept && changes(i, maker.reg0);
    }

    private boolean changesSecond(Instruction i) {
        return needsSecond() && !secondKept && changes(i, maker.reg1);
    }

    /** Keeps what an instruction may change, in front of it; spoils the scratch register. */
    FlagRecipe keepFrom(BlockTranslator block, Instruction i) {
        return keep(block, changesFirst(i), changesSecond(i));
    }

    private FlagRecipe keep(BlockTranslator block, boolean first, boolean second) {
        Assembler a = block.asm;
        if (first) {
            a.storeState(ProcessorBlock.KEPT_OPERAND, block.read(maker.reg0, Gpr.SCRATCH));
        }
        if (second) {
            a.storeState(ProcessorBlock.KEPT_OPERAND_2, block.read(maker.reg1, Gpr.SCRATCH));
        }
        return new FlagRecipe(maker, at, firstKept || first, secondKept || second);
    }

    /** May say yes without need. */
    private static boolean changes(Instruction i, int register) {
        return switch (i.op) {
            case MOV, MOVZX, MOVSX, MOVSXD, LEA, CMOVCC, SETCC, NOT, BSWAP ->
                    (i.kind0 == GPR && i.reg0 == register)
                            || (i.kind0 == Instruction.GPR_HIGH && (i.reg0 & 3) == register);
            case PUSH -> register == 4;
            case POP -> register == 4 || i.reg0 == register;
            case NOP, ENDBR, PREFETCH -> false;
            case CBW -> register == 0;
            case CWD -> register == 2;
            case JCC -> false;
            default ->
                    !Operands.vector(i) || i.kind0 == GPR && i.reg0 == register || i.op == Op.EMMS;
        };
    }

    /** How many instructions make the flags. */
    int cost() {
        int loads = firstInHost() ? 0 : 1;
        return loads + (maker.op == Op.ADD || maker.op == Op.SUB ? 2 : 1);
    }

    /** Makes the flags; spoils the scratch register. */
    void make(BlockTranslator block) {
        Assembler a = block.asm;
        boolean compares = maker.op == Op.CMP || maker.op == Op.TEST;
        if (compares && firstInHost() && secondInHost()) {
            block.copied().emit(maker, at); // next to which a jump may be put
            return;
        }
        int first = Gpr.SCRATCH;
        if (firstKept) {
            a.loadState(first, ProcessorBlock.KEPT_OPERAND);
        } else {
            first = block.read(maker.reg0, first);
        }
        switch (maker.op) {
            case CMP, TEST -> withSecond(a, maker.op, first);
            case AND, OR, XOR -> {
                boolean bytes = maker.operandSize == 1;
                a.op(prefix(), wide(), Assembler.MAP_1, bytes ? 0x84 : TEST, first, first, bytes);
            }
            case ADD -> {
                withSecond(a, Op.SUB, first);
                withSecond(a, Op.ADD, first);
            }
            case SUB -> {
                withSecond(a, Op.ADD, first);
                withSecond(a, Op.SUB, first);
            }
            case NEG -> a.op(wide(), 0xf7, 3, first);
            case SHL, SHR, SAR -> {
                a.op(wide(), 0xc1, maker.op == Op.SHL ? 4 : maker.op == Op.SHR ? 5 : 7, first);
                a.emit((int) maker.imm & 0xff);
            }
            default -> throw new AssertionError(maker.op);
        }
    }

    /** Whether an operand is a register, the lower part of one perhaps, that the host holds. */
    private static boolean inHost(int kind, int register) {
        return kind == GPR && Gpr.host(register) != Gpr.SPILLED;
    }

    private boolean firstInHost() {
        return !firstKept && inHost(maker.kind0, maker.reg0);
    }

    private boolean secondInHost() {
        return maker.kind1 == IMM || !secondKept && inHost(maker.kind1, maker.reg1);
    }

    /** Carries out an instruction on a host register and the second operand. */
    private void withSecond(Assembler a, Op op, int first) {
        int code =
                switch (op) {
                    case ADD -> 0x03;
                    case SUB -> 0x2b;
                    case CMP -> 0x3b;
                    default -> TEST;
                };
        boolean bytes = maker.operandSize == 1;
        int width = bytes ? 1 : 0;
        if (maker.kind1 == IMM) {
            int ofImmediate = code == TEST ? 0xf7 : 0x81;
            int extension = code == TEST ? 0 : code >> 3;
            a.op(prefix(), wide(), Assembler.MAP_1, ofImmediate - width, extension, first, bytes);
            a.immediate(maker.imm, Math.min(maker.operandSize, 4));
        } else if (secondInHost()) {
            int second = Gpr.host(maker.reg1);
            a.op(prefix(), wide(), Assembler.MAP_1, code - width, first, second, bytes);
        } else {
            a.memState(
                    secondKept
                            ? ProcessorBlock.KEPT_OPERAND_2
                            : ProcessorBlock.register(maker.reg1));
            a.opMem(prefix(), wide(), Assembler.MAP_1, code - width, first, bytes);
        }
    }

    private int prefix() {
        return maker.operandSize == 2 ? 0x66 : 0;
    }

    private boolean wide() {
        return maker.operandSize == 8;
    }
}
