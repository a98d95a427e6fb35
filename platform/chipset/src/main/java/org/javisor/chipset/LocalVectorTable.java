package org.javisor.chipset;

import java.util.concurrent.atomic.AtomicIntegerArray;

/**
 * The local vector table (Intel SDM vol. 3A, 11.5.1) but for the timer's entry, which {@link
 * ApicTimer} keeps. Written on the processor's thread, read on any.
 */
final class LocalVectorTable {
    /** Entries in the order of their registers. */
    static final int TIMER = 0;

    static final int LINT0 = 3;
    static final int LINT1 = 4;
    static final int ERROR = 5;
    static final int ENTRIES = 6;

    static final int MASKED = 1 << 16;

    /** Delivery status and remote IRR. */
    private static final int READ_ONLY = 0x5000;

    /** By entry: timer, thermal, performance, LINT0, LINT1, error. */
    private static final int[] WRITABLE = {0x700ff, 0x107ff, 0x107ff, 0x1a7ff, 0x1a7ff, 0x100ff};

    private final AtomicIntegerArray entries = new AtomicIntegerArray(ENTRIES);

    /** The bits of an entry that software may write. */
    static int writable(int entry) {
        return WRITABLE[entry];
    }

    /** The bits of an entry that are not reserved. */
    static int defined(int entry) {
        return WRITABLE[entry] | READ_ONLY;
    }

    static boolean masked(int value) {
        return (value & MASKED) != 0;
    }

    static int mode(int value) {
        return value >> 8 & 7;
    }

    int get(int entry) {
        return entries.get(entry);
    }

    void set(int entry, int value) {
        entries.set(entry, value);
    }

    /** The state after power-on and INIT. */
    void initialize() {
        for (int entry = 0; entry < ENTRIES; entry++) {
            entries.set(entry, MASKED);
        }
    }

    void maskAll() {
        for (int entry = 0; entry < ENTRIES; entry++) {
            entries.set(entry, entries.get(entry) | MASKED);
        }
    }
}
