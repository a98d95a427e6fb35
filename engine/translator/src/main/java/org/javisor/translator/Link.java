package org.javisor.translator;

/**
 * A jump in translated code to another block, and whether it leads there yet. One to another page
 * has a guard in front, which compares the page's number with the one the code TLB knows.
 */
final class Link {
    final TranslatedBlock from;

    /** That of the target. */
    final int context;

    /** Offset of the target from the start of the page that the jump is on. */
    final int targetOffset;

    /** Where the jump's displacement stands, by offset in the code memory. */
    final long patchAt;

    /** The displacement that leads to the exit which asks for the target. */
    final int unlinked;

    /** Where the guard's constant stands, or -1 for a jump within the page. */
    final long guardAt;

    TranslatedBlock target;

    /** Where the target lists it. */
    int place;

    Link(
            TranslatedBlock from,
            int context,
            int targetOffset,
            long patchAt,
            int unlinked,
            long guardAt) {
        this.from = from;
        this.context = context;
        this.targetOffset = targetOffset;
        this.patchAt = patchAt;
        this.unlinked = unlinked;
        this.guardAt = guardAt;
    }
}
