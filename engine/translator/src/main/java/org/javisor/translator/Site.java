package org.javisor.translator;

import org.javisor.interpreter.GuestProcessor;

/**
 * A place in translated code from which it may be left, and what has to be known of it then.
 *
 * @param prepared the guest instruction, for the interpreter; null if it lies on two pages
 * @param offset of the instruction in its page
 * @param size bytes its memory access spans, 0 if the site is not about one
 * @param alignment that the access must have
 * @param retry host address at which to try the access again
 * @param flagsSaved whether the guest's flags are those put aside
 * @param context of what comes next
 * @param remaining instructions of the block that have not been carried out
 * @param slot of the access, by its offset, or -1
 * @param needsPages whether what follows relies on {@link KnownPages}
 * @param group the accesses that share the probe, or null if it is for one
 */
record Site(
        TranslatedBlock block,
        GuestProcessor.Prepared prepared,
        int offset,
        boolean write,
        int size,
        int alignment,
        long retry,
        boolean flagsSaved,
        int context,
        int remaining,
        int slot,
        boolean needsPages,
        AccessGroup group) {}
