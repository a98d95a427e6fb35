package org.javisor.translator;

import static org.javisor.translator.Assembler.NONE;

import org.javisor.x86.Instruction;

/** Computes addresses of memory operands (Intel SDM vol. 1, section 3.7.5), without flags. */
final class Addresses {
    private static final int FS = 4;

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
        effective(i, next, farther, Gpr.ADDRESS);
        if (i.segment >= FS) {
            Assembler a = block.asm;
            a.loadState(Gpr.SCRATCH, ProcessorBlock.SEGMENT_BASE + 8 * (i.segment - FS));
            a.leaSum(Gpr.ADDRESS, Gpr.ADDRESS, Gpr.SCRATCH, 0);
        }
    }

    private void effective(Instruction i, int next, int farther, int to) {
        Assembler a = block.asm;
        boolean narrow = i.addressSize == 4;
        if (i.base == Instruction.RIP) {
            a.loadState(to, ProcessorBlock.PAGE);
            a.mem(to, Math.toIntExact(next + i.disp));
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
        if (i.base == Instruction.RIP || target == Gpr.SPILLED || i.operandSize == 4) {
            effective(i, block.next(), 0, Gpr.ADDRESS);
            if (i.operandSize == 4) {
                a.mov32(to, Gpr.ADDRESS);
            } else if (to != Gpr.ADDRESS) {
                a.mov(to, Gpr.ADDRESS);
            }
        } else {
            effective(i, block.next(), 0, to);
        }
        if (target == Gpr.SPILLED) {
            a.storeState(ProcessorBlock.register(i.reg0), to);
        }
    }
}
