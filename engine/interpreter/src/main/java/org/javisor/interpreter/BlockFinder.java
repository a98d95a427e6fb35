package org.javisor.interpreter;

import org.javisor.x86.CodeSize;

/** Finds the block that a processor stands at, and decodes it if nobody has. */
final class BlockFinder {
    private static final long PAGE = -4096;

    private final Cpu cpu;
    private final CodeCache cache;
    private final BlockDecoder decoder;
    private CodeSize size = CodeSize.BITS16;

    /** Where execution was last; null if it has to be looked up. */
    private CodePage page;

    /** Linear address of {@link #page}. */
    private long pageLinear;

    BlockFinder(Cpu cpu, CodeCache cache, BlockDecoder decoder) {
        this.cpu = cpu;
        this.cache = cache;
        this.decoder = decoder;
    }

    /** From now on code is of this size. */
    void enter(CodeSize newSize) {
        size = newSize;
        leavePage();
    }

    /** The next block may be on another page, even at the same address. */
    void leavePage() {
        page = null;
    }

    /**
     * The block at RIP.
     *
     * @throws GuestFault if it cannot be fetched
     */
    Block find() {
        long linear = cpu.rip;
        long room = Long.MAX_VALUE;
        if (!cpu.code64) {
            linear = linear + cpu.segments.base[Cpu.CS] & 0xffffffffL;
            room = cpu.segments.limit[Cpu.CS] - cpu.rip + 1;
            if (room <= 0) {
                throw GuestFault.gp0();
            }
        }
        CodePage current = page;
        if (current == null || !current.valid || (linear & PAGE) != pageLinear) {
            current = cpu.mmu.fetch(linear, size);
            page = current;
            pageLinear = linear & PAGE;
        }
        int offset = (int) linear & 0xfff;
        Block block = current.blocks[offset];
        if (block == null || block.second != null) {
            block = prepare(current, offset, linear, block);
        }
        return room < Block.LONGEST ? block.within(room) : block;
    }

    private Block prepare(CodePage current, int offset, long linear, Block known) {
        if (known == null) {
            Block block = decoder.decode(current, offset);
            if (block != null) {
                current.blocks[offset] = block;
                cache.added(block);
                return block;
            }
        }
        CodePage second = cpu.mmu.fetch((linear & PAGE) + 4096, size);
        if (known != null && known.second == second) {
            return known;
        }
        Block block = decoder.decodeStraddling(current, offset, second);
        current.blocks[offset] = block;
        cache.added(block);
        return block;
    }
}
