package org.javisor.translator;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A part of the code memory that is filled, and emptied again, as a whole, and what has to be known
 * of the code in it. Numbers of sites and links tell the region, so emptying it frees them all.
 * Changed under the lock of the {@link TranslationCache}.
 */
final class CodeRegion {
    private static final int PLACE_BITS = 24;
    private static final int FIRST_SIZE = 256;

    private final int firstNumber;

    /** By offset in the code memory. */
    private final long start;

    private final long end;
    private long used;

    private List<TranslatedBlock> blocks = new ArrayList<>();

    // Read without the lock by processors in translated code: who empties the region holds it and
    // waits for them
    private volatile Site[] sites = new Site[FIRST_SIZE];
    private volatile Link[] links = new Link[FIRST_SIZE];
    private int siteCount;
    private int linkCount;

    // Of the finished blocks
    private int sitesKept;
    private int linksKept;

    CodeRegion(int index, long start, long end) {
        this.firstNumber = index << PLACE_BITS;
        this.start = start + 15 & -16;
        this.end = end;
    }

    /** Which region a site or link belongs to. */
    static int index(int number) {
        return number >>> PLACE_BITS;
    }

    private static int place(int number) {
        return number & (1 << PLACE_BITS) - 1;
    }

    /** Where the next block comes, by offset in the code memory; a multiple of 16. */
    long next() {
        return start + used;
    }

    /** Bytes from the start of the first block to the end of the last. */
    long used() {
        return used;
    }

    /** Whether code of some bytes, with the sites and links added for it, finds room. */
    boolean fits(int size) {
        return next() + size <= end && Math.max(siteCount, linkCount) < 1 << PLACE_BITS;
    }

    /** A block with all its sites and links is in place. */
    void add(TranslatedBlock block) {
        blocks.add(block);
        used = used + block.size + 15 & -16;
        sitesKept = siteCount;
        linksKept = linkCount;
    }

    /** Takes back the sites and links of a block that has not been added. */
    void forgetUnfinished() {
        Arrays.fill(sites, sitesKept, siteCount, null);
        Arrays.fill(links, linksKept, linkCount, null);
        siteCount = sitesKept;
        linkCount = linksKept;
    }

    /** All blocks added, those among them that have been dropped since. */
    List<TranslatedBlock> blocks() {
        return blocks;
    }

    /** Its code is no longer run and may be overwritten. */
    void clear() {
        blocks = new ArrayList<>();
        sites = new Site[FIRST_SIZE];
        links = new Link[FIRST_SIZE];
        siteCount = 0;
        linkCount = 0;
        sitesKept = 0;
        linksKept = 0;
        used = 0;
    }

    int addSite(Site site) {
        Site[] table = sites;
        if (siteCount == table.length) {
            table = Arrays.copyOf(table, 2 * siteCount);
        }
        table[siteCount] = site;
        sites = table;
        return firstNumber | siteCount++;
    }

    int addLink(Link link) {
        Link[] table = links;
        if (linkCount == table.length) {
            table = Arrays.copyOf(table, 2 * linkCount);
        }
        table[linkCount] = link;
        links = table;
        return firstNumber | linkCount++;
    }

    Site site(int number) {
        return sites[place(number)];
    }

    Link link(int number) {
        return links[place(number)];
    }
}
