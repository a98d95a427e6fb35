package org.javisor.translator;

import static org.javisor.translator.Assembler.MAP_0F;

import org.javisor.x86.Instruction;
import org.javisor.x86.Op;

/**
 * CMPXCHG8B and CMPXCHG16B: they use RCX, which is scratch here and holds the guest's meanwhile.
 */
final class CompareExchangePair {
    private static final int LOCK = 0xf0;

    private final BlockTranslator block;

    CompareExchangePair(BlockTranslator block) {
        this.block = block;
    }

    void emit(Instruction i) {
        Assembler a = block.asm;
        int after = block.next();
        int size = i.op == Op.CMPXCHG16B ? 16 : 8;
        block.probe()
                .emit(() -> block.addresses().linear(i, after), size, true, size == 16 ? 16 : 1);
        a.mov(Gpr.SCRATCH, Gpr.RCX);
        if (i.lock()) {
            a.emit(LOCK);
        }
        a.mem(Gpr.ADDRESS, 0);
        a.opMem(0, size == 16, MAP_0F, 0xc7, 1, false);
    }
}
