package org.javisor.translator;

import java.util.ArrayList;
import java.util.List;

/** The translations of one guest-physical page. */
final class TranslatedPage {
    final long gpa;
    final int number;

    /** By context, then by the offset of the first instruction. */
    final TranslatedBlock[][] blocks = new TranslatedBlock[Context.COUNT][];

    private final List<TranslatedBlock> all = new ArrayList<>();

    /** By 64 bytes: whether code was made of some, which may have been dropped since. */
    private long covered;

    /** Writes that hit no code since the last that did. */
    int writesBeside;

    /** Blocks that begin on another page and end on this one. */
    final List<TranslatedBlock> straddling = new ArrayList<>();

    boolean valid = true;

    /**
     * @param number of no other page that exists, or existed since the last flush of all
     */
    TranslatedPage(long gpa, int number) {
        this.gpa = gpa;
        this.number = number;
    }

    TranslatedBlock block(int context, int offset) {
        TranslatedBlock[] known = blocks[context];
        return known == null ? null : known[offset];
    }

    void add(TranslatedBlock block) {
        if (blocks[block.context] == null) {
            blocks[block.context] = new TranslatedBlock[4096];
        }
        blocks[block.context][block.offset] = block;
        all.add(block);
        cover(block.offset, block.length);
    }

    /** A block that begins on another page ends on this one. */
    void addStraddling(TranslatedBlock block) {
        straddling.add(block);
        cover(0, block.offset + block.length - 4096);
    }

    void remove(TranslatedBlock block) {
        if (block(block.context, block.offset) == block) {
            blocks[block.context][block.offset] = null;
            all.remove(block);
        }
    }

    private void cover(int offset, int length) {
        for (int n = offset >> 6; n <= Math.min(offset + length - 1, 4095) >> 6; n++) {
            covered |= 1L << n;
        }
    }

    /** Whether a range may overlap with code; exact to 64 bytes. */
    boolean mayHold(int offset, int length) {
        long from = -1L << (offset >> 6);
        long to = -1L >>> 63 - (offset + length - 1 >> 6);
        return (covered & from & to) != 0;
    }

    /** The blocks that were made of bytes in a range. */
    List<TranslatedBlock> blocksAt(int offset, int length) {
        List<TranslatedBlock> found = new ArrayList<>();
        for (TranslatedBlock block : all) {
            if (block.offset < offset + length && offset < block.offset + block.length) {
                found.add(block);
            }
        }
        for (TranslatedBlock block : straddling) {
            if (offset < block.offset + block.length - 4096) {
                found.add(block);
            }
        }
        return found;
    }
}
