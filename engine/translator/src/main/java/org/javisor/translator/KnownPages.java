package org.javisor.translator;

import java.util.ArrayList;
import java.util.List;
import org.javisor.x86.Instruction;

/**
 * Pages that a block has looked for, so that later accesses to them through the same registers need
 * no probe: what lies where is known by construction, and how far the page is on the host stands in
 * a field of the {@link ProcessorBlock}: the probe's slot, or one it was put into for the purpose.
 * Pages are taken away from no block that runs. One that is left for an access and goes on in its
 * middle must find them as they were, see {@link Site#needsPages}.
 */
final class KnownPages {
    private static final int MOST = 8;
    private static final int NO_FIELD = -1;

    private final List<Page> pages = new ArrayList<>();

    /** Number of the field taken last. */
    private int next;

    /** What one probe has covered, from the base's value then, and the base's change since. */
    private static final class Page {
        final int key;
        final int low;
        final int high;
        final boolean writable;
        final int alignment;
        final int field;
        int shift;

        Page(int key, int low, int high, boolean writable, int alignment, int field) {
            this.key = key;
            this.low = low;
            this.high = high;
            this.writable = writable;
            this.alignment = alignment;
            this.field = field;
        }

        boolean covers(int displacement, int size, boolean write, int wanted) {
            int from = displacement + shift;
            return from >= low
                    && from + size <= high
                    && (writable || !write)
                    && wanted <= alignment
                    && (from - low & wanted - 1) == 0;
        }
    }

    void forget() {
        pages.clear();
    }

    boolean isEmpty() {
        return pages.isEmpty();
    }

    /**
     * A probe is emitted; numbers are displacements from the base.
     *
     * @param key of {@link AccessGroups}
     * @param alignment that the probe makes sure of
     * @param field with the distance, by its offset in the processor block
     */
    void add(int key, int low, int high, boolean writable, int alignment, int field) {
        if (pages.size() == MOST) {
            pages.removeFirst();
        }
        pages.add(new Page(key, low, high, writable, alignment, field));
    }

    /** A field for the distance of a page to be added; what had it before is forgotten. */
    int freeField() {
        next = (next + 1) % MOST;
        int field = ProcessorBlock.KEPT_DISTANCES + 8 * next;
        pages.removeIf(page -> page.field == field);
        return field;
    }

    /** The field with the distance of the page that an access is about, or -1. */
    int field(int key, int displacement, int size, boolean write, int alignment) {
        for (int n = pages.size() - 1; n >= 0; n--) {
            Page page = pages.get(n);
            if (page.key == key && page.covers(displacement, size, write, alignment)) {
                return page.field;
            }
        }
        return NO_FIELD;
    }

    /** An instruction has been translated. */
    void pass(Instruction i) {
        for (int n = pages.size() - 1; n >= 0; n--) {
            Page page = pages.get(n);
            int change = AccessGroups.moved(i, page.key);
            if (change == BaseChange.LOST) {
                pages.remove(n);
            } else {
                page.shift += change;
            }
        }
    }
}
