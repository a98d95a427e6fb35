package org.javisor.translator;

import org.javisor.interpreter.GuestProcessor;
import org.javisor.memory.GuestMemory;
import org.javisor.x86.Decoder;

/**
 * Finds the translation of the code at a linear address, and enters into the tables where it is.
 */
final class CodeLookup {
    private static final long PAGE = -4096;

    private final GuestProcessor processor;
    private final TranslationCache cache;
    private final GuestMemory memory;
    private final GuestState guest;
    private final ProcessorBlock state;
    private final AddressTables tables;
    private final FetchTable fetches;

    CodeLookup(
            GuestProcessor processor,
            TranslationCache cache,
            GuestState guest,
            ProcessorBlock state,
            AddressTables tables,
            FetchTable fetches) {
        this.processor = processor;
        this.cache = cache;
        this.memory = processor.memory();
        this.guest = guest;
        this.state = state;
        this.tables = tables;
        this.fetches = fetches;
    }

    /** The block at a linear address, or null if the interpreter has to fetch there. */
    TranslatedBlock find(int context, long linear) {
        TranslatedPage page = page(context, linear, linear);
        int offset = (int) linear & 0xfff;
        TranslatedBlock block = page.block(context, offset);
        if (block == null) {
            block = cache.block(page, null, offset, context, linear);
            if (block == null && offset > 4096 - Decoder.MAX_LENGTH) {
                block = cache.block(page, nextPage(context, linear), offset, context, linear);
            }
        }
        return block;
    }

    /** The page after that of an address, entered into the code TLB. */
    TranslatedPage nextPage(int context, long linear) {
        long next = (linear & PAGE) + 4096;
        TranslatedPage page = page(context, next, linear);
        tables.enterCode(context, next, page.number, fetches.global(context, next));
        return page;
    }

    TranslatedBlock findForJump(int context, long linear) {
        TranslatedBlock block = find(context, linear);
        if (block != null) {
            enterJump(context, linear, block);
        }
        return block;
    }

    /**
     * Lets computed jumps to an address find its block, if there is one where it is known to lie.
     */
    void enterJumpIfKnown(int context, long linear) {
        TranslatedPage page = fetches.find(context, linear);
        TranslatedBlock block = page == null ? null : page.block(context, (int) linear & 0xfff);
        if (block != null) {
            enterJump(context, linear, block);
        }
    }

    private void enterJump(int context, long linear, TranslatedBlock block) {
        synchronized (cache) {
            if (block.valid) {
                cache.noteJump(block, ProcessorBlock.jumpIndex(linear));
                tables.enterJump(
                        context, linear, block.indirectEntry, fetches.global(context, linear));
            }
        }
    }

    /**
     * @param instruction RIP, should the fetch fault
     */
    private TranslatedPage page(int context, long linear, long instruction) {
        TranslatedPage page = fetches.find(context, linear);
        if (page != null) {
            return page;
        }
        processor.setRip(instruction);
        long gpa = fetch(linear);
        page = cache.page(gpa & PAGE);
        if (memory.trackCode(gpa) || !page.settled) {
            // A store may be under way that asked before: its bytes must be there when they are
            // translated.
            processor.awaitStores();
            page.settled = true;
        }
        boolean global = processor.walkedGlobal();
        fetches.enter(context, linear, page, global);
        tables.noteLarge(linear, processor.walkedShift());
        tables.enterCode(context, linear, page.number, global);
        return page;
    }

    private long fetch(long linear) {
        try {
            return processor.translateFetch(linear);
        } catch (RuntimeException fault) {
            guest.give(false);
            throw fault;
        }
    }

    /** A block is gone; called by any thread with the cache's lock held. */
    void forget(TranslatedBlock block) {
        for (int index : block.jumpIndices()) {
            if (state.jumpHost(block.context, index) == block.indirectEntry) {
                state.clearJump(block.context, index);
            }
        }
    }
}
