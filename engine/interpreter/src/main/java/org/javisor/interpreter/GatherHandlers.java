package org.javisor.interpreter;

import static org.javisor.x86.Instruction.YMM;

import org.javisor.x86.Instruction;

/**
 * VPGATHERDD and its relatives. Elements are loaded from the lowest on; each that is loaded clears
 * its mask, so that after a fault the instruction goes on where it stood (Intel SDM vol. 2,
 * VPGATHERDD). Masks of elements not yet reached are then still as they were, as AMD's processors
 * leave them; Intel's may have spread their top bits.
 */
final class GatherHandlers {
    private GatherHandlers() {}

    static Handler select(Instruction i) {
        return switch (i.op) {
            case VPGATHERDD, VGATHERDPS -> (c, j) -> gather(c, j, 4, 4);
            case VPGATHERDQ, VGATHERDPD -> (c, j) -> gather(c, j, 8, 4);
            case VPGATHERQD, VGATHERQPS -> (c, j) -> gather(c, j, 4, 8);
            case VPGATHERQQ, VGATHERQPD -> (c, j) -> gather(c, j, 8, 8);
            default -> null;
        };
    }

    private static void gather(Cpu c, Instruction i, int size, int indexSize) {
        c.requireAvx();
        int mask = i.reg2;
        int data = i.kind0 == YMM ? 32 : 16;
        int indices = (i.flags & Instruction.VSIB_256) != 0 ? 32 : 16;
        int elements = Math.min(data / size, indices / indexSize);
        for (int n = 0; n < elements; n++) {
            boolean chosen =
                    size == 4
                            ? VexForms.doubleword(c, mask, n) < 0
                            : VexForms.quadword(c, mask, n) < 0;
            if (chosen) {
                long index =
                        indexSize == 4
                                ? VexForms.doubleword(c, i.index, n)
                                : VexForms.quadword(c, i.index, n);
                if (size == 4) {
                    VexForms.setDoubleword(c, i.reg0, n, c.load32Indexed(i, index));
                } else {
                    VexForms.setQuadword(c, i.reg0, n, c.load64Indexed(i, index));
                }
            }
            if (size == 4) {
                VexForms.setDoubleword(c, mask, n, 0);
            } else {
                VexForms.setQuadword(c, mask, n, 0);
            }
        }
        VexForms.set256(c, mask, 0, 0, 0, 0);
        for (int n = elements * size / 8; n < 4; n++) {
            VexForms.setQuadword(c, i.reg0, n, 0);
        }
    }
}
