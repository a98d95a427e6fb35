package org.javisor.pci;

import java.util.Arrays;
import org.javisor.device.MmioDevice;

/**
 * A function's message-signalled interrupts by the MSI-X capability (PCI Local Bus Specification
 * 3.0, 6.8.2): a table of address, data and mask for each vector and an array of pending bits, both
 * in a BAR of their own, the array in its upper half. Thread-safe.
 *
 * <p>Table entries are written in aligned units of 4 or 8 bytes, as the specification demands;
 * other writes are ignored, reads of any size work.
 */
public final class MsixTable extends MessageSource implements MmioDevice {
    private static final int MOST_VECTORS = 2048;
    private static final int PAGE = 0x1000;

    private static final int LENGTH = 12;
    private static final int CONTROL = 2;
    private static final int TABLE = 4;
    private static final int PENDING_ARRAY = 8;
    private static final int FUNCTION_MASK = 1 << 14;
    private static final int ENABLE = 1 << 15;

    /** An entry: address, its upper half, data, vector control. */
    private static final int WORDS = 4;

    private static final int DATA = 2;
    private static final int VECTOR_CONTROL = 3;
    private static final int MASKED = 1;

    private final int vectors;
    private final int bar;
    private final Runnable enableChanged;
    private final int[] words;
    private final long[] pending;
    private boolean enabled;
    private boolean functionMasked;

    /**
     * @param bar the index of the BAR that it fills
     * @param vectors 1 to 2048
     * @param enableChanged called without the lock
     */
    MsixTable(int bar, int vectors, Runnable enableChanged) {
        if (vectors < 1 || vectors > MOST_VECTORS) {
            throw new IllegalArgumentException("MSI-X has no " + vectors + " vectors");
        }
        this.vectors = vectors;
        this.bar = bar;
        this.enableChanged = enableChanged;
        words = new int[WORDS * vectors];
        pending = new long[(vectors + 63) / 64];
        clear();
    }

    /** Bytes of the BAR. */
    int size() {
        int half = Math.max(PAGE / 2, 4 * WORDS * vectors);
        return half == Integer.highestOneBit(half) ? 2 * half : 4 * Integer.highestOneBit(half);
    }

    PciCapability capability() {
        ConfigurationRegisters registers =
                ConfigurationRegisters.builder(LENGTH)
                        .value(CONTROL, 2, vectors - 1)
                        .writable(CONTROL, 2, ENABLE | FUNCTION_MASK)
                        .value(TABLE, 4, bar)
                        .value(PENDING_ARRAY, 4, size() / 2 | bar)
                        .build(new Registers());
        return new PciCapability(PciCapability.MSI_X, registers);
    }

    /** How many there are. */
    public int vectors() {
        return vectors;
    }

    /** Whether the guest uses these instead of INTx. */
    public synchronized boolean enabled() {
        return enabled;
    }

    /**
     * Interrupts: sends the vector's message, or remembers it while the guest masks it. Nothing
     * happens while MSI-X is not enabled.
     *
     * @param vector 0 to {@link #vectors()} less one; any other is ignored
     */
    public synchronized void signal(int vector) {
        if (!enabled || vector < 0 || vector >= vectors) {
            return;
        }
        if (blocked(vector)) {
            pending[vector >> 6] |= 1L << vector;
        } else {
            send(vector);
        }
    }

    private boolean blocked(int vector) {
        return functionMasked
                || !mayMaster()
                || (words[WORDS * vector + VECTOR_CONTROL] & MASKED) != 0;
    }

    private void send(int vector) {
        int entry = WORDS * vector;
        long address = words[entry] & 0xffff_fffcL | (long) words[entry + 1] << 32;
        send(address, words[entry + DATA]);
    }

    @Override
    void sendPending() {
        if (!enabled || functionMasked || !mayMaster()) {
            return;
        }
        for (int i = 0; i < pending.length; i++) {
            for (long rest = pending[i]; rest != 0; rest &= rest - 1) {
                sendPending(64 * i + Long.numberOfTrailingZeros(rest));
            }
        }
    }

    private void sendPending(int vector) {
        if (enabled && !blocked(vector) && (pending[vector >> 6] & 1L << vector) != 0) {
            pending[vector >> 6] &= ~(1L << vector);
            send(vector);
        }
    }

    @Override
    public synchronized long readMmio(long offset, int size) {
        int at = (int) offset;
        if (size == 4 && (at & 3) == 0) {
            return word(at) & 0xffff_ffffL;
        }
        long value = 0;
        for (int i = 0; i < size; i++) {
            value |= (word(at + i) >>> 8 * (at + i & 3) & 0xffL) << 8 * i;
        }
        return value;
    }

    private int word(int offset) {
        int index = offset >> 2;
        int inArray = index - size() / 8;
        if (inArray >= 0) {
            int element = inArray >> 1;
            return element < pending.length ? (int) (pending[element] >>> 32 * (inArray & 1)) : 0;
        }
        return index < words.length ? words[index] : 0;
    }

    @Override
    public synchronized void writeMmio(long offset, int size, long value) {
        if (size < 4 || (offset & size - 1) != 0) {
            return;
        }
        writeWord((int) offset >> 2, (int) value);
        if (size == 8) {
            writeWord(((int) offset >> 2) + 1, (int) (value >>> 32));
        }
    }

    private void writeWord(int index, int value) {
        if (index >= words.length) {
            return;
        }
        boolean control = index % WORDS == VECTOR_CONTROL;
        words[index] = control ? value & MASKED : value;
        if (control) {
            sendPending(index / WORDS);
        }
    }

    private synchronized void clear() {
        Arrays.fill(words, 0);
        for (int vector = 0; vector < vectors; vector++) {
            words[WORDS * vector + VECTOR_CONTROL] = MASKED;
        }
        Arrays.fill(pending, 0);
    }

    synchronized int[] saveTable() {
        return words.clone();
    }

    synchronized long[] savePending() {
        return pending.clone();
    }

    synchronized void restore(int[] table, long[] bits) {
        clear();
        for (int i = 0; i < Math.min(table.length, words.length); i++) {
            words[i] = i % WORDS == VECTOR_CONTROL ? table[i] & MASKED : table[i];
        }
        for (int vector = 0; vector < Math.min(vectors, 64L * bits.length); vector++) {
            pending[vector >> 6] |= bits[vector >> 6] & 1L << vector;
        }
    }

    private synchronized void load(ConfigurationRegisters.View view) {
        int control = view.get(CONTROL, 2);
        enabled = (control & ENABLE) != 0;
        functionMasked = (control & FUNCTION_MASK) != 0;
    }

    private final class Registers implements ConfigurationRegisters.Behaviour {
        @Override
        public void afterWrite(ConfigurationRegisters.View view, int offset, int size) {
            load(view);
            enableChanged.run();
            synchronized (MsixTable.this) {
                sendPending();
            }
        }

        @Override
        public void loaded(ConfigurationRegisters.View view) {
            clear();
            load(view);
            enableChanged.run();
        }
    }
}
