package org.javisor.translator;

import static org.javisor.translator.Assembler.NONE;

import org.javisor.x86.Instruction;

/** Computes addresses of memory operands (Intel SDM vol. 1, section 3.7.5), without flags. */
final class Addresses {
    private static final int FS = 4;

    /** Displacements short of it leave room for what is added to them. */
    private static final int FAR = 1 << 29;

    private final BlockTranslator block;

    Addresses(BlockTranslator block) {
        this.block = block;
    }

    /**
     * Linear address of an instruction's memory operand to {@link Gpr#ADDRESS}.
     *
     * @param next offset in the page of what follows the instruction
     */
    void linear(Instruction i, int next) {
        linear(i, next, 0);
    }

    /** The same, some bytes farther. */
    void linear(Instruction i, int next, int farther) {
        effective(i, next, farther, Gpr.ADDRESS, i.addressSize == 4);
        if (i.segment >= FS) {
            Assembler a = block.asm;
            a.loadState(Gpr.SCRATCH, segmentBase(i));
            a.leaSum(Gpr.ADDRESS, Gpr.ADDRESS, Gpr.SCRATCH, 0);
        }
    }

    /** Whether a memory operand lies a displacement from what one host register holds. */
    static boolean nearRegister(Instruction i) {
        return i.base >= 0
                && i.base != Instruction.RIP
                && Gpr.host(i.base) != Gpr.SPILLED
                && i.index < 0
                && i.addressSize == 8
                && i.segment < FS
                && near(i.disp);
    }

    /** Whether it lies a displacement from the start of the page whose code runs. */
    static boolean nearPage(Instruction i) {
        return i.base == Instruction.RIP && i.addressSize == 8 && i.segment < FS && near(i.disp);
    }

    /** Whether it lies a displacement from the base of FS or GS. */
    static boolean nearSegment(Instruction i) {
        return i.segment >= FS && i.base < 0 && i.index < 0 && i.addressSize == 8 && near(i.disp);
    }

    /** Without the absolute value, which the least of all numbers has not: it may have 64 bits. */
    private static boolean near(long displacement) {
        return -FAR < displacement && displacement < FAR;
    }

    /** The field with the base of FS or GS. */
    static int segmentBase(Instruction i) {
        return ProcessorBlock.SEGMENT_BASE + 8 * (i.segment - FS);
    }

    /**
     * @param narrow whether the upper half becomes 0
     */
    private void effective(Instruction i, int next, int farther, int to, boolean narrow) {
        Assembler a = block.asm;
        if (i.base == Instruction.RIP) {
            a.loadState(to, ProcessorBlock.PAGE);
            a.lea(to, to, (int) i.disp); // apart from what comes next, as the sum may be too large
            a.mem(to, next);
        } else if (i.base < 0 && i.index < 0) {
            a.movImm64(to, narrow ? i.disp & 0xffffffffL : i.disp);
            return;
        } else {
            int base = i.base < 0 ? NONE : block.read(i.base, Gpr.ADDRESS);
            int index = i.index < 0 ? NONE : block.read(i.index, Gpr.SCRATCH);
            if (index != NONE && base == NONE && i.scale == 0) {
                a.mem(index, (int) i.disp + farther);
            } else {
                a.mem(base, index, i.scale, (int) i.disp + farther);
            }
        }
        a.opMem(!narrow, 0x8d, to);
    }

    /** LEA. */
    void load(Instruction i) {
        Assembler a = block.asm;
        int target = Gpr.host(i.reg0);
        int to = target == Gpr.SPILLED ? Gpr.ADDRESS : target;
        // The low half of a sum depends on low halves only.
        effective(i, block.next(), 0, to, i.operandSize == 4 || i.addressSize == 4);
        if (target == Gpr.SPILLED) {
            a.storeState(ProcessorBlock.register(i.reg0), to);
        }
    }
}
