package org.javisor.translator;

import static org.javisor.x86.Instruction.GPR;
import static org.javisor.x86.Instruction.IMM;
import static org.javisor.x86.Instruction.MEM;
import static org.javisor.x86.Instruction.REL;
import static org.javisor.x86.Instruction.RIP;

import java.util.List;
import org.javisor.x86.Instruction;
import org.javisor.x86.Op;

/**
 * Finds accesses of a block that lie near one another by construction, as fields of a structure or
 * a row of pushes do, so that one probe serves them all: the host address stays in {@link
 * Gpr#ADDRESS} as long as nothing else uses that register and the base changes by known amounts at
 * most.
 */
final class AccessGroups {
    /** Bytes that a group may span: the farther, the likelier it crosses a page. */
    private static final int WIDEST = 256;

    private static final int FAR = 1 << 29;
    private static final int STACK = key(4, -1, 0);
    static final int NO_KEY = -1;
    private static final int LOST = Integer.MIN_VALUE;
    private static final int RAX = 0, RDX = 2, RSP = 4;

    /** What {@link #displacement} says of an access that is not covered. */
    static final int NOT_COVERED = Integer.MIN_VALUE;

    private final BlockTranslator block;

    // The group in force: its base's change since the probe, and what the probe covers, from the
    // base's value then
    private boolean active;
    private int key;
    private int shift;
    private int low;
    private int high;
    private boolean writable;

    private int planned;
    private boolean usefulLater;

    AccessGroups(BlockTranslator block) {
        this.block = block;
    }

    private static int key(int base, int index, int scale) {
        return base | index + 1 << 8 | scale << 16;
    }

    /** The host address is no longer there, or of no use. */
    void end() {
        active = false;
    }

    /** Where an access lies from the host address that is known, or {@link #NOT_COVERED}. */
    int displacement(int accessKey, int disp, int size, boolean write) {
        if (!active || accessKey != key || accessKey == NO_KEY || write && !writable) {
            return NOT_COVERED;
        }
        int from = disp + shift;
        return from >= low && from + size <= high ? from - low : NOT_COVERED;
    }

    /** What an instruction that has been translated leaves of the group. */
    void pass(Instruction i) {
        if (active) {
            int change = change(i, key);
            if (change == LOST) {
                active = false;
            } else {
                shift += change;
            }
        }
    }

    /**
     * Looks ahead for accesses to join the one of the current instruction.
     *
     * @return how many there are, with this one; {@link #begin} makes them a group
     */
    int plan(List<Instruction> instructions, int current, int accessKey, int disp, boolean write) {
        if (accessKey == NO_KEY) {
            return 1;
        }
        key = accessKey;
        low = disp;
        high = disp + size(instructions.get(current));
        writable = write;
        planned = 1;
        usefulLater = false;
        boolean conditional = false;
        int moved = change(instructions.get(current), key);
        for (int n = current + 1; n < instructions.size() && moved != LOST; n++) {
            Instruction i = instructions.get(n);
            conditional |= i.op == Op.JCC; // what follows may not be executed
            if (accesses(i)) {
                if (keyOf(i) != key) {
                    break;
                }
                int from = displacementOf(i) + moved;
                if (conditional) {
                    usefulLater = from >= low && from + size(i) <= high && (writable || !writes(i));
                    break;
                }
                int newLow = Math.min(low, from);
                int newHigh = Math.max(high, from + size(i));
                if (newHigh - newLow > WIDEST) {
                    break;
                }
                low = newLow;
                high = newHigh;
                writable |= writes(i);
                planned++;
            }
            int change = change(i, key);
            moved = change == LOST ? LOST : moved + change;
        }
        return planned;
    }

    /** Whether there are more that the probe would cover, behind a branch. */
    boolean usefulLater() {
        return usefulLater;
    }

    int low() {
        return low;
    }

    int span() {
        return high - low;
    }

    boolean writes() {
        return writable;
    }

    /** The probe that was planned is emitted. */
    void begin() {
        active = true;
        shift = 0;
    }

    // What instructions access

    private static boolean accesses(Instruction i) {
        return switch (i.op) {
            case PUSH, POP, CALL, RET, LEAVE -> true;
            case LEA, NOP, PREFETCH -> false;
            default -> i.hasMemory() || implicit(i);
        };
    }

    private static boolean implicit(Instruction i) {
        return switch (i.op) {
            case MOVS, STOS, LODS, PUSHF, POPF -> true;
            default -> false;
        };
    }

    /** What addresses have in common that a constant sets apart, or {@link #NO_KEY}. */
    static int keyOf(Instruction i) {
        return switch (i.op) {
            case PUSH -> i.kind0 == MEM ? operandKey(i) : STACK;
            case POP, RET -> STACK;
            case CALL -> i.kind0 == MEM ? operandKey(i) : STACK;
            case JMP -> operandKey(i);
            default -> Operands.alignment(i) == 1 ? operandKey(i) : NO_KEY;
        };
    }

    private static int operandKey(Instruction i) {
        boolean plain =
                i.hasMemory()
                        && i.base >= 0
                        && i.base != RIP
                        && i.addressSize == 8
                        && i.segment < 4
                        && i.disp > -FAR
                        && i.disp < FAR
                        && !implicit(i);
        return plain ? key(i.base, i.index, i.index < 0 ? 0 : i.scale) : NO_KEY;
    }

    static int stackKey() {
        return STACK;
    }

    private static int displacementOf(Instruction i) {
        return switch (i.op) {
            case PUSH, CALL -> i.kind0 == MEM ? (int) i.disp : -8;
            case POP, RET -> 0;
            default -> (int) i.disp;
        };
    }

    private static int size(Instruction i) {
        return switch (i.op) {
            case PUSH, POP, CALL, RET, JMP -> 8;
            default -> i.memorySize;
        };
    }

    private static boolean writes(Instruction i) {
        return switch (i.op) {
            case PUSH, CALL -> i.kind0 != MEM;
            case POP, RET, JMP -> false;
            default -> Operands.writesMemory(i);
        };
    }

    // What instructions leave of a group

    /** By how much the base changes, or {@link #LOST} if the group ends with the instruction. */
    private int change(Instruction i, int groupKey) {
        int base = groupKey & 0xff;
        int index = (groupKey >>> 8 & 0xff) - 1;
        switch (i.op) {
            case PUSH:
                return i.kind0 == MEM ? LOST : base == RSP && index < 0 ? -8 : LOST;
            case POP:
                return base == RSP && i.reg0 != index && i.reg0 != base && index < 0 ? 8 : LOST;
            case NOP, ENDBR, JCC:
                return 0;
            case LEA:
                return changeByLea(i, base, index);
            case ADD, SUB:
                if (i.kind0 == GPR && i.reg0 == base && base != index) {
                    boolean known = i.kind1 == IMM && i.operandSize == 8 && index != base;
                    int amount = (int) (i.op == Op.ADD ? i.imm : -i.imm);
                    return known && Math.abs((long) amount) < FAR ? amount : LOST;
                }
                break;
            case INC, DEC:
                if (i.kind0 == GPR && i.reg0 == base && base != index) {
                    return i.operandSize != 8 ? LOST : i.op == Op.INC ? 1 : -1;
                }
                break;
            default:
        }
        return keeps(i, base) && keeps(i, index) && calm(i) ? 0 : LOST;
    }

    private static int changeByLea(Instruction i, int base, int index) {
        boolean usesAddress =
                Gpr.host(i.reg0) == Gpr.SPILLED
                        || i.base >= 0 && i.base != RIP && Gpr.host(i.base) == Gpr.SPILLED;
        if (usesAddress || i.reg0 == index) {
            return LOST;
        }
        if (i.reg0 != base) {
            return 0;
        }
        boolean known =
                i.base == base
                        && i.index < 0
                        && i.operandSize == 8
                        && i.addressSize == 8
                        && i.disp > -FAR
                        && i.disp < FAR;
        return known ? (int) i.disp : LOST;
    }

    /** Whether a register stays as it is. */
    private static boolean keeps(Instruction i, int register) {
        if (register < 0) {
            return true;
        }
        return switch (i.op) {
            case CBW -> register != RAX;
            case CWD -> register != RDX;
            default ->
                    i.kind0 != GPR && i.kind0 != Instruction.GPR_HIGH
                            || (i.kind0 == GPR ? i.reg0 : i.reg0 & 3) != register
                            || Operands.keepsFirst(i);
        };
    }

    /** Whether its translation uses the address register for nothing but its operand. */
    private boolean calm(Instruction i) {
        if (!Translatability.copied(i) || i.lock() || Operands.usesX87(i)) {
            return false;
        }
        boolean known =
                switch (i.op) {
                    case MOV, MOVZX, MOVSX, MOVSXD, CBW, CWD -> true;
                    case ADD, ADC, SUB, SBB, AND, OR, XOR, CMP, TEST, INC, DEC, NEG, NOT -> true;
                    case SHL, SHR, SAR, ROL, ROR, IMUL2, BSWAP, BSF, BSR, TZCNT, LZCNT, POPCNT ->
                            true;
                    case CMOVCC, SETCC -> true;
                    default -> Operands.vector(i) && !i.vex() && i.op != Op.EMMS;
                };
        return known
                && !i.vex()
                && i.kind0 != Instruction.GPR_HIGH
                && i.kind1 != Instruction.GPR_HIGH
                && i.kind0 != REL
                && spilled(i) + (countsByCl(i) ? 1 : 0) <= 1;
    }

    private static boolean countsByCl(Instruction i) {
        return switch (i.op) {
            case SHL, SHR, SAR, ROL, ROR -> i.kind1 == GPR;
            default -> false;
        };
    }

    private static int spilled(Instruction i) {
        int count = 0;
        count += i.kind0 == GPR && Gpr.host(i.reg0) == Gpr.SPILLED ? 1 : 0;
        count += i.kind1 == GPR && Gpr.host(i.reg1) == Gpr.SPILLED ? 1 : 0;
        count += i.kind2 == GPR && Gpr.host(i.reg2) == Gpr.SPILLED ? 1 : 0;
        return count;
    }
}
