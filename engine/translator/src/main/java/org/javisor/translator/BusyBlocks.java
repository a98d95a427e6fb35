package org.javisor.translator;

/**
 * Finds the blocks in which processors spend their time, by their accesses: of those that call a
 * stub, one in many leaves translated code and has its block noted. A block that is noted often is
 * translated again, with its accesses in line (see {@link MemoryProbe}): three to six times as
 * long, which repays only where the same place is come to again and again. See docs/adr/0015.
 */
final class BusyBlocks {
    /** In blocks noted, of user code or of the kernel's. */
    private static final int PERIOD = 256;

    /** Noted as often as this within {@link #PERIOD} a block is busy. */
    private static final int OFTEN = 4;

    private final int often;
    private long notedInUserMode;
    private long notedInKernel;

    BusyBlocks() {
        this(OFTEN);
    }

    /**
     * @param often how many times a block has to be noted, 0 for every block to be busy at once
     */
    BusyBlocks(int often) {
        this.often = often;
    }

    boolean isBusy(TranslatedBlock block) {
        return often == 0 || block.page.isBusy(block.offset);
    }

    /** Whether a busy block jumps back to its beginning. */
    boolean beginsLoop(TranslatedBlock block) {
        return often == 0 || block.page.isLoop(block.offset);
    }

    /**
     * To be told of a block one of whose accesses has been picked.
     *
     * @return whether that has made it busy
     */
    boolean note(TranslatedBlock block) {
        long noted = Context.user(block.context) ? ++notedInUserMode : ++notedInKernel;
        if (isBusy(block)) {
            return false;
        }
        if (noted - block.notedSince >= PERIOD) {
            block.notedSince = noted;
            block.noted = 0;
        }
        if (++block.noted < often) {
            return false;
        }
        block.page.noteBusy(block.offset);
        if (block.backTo >= 0) {
            block.page.noteLoop(block.backTo);
        }
        return true;
    }
}
