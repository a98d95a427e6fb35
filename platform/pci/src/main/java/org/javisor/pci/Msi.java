package org.javisor.pci;

/**
 * A function's message-signalled interrupts by the MSI capability (PCI Local Bus Specification 3.0,
 * 6.8.1), with 64-bit addresses and a mask for each vector. Thread-safe.
 */
public final class Msi extends MessageSource {
    private static final int LENGTH = 24;

    private static final int CONTROL = 2;
    private static final int ADDRESS = 4;
    private static final int ADDRESS_HIGH = 8;
    private static final int DATA = 12;
    private static final int MASK = 16;
    private static final int PENDING = 20;

    private static final int ENABLE = 1;
    private static final int MULTIPLE_ENABLED = 7 << 4;
    private static final int WIDE_ADDRESS = 1 << 7;
    private static final int MASKABLE = 1 << 8;

    /** Messages with which 32 vectors are enabled at most, as a power of two. */
    private static final int MOST = 5;

    private final int vectors;
    private final Runnable enableChanged;

    private boolean enabled;
    private int enabledVectors = 1;
    private long address;
    private int data;
    private int mask;
    private int pending;

    /**
     * @param vectors 1, 2, 4, 8, 16 or 32
     * @param enableChanged called without the lock
     */
    Msi(int vectors, Runnable enableChanged) {
        if (vectors < 1 || vectors > 32 || Integer.bitCount(vectors) != 1) {
            throw new IllegalArgumentException("MSI has no " + vectors + " vectors");
        }
        this.vectors = vectors;
        this.enableChanged = enableChanged;
    }

    PciCapability capability() {
        int capable = Integer.numberOfTrailingZeros(vectors) << 1;
        ConfigurationRegisters registers =
                ConfigurationRegisters.builder(LENGTH)
                        .value(CONTROL, 2, capable | WIDE_ADDRESS | MASKABLE)
                        .writable(CONTROL, 2, ENABLE | MULTIPLE_ENABLED)
                        .writable(ADDRESS, 4, ~3)
                        .writable(ADDRESS_HIGH, 4, -1)
                        .writable(DATA, 2, 0xffff)
                        .writable(MASK, 4, -1 >>> 32 - vectors)
                        .build(new Registers());
        return new PciCapability(PciCapability.MSI, registers);
    }

    /** Whether the guest uses these instead of INTx. */
    public synchronized boolean enabled() {
        return enabled;
    }

    /**
     * Interrupts. Nothing happens while MSI is not enabled; with fewer vectors enabled than the
     * function has, several share one.
     *
     * @param vector 0 to the number of vectors less one; any other is ignored
     */
    public synchronized void signal(int vector) {
        if (!enabled || vector < 0 || vector >= vectors) {
            return;
        }
        int message = vector & enabledVectors - 1;
        pending |= 1 << message;
        sendPending();
    }

    @Override
    void sendPending() {
        int due = enabled && mayMaster() ? pending & ~mask : 0;
        pending &= ~due;
        for (int rest = due; rest != 0; rest &= rest - 1) {
            int message = Integer.numberOfTrailingZeros(rest);
            send(address, data & -enabledVectors | message);
        }
    }

    synchronized int pending() {
        return pending;
    }

    synchronized void restorePending(int bits) {
        pending = bits & -1 >>> 32 - vectors;
    }

    private synchronized void load(ConfigurationRegisters.View view) {
        int control = view.get(CONTROL, 2);
        enabled = (control & ENABLE) != 0;
        int asked = Math.min((control & MULTIPLE_ENABLED) >> 4, MOST);
        enabledVectors = Math.min(1 << asked, vectors);
        address = view.get(ADDRESS, 4) & 0xffff_ffffL | (long) view.get(ADDRESS_HIGH, 4) << 32;
        data = view.get(DATA, 2);
        mask = view.get(MASK, 4);
    }

    private final class Registers implements ConfigurationRegisters.Behaviour {
        @Override
        public void beforeRead(ConfigurationRegisters.View view, int offset, int size) {
            view.set(PENDING, 4, pending());
        }

        @Override
        public void afterWrite(ConfigurationRegisters.View view, int offset, int size) {
            load(view);
            enableChanged.run();
            synchronized (Msi.this) {
                sendPending();
            }
        }

        @Override
        public void loaded(ConfigurationRegisters.View view) {
            restorePending(0);
            load(view);
            enableChanged.run();
        }
    }
}
