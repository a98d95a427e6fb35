package org.javisor.storage;

/**
 * A part of an L2 table. The entry and the subcluster bitmap that belong together are read and
 * written together, under the slice's own monitor. What is dirty is guarded by the metadata lock.
 */
final class L2Slice {
    private final long number;
    private final long[] words;
    private final int shift;
    private boolean dirty;
    private boolean writing;
    private volatile boolean used = true;

    /**
     * @param number of the slice, counted from the disk's beginning
     * @param words its entries, kept
     * @param extended whether an entry is two words
     */
    L2Slice(long number, long[] words, boolean extended) {
        this.number = number;
        this.words = words;
        this.shift = extended ? 1 : 0;
    }

    long number() {
        return number;
    }

    synchronized long entry(int index) {
        return words[index << shift];
    }

    /** With extended entries. */
    synchronized long bitmap(int index) {
        return words[(index << shift) + 1];
    }

    /**
     * Reads the entries from {@code index} on, as many as there are in the slice and fit, entry and
     * bitmap by turns if they are extended.
     *
     * @return how many entries
     */
    synchronized int read(int index, long[] target, int most) {
        used = true;
        int count = Math.min(most, (words.length >> shift) - index);
        System.arraycopy(words, index << shift, target, 0, count << shift);
        return count;
    }

    /** Under the metadata lock. */
    void set(int index, long entry, long bitmap) {
        synchronized (this) {
            words[index << shift] = entry;
            if (shift != 0) {
                words[(index << shift) + 1] = bitmap;
            }
        }
        dirty = true;
    }

    boolean isDirty() {
        return dirty;
    }

    boolean isClean() {
        return !dirty && !writing;
    }

    /** Whether anybody looked since the last call. */
    boolean wasUsed() {
        boolean was = used;
        used = false;
        return was;
    }

    /** Its words now; from now on it counts as being written. Under the metadata lock. */
    long[] take() {
        dirty = false;
        writing = true;
        synchronized (this) {
            return words.clone();
        }
    }

    void written() {
        writing = false;
    }

    void failed() {
        writing = false;
        dirty = true;
    }
}
