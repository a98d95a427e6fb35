package org.javisor.interpreter;

import static org.javisor.x86.Instruction.MEM;
import static org.javisor.x86.Instruction.YMM;

import org.javisor.x86.Instruction;

/**
 * VMASKMOVPS and its relatives: loads and stores of the elements whose mask has its top bit set.
 * Memory of the others is not touched (Intel SDM vol. 2, VMASKMOV).
 */
final class MaskedMoveHandlers {
    private MaskedMoveHandlers() {}

    static Handler select(Instruction i) {
        return switch (i.op) {
            case VMASKMOVPS, VPMASKMOVD ->
                    i.kind0 == MEM ? (c, j) -> store(c, j, 4) : (c, j) -> load(c, j, 4);
            case VMASKMOVPD, VPMASKMOVQ ->
                    i.kind0 == MEM ? (c, j) -> store(c, j, 8) : (c, j) -> load(c, j, 8);
            default -> null;
        };
    }

    private static boolean chosen(Cpu c, Instruction i, int n, int size) {
        return size == 4
                ? VexForms.doubleword(c, i.reg1, n) < 0
                : VexForms.quadword(c, i.reg1, n) < 0;
    }

    private static void load(Cpu c, Instruction i, int size) {
        c.requireAvx();
        int bytes = i.kind0 == YMM ? 32 : 16;
        long[] result = new long[4];
        for (int n = 0; n < bytes / size; n++) {
            if (chosen(c, i, n, size)) {
                long at = (long) n * size;
                if (size == 8) {
                    result[n] = c.load64(i, at);
                } else {
                    result[n >> 1] |= (c.load32(i, at) & 0xffffffffL) << ((n & 1) << 5);
                }
            }
        }
        VexForms.set256(c, i.reg0, result[0], result[1], result[2], result[3]);
    }

    /** All that is to be written is checked before the first of it is. */
    private static void store(Cpu c, Instruction i, int size) {
        c.requireAvx();
        int elements = (i.kind2 == YMM ? 32 : 16) / size;
        for (int n = 0; n < elements; n++) {
            if (chosen(c, i, n, size)) {
                c.checkWritable(i, (long) n * size, size);
            }
        }
        for (int n = 0; n < elements; n++) {
            if (chosen(c, i, n, size)) {
                long at = (long) n * size;
                if (size == 8) {
                    c.store64(i, at, VexForms.quadword(c, i.reg2, n));
                } else {
                    c.store32(i, at, VexForms.doubleword(c, i.reg2, n));
                }
            }
        }
    }
}
