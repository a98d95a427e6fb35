package org.javisor.storage;

import java.util.Arrays;
import java.util.BitSet;
import java.util.concurrent.atomic.AtomicLongArray;

/** The active L1 table, whole in memory. Read by anybody; changed under the metadata lock. */
final class L1Table {
    /** Entries that are written together: the smallest cluster's worth. */
    private static final int UNIT = 64;

    private final long offset;
    private final AtomicLongArray entries;
    private final BitSet dirty = new BitSet();

    L1Table(long offset, long[] entries) {
        this.offset = offset;
        this.entries = new AtomicLongArray(entries);
    }

    int size() {
        return entries.length();
    }

    long get(int index) {
        return entries.get(index);
    }

    void set(int index, long entry) {
        entries.set(index, entry);
        dirty.set(index / UNIT);
    }

    /** What changed since the last time. */
    Changes take() {
        BitSet units = (BitSet) dirty.clone();
        dirty.clear();
        long[][] copies = new long[units.cardinality()][];
        int n = 0;
        for (int unit = units.nextSetBit(0); unit >= 0; unit = units.nextSetBit(unit + 1)) {
            int from = unit * UNIT;
            long[] copy = new long[Math.min(UNIT, size() - from)];
            Arrays.setAll(copy, i -> entries.get(from + i));
            copies[n++] = copy;
        }
        return new Changes(offset, units, copies);
    }

    void failed(Changes changes) {
        dirty.or(changes.units());
    }

    /**
     * Changes on their way to the file.
     *
     * @param offset where the table lies
     * @param units which parts changed
     * @param copies their contents then
     */
    record Changes(long offset, BitSet units, long[][] copies) {

        boolean isEmpty() {
            return copies.length == 0;
        }

        void write(HostFile file) {
            int n = 0;
            for (int unit = units.nextSetBit(0); unit >= 0; unit = units.nextSetBit(unit + 1)) {
                long[] copy = copies[n++];
                BigEndian.write(file, offset + 8L * UNIT * unit, copy, 0, copy.length);
            }
        }
    }
}
