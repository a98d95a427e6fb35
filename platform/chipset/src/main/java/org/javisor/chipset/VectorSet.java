package org.javisor.chipset;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * 256 interrupt vectors, the shape of IRR, ISR and TMR. Lock-free; any thread may add and remove.
 */
final class VectorSet {
    private static final VarHandle WORD = MethodHandles.arrayElementVarHandle(long[].class);

    private final long[] words = new long[4];

    void add(int vector) {
        long ignored = (long) WORD.getAndBitwiseOr(words, vector >> 6, 1L << vector);
    }

    void remove(int vector) {
        long ignored = (long) WORD.getAndBitwiseAnd(words, vector >> 6, ~(1L << vector));
    }

    boolean contains(int vector) {
        return ((long) WORD.getVolatile(words, vector >> 6) >>> vector & 1) != 0;
    }

    /** The highest vector, or -1 if there is none. */
    int highest() {
        for (int i = 3; i >= 0; i--) {
            long word = (long) WORD.getVolatile(words, i);
            if (word != 0) {
                return i * 64 + 63 - Long.numberOfLeadingZeros(word);
            }
        }
        return -1;
    }

    /** One of the eight 32-bit registers the set is read through. */
    int register(int index) {
        return (int) ((long) WORD.getVolatile(words, index >> 1) >>> (index & 1) * 32);
    }

    void clear() {
        for (int i = 0; i < 4; i++) {
            WORD.setVolatile(words, i, 0L);
        }
    }

    long[] save() {
        return words.clone();
    }

    void restore(long[] saved) {
        for (int i = 0; i < 4; i++) {
            WORD.setVolatile(words, i, i < saved.length ? saved[i] : 0L);
        }
    }
}
