package org.javisor.translator;

import static org.javisor.translator.BaseChange.FAR;
import static org.javisor.translator.BaseChange.LOST;
import static org.javisor.x86.Instruction.GPR;
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

    static final int NO_KEY = -1;
    private static final int RSP = 4;
    private static final int STACK = key(RSP, -1, 0);

    /** What {@link #displacement} says of an access that is not covered. */
    static final int NOT_COVERED = Integer.MIN_VALUE;

    // The group in force: its base's change since the probe, and what the probe covers, from the
    // base's value then
    private boolean active;
    private int key;
    private int shift;
    private int low;
    private int high;
    private boolean writable;

    private int planned;
    private int alignment;
    private boolean neededLater;

    private static int key(int base, int index, int scale) {
        return base | index + 1 << 8 | scale << 16;
    }

    /** The host address is no longer there, or of no use. */
    void end() {
        active = false;
    }

    /** Where an access lies from the host address that is known, or {@link #NOT_COVERED}. */
    int displacement(int accessKey, int disp, int size, boolean write, int wanted) {
        boolean known = active && accessKey == key && accessKey != NO_KEY;
        int from = disp + shift;
        return known && covers(from, size, write, wanted) ? from - low : NOT_COVERED;
    }

    private boolean covers(int from, int size, boolean write, int wanted) {
        return from >= low
                && from + size <= high
                && (writable || !write)
                && wanted <= alignment
                && (from - low & wanted - 1) == 0;
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
     * @param wanted alignment of that
     * @param apart whether accesses are of use that come after others or behind a branch
     * @param anySpan whether the probe can make sure of an alignment whatever it spans
     * @return how many there are with this one before others come or a branch does; {@link #begin}
     *     makes them a group, {@link KnownPages} serves the others
     */
    int plan(
            List<Instruction> instructions,
            int current,
            int accessKey,
            int disp,
            boolean write,
            int wanted,
            boolean anySpan,
            boolean apart) {
        key = accessKey;
        low = disp;
        high = disp + size(instructions.get(current));
        writable = write;
        alignment = wanted;
        planned = 1;
        neededLater = false;
        if (accessKey == NO_KEY) {
            return 1;
        }
        boolean conditional = false;
        boolean together = change(instructions.get(current), key) != LOST;
        int moved = moved(instructions.get(current), key);
        for (int n = current + 1; n < instructions.size() && moved != LOST; n++) {
            Instruction i = instructions.get(n);
            conditional |= i.op == Op.JCC; // what follows may not be executed
            if (accesses(i)) {
                if (keyOf(i) != key) {
                    together = false;
                } else {
                    boolean joins = conditional ? isCovered(i, moved) : join(i, moved, anySpan);
                    boolean next = together && !conditional;
                    planned += joins && next ? 1 : 0;
                    neededLater |= joins && !next;
                    together &= joins;
                }
            }
            together &= change(i, key) != LOST;
            if (!together && !apart) {
                break;
            }
            int change = moved(i, key);
            moved = change == LOST ? LOST : moved + change;
        }
        return planned;
    }

    private boolean isCovered(Instruction i, int moved) {
        return covers(displacementOf(i) + moved, size(i), writes(i), Operands.alignment(i));
    }

    /** Makes the probe cover an access, if it can. */
    private boolean join(Instruction i, int moved, boolean anySpan) {
        int from = displacementOf(i) + moved;
        int wanted = Operands.alignment(i);
        int newAlignment = Math.max(alignment, wanted);
        // What is known to be aligned stays the start, and the whole a multiple of it.
        int anchor = wanted > alignment ? from : low;
        if (wanted > 1 && alignment > 1 && (from - low & Math.min(wanted, alignment) - 1) != 0) {
            return false;
        }
        int newLow = Math.min(low, from);
        newLow -= newLow - anchor & newAlignment - 1;
        int newHigh = Math.max(high, from + size(i));
        newHigh += -(newHigh - newLow) & newAlignment - 1;
        if (newHigh - newLow > (anySpan || newAlignment == 1 ? WIDEST : newAlignment)) {
            return false;
        }
        low = newLow;
        high = newHigh;
        alignment = newAlignment;
        writable |= writes(i);
        return true;
    }

    int high() {
        return high;
    }

    int alignment() {
        return alignment;
    }

    /** Whether there are more that the probe covers, after others or behind a branch. */
    boolean neededLater() {
        return neededLater;
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
            default -> operandKey(i);
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

    /** By how much the base of a key changes, or {@link BaseChange#LOST}. */
    static int moved(Instruction i, int key) {
        return BaseChange.of(i, key & 0xff, (key >>> 8 & 0xff) - 1);
    }

    /** The same, but lost if the address register is, too. */
    private static int change(Instruction i, int key) {
        boolean onStack = (key & 0xff) == RSP;
        int moved = moved(i, key);
        boolean calm =
                switch (i.op) {
                    case PUSH -> onStack && i.kind0 != MEM;
                    case POP -> onStack;
                    case NOP, ENDBR, JCC, PREFETCH -> true;
                    case LEA ->
                            Gpr.host(i.reg0) != Gpr.SPILLED
                                    && (i.base < 0
                                            || i.base == RIP
                                            || Gpr.host(i.base) != Gpr.SPILLED);
                    default -> moved != 0 || calm(i);
                };
        return calm ? moved : LOST;
    }

    /** Whether its translation uses the address register for nothing but its operand. */
    private static boolean calm(Instruction i) {
        return Translatability.copied(i)
                && !i.lock()
                && !Operands.usesX87(i)
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
