package org.javisor.translator;

import java.util.List;

/**
 * The inline software TLB: turns a linear address into a host address, or leaves.
 *
 * <p>Two forms. The short one adds the entry's negated tag, which leaves the offset in the page if
 * it is the right page and something too large if not, and compares that; it spoils the flags, so
 * they must not be needed, or have been put aside. The long one does without flags, by PEXT and
 * JRCXZ.
 */
final class MemoryProbe {
    private final BlockTranslator block;

    MemoryProbe(BlockTranslator block) {
        this.block = block;
    }

    /**
     * Emits a probe; the operand's host address is then in {@link Gpr#ADDRESS}.
     *
     * @param address puts the linear address there, using {@link Gpr#SCRATCH} and no flags
     * @param alignment 1, 16 or 32: what else goes to the interpreter
     */
    void emit(Runnable address, int size, boolean write, int alignment) {
        Assembler a = block.asm;
        if (!block.flagsSaved() && block.flagsDead() && block.accessesUntilReplaced() > 1) {
            block.saveFlags();
        }
        block.retryHere();
        boolean mayClobber = block.flagsSaved();
        address.run();
        int site = block.memorySite(write, size, alignment);
        int jump =
                mayClobber
                        ? withFlags(a, size, write, alignment)
                        : withoutFlags(a, size, write, alignment);
        block.cold(
                List.of(jump),
                () -> {
                    address.run();
                    a.storeState(ProcessorBlock.LINEAR, Gpr.ADDRESS);
                    block.exit(site, ExitReason.MEMORY);
                });
    }

    private int withFlags(Assembler a, int size, boolean write, int alignment) {
        int table = ProcessorBlock.tlb(block.context());
        int tag = table + (write ? ProcessorBlock.TLB_WRITE : ProcessorBlock.TLB_READ);
        a.rorx32(Gpr.SCRATCH, Gpr.ADDRESS, 12 - ProcessorBlock.TLB_ENTRY_SHIFT);
        a.aluImm(
                false,
                4,
                Gpr.SCRATCH,
                ProcessorBlock.TLB_ENTRIES - 1 << ProcessorBlock.TLB_ENTRY_SHIFT);
        a.memState(Gpr.SCRATCH, 0, tag);
        a.opMem(true, 0x03, Gpr.ADDRESS); // add
        int miss;
        if (alignment > 1) {
            a.testImm(true, Gpr.ADDRESS, -4096 | alignment - 1);
            miss = a.jccAhead(5);
        } else {
            a.aluImm(true, 7, Gpr.ADDRESS, 4096 - size);
            miss = a.jccAhead(7);
        }
        a.memState(Gpr.SCRATCH, 0, table + ProcessorBlock.TLB_HOST);
        a.opMem(true, 0x03, Gpr.ADDRESS);
        return miss;
    }

    private int withoutFlags(Assembler a, int size, boolean write, int alignment) {
        int table = ProcessorBlock.tlb(block.context());
        int tag = table + (write ? ProcessorBlock.TLB_WRITE : ProcessorBlock.TLB_READ);
        index(a);
        a.memState(Gpr.SCRATCH, 3, tag);
        a.loadMem(Gpr.SCRATCH);
        a.leaSum(Gpr.SCRATCH, Gpr.SCRATCH, Gpr.ADDRESS, alignment > 1 ? 0 : size - 1);
        int mask =
                switch (alignment) {
                    case 16 -> ProcessorBlock.MISALIGNED_16_MASK;
                    case 32 -> ProcessorBlock.MISALIGNED_32_MASK;
                    default -> ProcessorBlock.OUTSIDE_PAGE_MASK;
                };
        a.pextState(Gpr.SCRATCH, Gpr.SCRATCH, mask);
        int hit = a.jrcxzAhead();
        int miss = a.jmpAhead();
        a.bind8(hit);
        index(a);
        a.memState(Gpr.SCRATCH, 3, table + ProcessorBlock.TLB_DISTANCE);
        a.loadMem(Gpr.SCRATCH);
        a.leaSum(Gpr.ADDRESS, Gpr.ADDRESS, Gpr.SCRATCH, 0);
        return miss;
    }

    private static void index(Assembler a) {
        a.pextState(Gpr.SCRATCH, Gpr.ADDRESS, ProcessorBlock.TLB_INDEX_MASK);
    }
}
