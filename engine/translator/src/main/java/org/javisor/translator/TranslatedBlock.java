package org.javisor.translator;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** A run of guest instructions as host code. */
final class TranslatedBlock {
    private static final int[] NONE = {};

    final TranslatedPage page;
    final int context;

    /** Of its first instruction in the page. */
    final int offset;

    /** Bytes of guest code it was made of. */
    int length;

    /** Bytes of host code, from {@link #indirectEntry} on. */
    int size;

    /** Expects {@link ProcessorBlock#PAGE} to be right. */
    long entry;

    /** Expects the guest's RIP in {@link Gpr#ADDRESS}. */
    long indirectEntry;

    /** The page on which its one instruction ends, or null if all of it is on the first. */
    final TranslatedPage secondPage;

    /** Jumps that lead here; each knows its place in the list. */
    private final List<Link> incoming = new ArrayList<>(2);

    /** Jumps from here. */
    final List<Link> outgoing = new ArrayList<>(2);

    /** It jumps back to itself in a way that is not a link. */
    boolean loops;

    /** Offset in the page that it jumps back to at its end, or -1: the head of a loop, mostly. */
    int backTo = -1;

    boolean valid = true;

    // For BusyBlocks: how often it was noted, since when
    int noted;
    long notedSince;

    /** Where it stands, or stood, in jump tables: one place for each address of its page. */
    private int[] jumpIndices = NONE;

    TranslatedBlock(TranslatedPage page, TranslatedPage secondPage, int context, int offset) {
        this.page = page;
        this.secondPage = secondPage;
        this.context = context;
        this.offset = offset;
    }

    List<Link> incoming() {
        return incoming;
    }

    void addIncoming(Link link) {
        link.place = incoming.size();
        incoming.add(link);
    }

    /**
     * In a time that does not depend on how many there are: some code is called from everywhere.
     */
    void removeIncoming(Link link) {
        Link last = incoming.removeLast();
        if (last != link) {
            incoming.set(link.place, last);
            last.place = link.place;
        }
    }

    void forgetIncoming() {
        incoming.clear();
    }

    /** Whether it is noted that it may stand at an index of a jump table. */
    boolean jumpNoted(int index) {
        for (int known : jumpIndices) {
            if (known == index) {
                return true;
            }
        }
        return false;
    }

    void noteJump(int index) {
        jumpIndices = Arrays.copyOf(jumpIndices, jumpIndices.length + 1);
        jumpIndices[jumpIndices.length - 1] = index;
    }

    /** It stands in no jump table any more. */
    void forgetJumps() {
        jumpIndices = NONE;
    }

    int[] jumpIndices() {
        return jumpIndices;
    }
}
