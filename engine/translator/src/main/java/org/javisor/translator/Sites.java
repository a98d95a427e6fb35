package org.javisor.translator;

import org.javisor.interpreter.GuestProcessor;

/** Makes the {@link Site}s of the block that is being translated, for its current instruction. */
final class Sites {
    private static final int NO_SLOT = -1;

    private final BlockTranslator block;
    private final TranslationCache cache;

    Sites(BlockTranslator block, TranslationCache cache) {
        this.block = block;
        this.cache = cache;
    }

    /** For an access whose page has to be looked up; all numbers are those of a {@link Site}. */
    int access(boolean write, int size, int alignment, AccessGroup group) {
        return access(write, size, alignment, NO_SLOT, group);
    }

    /** The same, of a place with a slot. */
    int access(boolean write, int size, int alignment, int slot, AccessGroup group) {
        return add(write, size, alignment, block.context(), block.remaining(), slot, group);
    }

    /** For leaving the block in front of the current instruction. */
    int before() {
        return leaving(block.remaining(), block.context());
    }

    /** For leaving it behind the current instruction, which is the last. */
    int behind() {
        return leaving(0, block.context());
    }

    /**
     * The same.
     *
     * @param left instructions that are counted but not carried out
     * @param next the context of what comes next
     */
    int leaving(int left, int next) {
        return add(false, 0, 1, next, left, NO_SLOT, null);
    }

    private int add(
            boolean write,
            int size,
            int alignment,
            int next,
            int left,
            int slot,
            AccessGroup group) {
        return cache.addSite(
                new Site(
                        block.block(),
                        new GuestProcessor.Prepared(block.instruction()),
                        block.at(),
                        write,
                        size,
                        alignment,
                        block.retry(),
                        block.flags().saved(),
                        next,
                        left,
                        slot,
                        !block.knownPages().isEmpty(),
                        group));
    }

    /**
     * For an instruction on two pages, which is not decoded before it is known that they belong
     * together.
     */
    int straddling() {
        return cache.addSite(
                new Site(
                        block.block(),
                        null,
                        block.at(),
                        false,
                        0,
                        1,
                        block.retry(),
                        false,
                        block.context(),
                        0,
                        NO_SLOT,
                        false,
                        null));
    }
}
