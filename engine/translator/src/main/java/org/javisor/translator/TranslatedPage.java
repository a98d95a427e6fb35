package org.javisor.translator;

import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** The translations of one guest-physical page. */
final class TranslatedPage {
    private static final int SMALLEST = 8;

    final long gpa;
    final int number;

    /**
     * The blocks, hashed by context and offset, probed linearly, at most half full: a page of code
     * has some dozens of blocks. Read without a lock, so an entry may be missed, never mistaken.
     */
    private TranslatedBlock[] table = new TranslatedBlock[SMALLEST];

    private int count;

    /** By 64 bytes: whether code was made of some, which may have been dropped since. */
    private long covered;

    /** Writes that hit no code since the last that did. */
    int writesBeside;

    /** Where the last write that hit code ended, and how many bytes it and those before it have. */
    private int hitEnd;

    private int hitBytes;

    /** Blocks that begin on another page and end on this one. */
    final List<TranslatedBlock> straddling = new ArrayList<>();

    /** Offsets of instructions whose accesses are not to share a probe with those that follow. */
    private final BitSet ungrouped = new BitSet();

    /** Offsets of instructions that access now this page and now that. */
    private final BitSet manyPages = new BitSet();

    /** Offsets of instructions whose accesses are counted. */
    private final BitSet onTrial = new BitSet();

    /**
     * How often they were and kept their slot, by offset; replaced, as it is read without a lock.
     */
    private Map<Integer, Integer> acquittals = Map.of();

    /** Offsets of blocks that are busy, see {@link BusyBlocks}. */
    private final BitSet busy = new BitSet();

    /** Offsets of busy blocks that are jumped back to. */
    private final BitSet loops = new BitSet();

    boolean valid = true;

    /** No store to it is under way any more that need not be reported. */
    volatile boolean settled;

    /**
     * @param number of no other page that exists, or existed since all was dropped last
     */
    TranslatedPage(long gpa, int number) {
        this.gpa = gpa;
        this.number = number;
    }

    boolean accessesManyPages(int offset) {
        return manyPages.get(offset);
    }

    /** The instruction at an offset is to look into the TLB itself from now on. */
    void noteManyPages(int offset) {
        manyPages.set(offset);
    }

    RestlessPlaces.Standing standing(int offset) {
        if (onTrial.get(offset)) {
            return RestlessPlaces.Standing.ON_TRIAL;
        }
        return acquittals(offset) > 0
                ? RestlessPlaces.Standing.ACQUITTED
                : RestlessPlaces.Standing.UNTRIED;
    }

    /** The accesses of the instruction at an offset are to be counted from now on. */
    void beginTrial(int offset) {
        onTrial.set(offset);
    }

    /** They are not counted any more. */
    void acquit(int offset) {
        onTrial.clear(offset);
        Map<Integer, Integer> more = new HashMap<>(acquittals);
        more.merge(offset, 1, Integer::sum);
        acquittals = Map.copyOf(more);
    }

    /** How often the accesses of the instruction at an offset were counted and it kept its slot. */
    int acquittals(int offset) {
        return acquittals.getOrDefault(offset, 0);
    }

    boolean isBusy(int offset) {
        return busy.get(offset);
    }

    void noteBusy(int offset) {
        busy.set(offset);
    }

    boolean isLoop(int offset) {
        return loops.get(offset);
    }

    /** A busy block jumps back to an offset: what begins there is as busy. */
    void noteLoop(int offset) {
        busy.set(offset);
        loops.set(offset);
    }

    boolean ungrouped(int offset) {
        return ungrouped.get(offset);
    }

    void ungroup(int offset) {
        ungrouped.set(offset);
    }

    /** The block at an offset, or null; who asks without the cache's lock has to ask again. */
    TranslatedBlock block(int context, int offset) {
        TranslatedBlock[] known = table;
        int n = hash(context, offset);
        while (true) {
            TranslatedBlock block = known[n &= known.length - 1];
            if (block == null || block.offset == offset && block.context == context) {
                return block;
            }
            n++;
        }
    }

    private static int hash(int context, int offset) {
        return offset * 0x9e3779b1 >>> 16 ^ context;
    }

    void add(TranslatedBlock block) {
        if (2 * ++count > table.length) {
            TranslatedBlock[] larger = new TranslatedBlock[2 * table.length];
            for (TranslatedBlock known : table) {
                if (known != null) {
                    put(larger, known);
                }
            }
            table = larger;
        }
        VarHandle.releaseFence();
        put(table, block);
        cover(block.offset, block.length);
    }

    private static void put(TranslatedBlock[] table, TranslatedBlock block) {
        int n = hash(block.context, block.offset) & table.length - 1;
        while (table[n] != null) {
            n = n + 1 & table.length - 1;
        }
        table[n] = block;
    }

    /** All that begin here. */
    List<TranslatedBlock> blocks() {
        return Arrays.stream(table).filter(Objects::nonNull).toList();
    }

    /** A block that begins on another page ends on this one. */
    void addStraddling(TranslatedBlock block) {
        straddling.add(block);
        cover(0, block.offset + block.length - 4096);
    }

    /** Whether no block begins or ends here. */
    boolean isEmpty() {
        return count == 0 && straddling.isEmpty();
    }

    void remove(TranslatedBlock block) {
        int mask = table.length - 1;
        int hole = hash(block.context, block.offset) & mask;
        while (table[hole] != block) {
            if (table[hole] == null) {
                return;
            }
            hole = hole + 1 & mask;
        }
        count--;
        // Those behind move up, unless they would come to stand before where the search begins.
        for (int n = hole + 1 & mask; table[n] != null; n = n + 1 & mask) {
            int start = hash(table[n].context, table[n].offset) & mask;
            if ((n - start & mask) >= (n - hole & mask)) {
                table[hole] = table[n];
                hole = n;
            }
        }
        table[hole] = null;
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

    /** Records a write that hit code; returns how many bytes in a row have been hit by now. */
    int hitInARow(int offset, int length) {
        hitBytes = offset == hitEnd ? hitBytes + length : length;
        hitEnd = offset + length;
        return hitBytes;
    }

    /** The blocks that were made of bytes in a range. */
    List<TranslatedBlock> blocksAt(int offset, int length) {
        List<TranslatedBlock> found = new ArrayList<>();
        for (TranslatedBlock block : table) {
            if (block != null
                    && block.offset < offset + length
                    && offset < block.offset + block.length) {
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
