package org.javisor.translator;

import static org.javisor.translator.Assembler.*;

import java.util.List;
import org.javisor.x86.Instruction;
import org.javisor.x86.Op;

/**
 * DIV and IDIV. The host must not raise #DE, so operands for which it might are the interpreter's:
 * an unsigned dividend whose upper half is not below the divisor; a signed one that is not the
 * sign-extended lower half, or a divisor of 0 or -1. Flags are undefined afterwards; they are put
 * aside before the checks, for the case that the guest gets its exception.
 */
final class Division {
    private static final int EQUAL = 4, NOT_EQUAL = 5, BELOW_OR_EQUAL = 6;

    private final BlockTranslator block;

    Division(BlockTranslator block) {
        this.block = block;
    }

    void emit(Instruction i) {
        Assembler a = block.asm;
        boolean wide = i.operandSize == 8;
        if (!block.flags().saved()) {
            block.flags().save();
        }
        if (i.kind0 == Instruction.MEM) {
            int after = block.next();
            block.probe().emit(() -> block.addresses().linear(i, after), i.operandSize, false, 1);
            a.mem(Gpr.ADDRESS, 0);
            a.opMem(wide, 0x8b, Gpr.ADDRESS);
        } else {
            int from = block.read(i.reg0, Gpr.ADDRESS);
            if (from != Gpr.ADDRESS) {
                a.mov(Gpr.ADDRESS, from);
            }
        }
        if (i.op == Op.DIV) {
            a.op(wide, 0x39, RDX, Gpr.ADDRESS); // cmp divisor, rdx
            block.interpretCold(List.of(a.jccAhead(BELOW_OR_EQUAL)));
            a.op(wide, 0xf7, 6, Gpr.ADDRESS);
        } else {
            // The divisor plus one is neither 1 nor 0.
            a.mem(Gpr.ADDRESS, 1);
            a.opMem(wide, 0x8d, Gpr.SCRATCH);
            a.aluImm(wide, 7, Gpr.SCRATCH, 1);
            int zeroOrMinusOne = a.jccAhead(BELOW_OR_EQUAL);
            a.op(wide, 0x89, RAX, Gpr.SCRATCH);
            a.op(wide, 0xc1, 7, Gpr.SCRATCH); // sar
            a.emit(wide ? 63 : 31);
            a.op(wide, 0x39, Gpr.SCRATCH, RDX);
            block.interpretCold(List.of(zeroOrMinusOne, a.jccAhead(NOT_EQUAL)));
            a.op(wide, 0xf7, 7, Gpr.ADDRESS);
        }
        block.flags().made();
    }
}
