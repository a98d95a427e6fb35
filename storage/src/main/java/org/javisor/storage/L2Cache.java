package org.javisor.storage;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The parts of L2 tables that are in memory, at most a given number of them. Found and loaded
 * without a lock that all share; changed and forgotten under the metadata lock. There is never more
 * than one object for a part that may be changed, because only what the file has is forgotten.
 */
final class L2Cache {
    private static final int SLICE_BYTES = 4096;

    private final HostFile file;
    private final QcowHeader header;
    private final int sliceBits;
    private final int most;
    private final ConcurrentHashMap<Long, L2Slice> slices = new ConcurrentHashMap<>();
    private final List<L2Slice> dirty = new ArrayList<>();

    /**
     * @param bytes of memory that may be used
     */
    L2Cache(HostFile file, QcowHeader header, long bytes) {
        this.file = file;
        this.header = header;
        int sliceBytes = (int) Math.min(SLICE_BYTES, header.clusterSize());
        this.sliceBits = Integer.numberOfTrailingZeros(sliceBytes) - header.l2EntryBits();
        this.most = (int) Math.max(16, bytes / sliceBytes);
    }

    /** Binary logarithm of the entries of a part. */
    int sliceBits() {
        return sliceBits;
    }

    /** The number of the part that describes a cluster of the disk. */
    long number(long guestCluster) {
        return guestCluster >>> sliceBits;
    }

    int index(long guestCluster) {
        return (int) (guestCluster & (1L << sliceBits) - 1);
    }

    /**
     * The part, read from the file if it is not there.
     *
     * @param tableOffset where its whole table lies, checked
     */
    L2Slice slice(long number, long tableOffset) {
        L2Slice slice = slices.get(number);
        if (slice != null) {
            return slice;
        }
        return slices.computeIfAbsent(number, n -> load(n, tableOffset));
    }

    private L2Slice load(long number, long tableOffset) {
        int words = 1 << (sliceBits + header.l2EntryBits() - 3);
        return new L2Slice(
                number,
                BigEndian.read(file, offset(number, tableOffset), words),
                header.extendedL2());
    }

    private long offset(long number, long tableOffset) {
        long inTable = number & (1L << (header.l2Bits() - sliceBits)) - 1;
        return tableOffset + (inTable << (sliceBits + header.l2EntryBits()));
    }

    /** Changes an entry. Under the metadata lock. */
    void set(L2Slice slice, int index, long entry, long bitmap) {
        if (!slice.isDirty()) {
            dirty.add(slice);
        }
        slice.set(index, entry, bitmap);
    }

    boolean isFull() {
        return slices.size() > most;
    }

    /** Whether so much has changed that it should be written soon. */
    boolean isCrowded() {
        return dirty.size() > most / 2;
    }

    /** Forgets parts that nobody has used of late. Under the metadata lock. */
    void evict() {
        for (int round = 0; round < 2 && isFull(); round++) {
            Iterator<L2Slice> all = slices.values().iterator();
            while (isFull() && all.hasNext()) {
                L2Slice slice = all.next();
                if (slice.isClean() && (!slice.wasUsed() || round > 0)) {
                    all.remove();
                }
            }
        }
    }

    /** What changed since the last time, in the order of the file. Under the metadata lock. */
    Changes take(L1Table l1) {
        List<Change> changes = new ArrayList<>(dirty.size());
        for (L2Slice slice : dirty) {
            int l1Index = (int) (slice.number() >>> (header.l2Bits() - sliceBits));
            long table = l1.get(l1Index) & L2Entry.OFFSET;
            changes.add(new Change(slice, offset(slice.number(), table), slice.take()));
        }
        dirty.clear();
        changes.sort(Comparator.comparingLong(Change::offset));
        return new Changes(changes);
    }

    void written(Changes changes) {
        changes.list().forEach(change -> change.slice().written());
    }

    void failed(Changes changes) {
        for (Change change : changes.list()) {
            if (!change.slice().isDirty()) {
                dirty.add(change.slice());
            }
            change.slice().failed();
        }
    }

    /**
     * A changed part on its way to the file.
     *
     * @param slice which
     * @param offset where it lies in the file
     * @param words its contents then
     */
    private record Change(L2Slice slice, long offset, long[] words) {}

    /** Changed parts on their way to the file. */
    record Changes(List<Change> list) {

        boolean isEmpty() {
            return list.isEmpty();
        }

        void write(HostFile file) {
            for (int first = 0; first < list.size(); ) {
                int next = first + 1;
                long[] words = list.get(first).words();
                long end = list.get(first).offset() + 8L * words.length;
                while (next < list.size() && list.get(next).offset() == end && next - first < 64) {
                    end += 8L * words.length;
                    next++;
                }
                long[] joined = words;
                if (next - first > 1) {
                    joined = new long[words.length * (next - first)];
                    for (int i = first; i < next; i++) {
                        System.arraycopy(
                                list.get(i).words(),
                                0,
                                joined,
                                (i - first) * words.length,
                                words.length);
                    }
                }
                BigEndian.write(file, list.get(first).offset(), joined, 0, joined.length);
                first = next;
            }
        }
    }
}
