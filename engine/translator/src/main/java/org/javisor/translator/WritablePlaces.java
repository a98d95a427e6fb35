package org.javisor.translator;

import java.util.concurrent.atomic.AtomicLongArray;
import org.javisor.memory.GuestMemory;
import org.javisor.memory.RamRegion;

/**
 * Where in a processor's TLB pages of RAM may stand for writing, so that the right can be taken
 * away without looking everywhere. The processor's own thread notes what it has entered, with a
 * fence in between; only then it asks whether it might. Others take the notes of a page, and then
 * void the entries: what is entered too late for them is noted anew.
 */
final class WritablePlaces {
    /** Of a page that stands nowhere. */
    static final long NOWHERE = 0;

    /** Of one that may stand in more than two places. */
    static final long ANYWHERE = -1;

    /** Larger machines share notes among pages. */
    private static final long MOST_PAGES = 1 << 20;

    private static final int PAGE_SHIFT = 12;

    /** By the number of a page, cut: up to two places, counted from 1, one in each half. */
    private final AtomicLongArray places;

    private final boolean shared;

    WritablePlaces(GuestMemory memory) {
        long end = memory.regions().stream().mapToLong(RamRegion::end).max().orElse(0);
        long pages = Math.max(1, end >>> PAGE_SHIFT);
        long rounded = Long.highestOneBit(2 * pages - 1);
        this.shared = rounded > MOST_PAGES;
        this.places = new AtomicLongArray((int) Math.min(rounded, MOST_PAGES));
    }

    private int hash(long gpa) {
        return (int) (gpa >>> PAGE_SHIFT) & places.length() - 1;
    }

    /** A page has been entered for writing. */
    void note(long gpa, int index) {
        int hash = hash(gpa);
        while (true) {
            long known = places.get(hash);
            long now = with(known, index);
            if (now == known || places.compareAndSet(hash, known, now)) {
                return;
            }
        }
    }

    private static long with(long known, int index) {
        long place = index + 1;
        if (known == NOWHERE) {
            return place;
        }
        if (known == ANYWHERE || first(known) == index || second(known) == index) {
            return known;
        }
        return known >>> 32 == 0 ? known | place << 32 : ANYWHERE;
    }

    /**
     * The places of a page, to be asked for one by one, {@link #NOWHERE} or {@link #ANYWHERE}; they
     * are forgotten, unless another page may be meant as well.
     */
    long take(long gpa) {
        return shared ? places.get(hash(gpa)) : places.getAndSet(hash(gpa), NOWHERE);
    }

    /** Index of the first of some places. */
    static int first(long found) {
        return (int) found - 1;
    }

    /** Index of the second, or -1. */
    static int second(long found) {
        return (int) (found >>> 32) - 1;
    }
}
