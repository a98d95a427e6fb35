package org.javisor.pci;

import org.javisor.device.Clock;
import org.javisor.device.Device;
import org.javisor.device.DeviceState;
import org.javisor.device.MmioDevice;

/**
 * The watchdog timer of the Intel 6300ESB I/O controller hub (Intel order 300641, chapter 17
 * "WDT"), device 8086:25ab. A guest that has switched it on must reload it again and again: after
 * the first of two periods without that it interrupts, after the second it reports to its board,
 * which may pull the reset line.
 *
 * <p>Differences: the interrupt is the function's INTA instead of a pin of the I/O APIC. SMIs are
 * not sent. Periods shorter than a millisecond last that long. In free-running mode, where the chip
 * toggles a pin for ever, the timer starts over after each expiry. What the timer remembers of an
 * expiry outlasts a reset, as it does there.
 */
public final class I6300Esb implements Device<I6300Esb.State>, MmioDevice {
    private static final PciIdentity IDENTITY = PciIdentity.of(0x8086, 0x25ab, 0x088000);

    /** Configuration and lock registers, in configuration space. */
    private static final int BLOCK = 0x60;

    private static final int BLOCK_SIZE = 12;
    private static final int CONFIGURATION = 0;
    private static final int INTERRUPT_KIND = 3;
    private static final int INTERRUPT_BY_IRQ = 0;
    private static final int FAST = 1 << 2;
    private static final int OUTPUT_DISABLED = 1 << 5;

    private static final int LOCK = 8;
    private static final int LOCKED = 1;
    private static final int ENABLED = 1 << 1;
    private static final int FREE_RUNNING = 1 << 2;

    /** Memory-mapped registers. */
    private static final int PRELOAD_1 = 0x0;

    private static final int PRELOAD_2 = 0x4;
    private static final int INTERRUPT_STATUS = 0x8;
    private static final int RELOAD = 0xc;
    private static final int SIZE = 0x10;

    private static final int PRELOAD_BITS = 0xf_ffff;
    private static final int INTERRUPT_ACTIVE = 1;
    private static final int RELOAD_NOW = 1 << 8;
    private static final int EXPIRED = 1 << 9;

    private static final int UNLOCK_FIRST = 0x80;
    private static final int UNLOCK_SECOND = 0x86;

    /** The counter runs with the PCI clock; a preload value counts in 2^15 or 2^5 of its cycles. */
    private static final long PCI_CLOCK = 33_000_000;

    private static final int SLOW_SHIFT = 15;
    private static final int FAST_SHIFT = 5;
    private static final long SHORTEST_NANOS = 1_000_000;

    /**
     * The snapshot.
     *
     * @param unlocking how many of the two unlocking writes have been seen
     * @param stage 0 while it does not run, else which period it is in
     * @param remaining nanoseconds until that ends
     */
    public record State(
            int version,
            int preload1,
            int preload2,
            int unlocking,
            int stage,
            long remaining,
            boolean interrupt,
            boolean expired)
            implements DeviceState {}

    private final Clock clock;
    private final Clock.Alarm alarm;
    private final Runnable onExpiry;
    private final PciFunction function;

    private int preload1 = PRELOAD_BITS;
    private int preload2 = PRELOAD_BITS;
    private int unlocking;
    private int stage;
    private long deadline;
    private boolean interrupt;
    private boolean expired;

    /** Copies of what the guest wrote to configuration space. */
    private int configuration;

    private int mode;

    /**
     * @param onExpiry the guest has let the time run out and has not disabled the output; on the
     *     clock's thread, without the chip's lock
     */
    public I6300Esb(Clock clock, Runnable onExpiry) {
        this.clock = clock;
        this.onExpiry = onExpiry;
        alarm = clock.newAlarm(this::tick);
        ConfigurationRegisters block =
                ConfigurationRegisters.builder(BLOCK_SIZE)
                        .writable(CONFIGURATION, 2, INTERRUPT_KIND | FAST | OUTPUT_DISABLED)
                        .writable(LOCK, 1, LOCKED | ENABLED | FREE_RUNNING)
                        .build(new Configuration());
        function =
                PciFunction.builder("i6300esb", IDENTITY)
                        .bar(0, Bar.memory32(SIZE, this))
                        .registers(BLOCK, block)
                        .interruptPin(1)
                        .onReset(this::reset)
                        .build();
    }

    /** What to plug into the bus. */
    public PciFunction function() {
        return function;
    }

    private final class Configuration implements ConfigurationRegisters.Behaviour {
        /** Once locked, the lock register stays as it is until a reset. */
        @Override
        public int filter(ConfigurationRegisters.View view, int offset, int size, int value) {
            boolean locked = (view.get(LOCK, 1) & LOCKED) != 0;
            return offset == LOCK && locked ? view.get(LOCK, size) : value;
        }

        @Override
        public void afterWrite(ConfigurationRegisters.View view, int offset, int size) {
            configure(view.get(CONFIGURATION, 2), view.get(LOCK, 1));
        }

        @Override
        public void loaded(ConfigurationRegisters.View view) {
            load(view.get(CONFIGURATION, 2), view.get(LOCK, 1));
        }
    }

    private synchronized void load(int newConfiguration, int newMode) {
        configuration = newConfiguration;
        mode = newMode;
    }

    private synchronized void configure(int newConfiguration, int newMode) {
        boolean starts = (newMode & ~mode & ENABLED) != 0;
        load(newConfiguration, newMode);
        if (starts) {
            begin(1);
        } else if ((newMode & ENABLED) == 0) {
            stage = 0;
            alarm.disarm();
        }
    }

    private void begin(int period) {
        stage = period;
        long preload = period == 1 ? preload1 : preload2;
        int shift = (configuration & FAST) == 0 ? SLOW_SHIFT : FAST_SHIFT;
        long nanos = (preload << shift) * 1_000_000_000L / PCI_CLOCK;
        deadline = clock.nanos() + Math.max(nanos, SHORTEST_NANOS);
        alarm.arm(deadline);
    }

    private void tick() {
        boolean tell;
        synchronized (this) {
            if (stage == 0 || clock.nanos() < deadline) {
                return;
            }
            tell = stage == 1 ? firstPeriodEnds() : secondPeriodEnds();
        }
        if (tell) {
            onExpiry.run();
        }
    }

    private boolean firstPeriodEnds() {
        if ((configuration & INTERRUPT_KIND) == INTERRUPT_BY_IRQ) {
            interrupt = true;
            function.intx().drive(true);
        }
        begin(2);
        return false;
    }

    /** Starts over in any case: a board that only takes note goes on being told. */
    private boolean secondPeriodEnds() {
        expired = true;
        begin((mode & FREE_RUNNING) != 0 ? 2 : 1);
        return (configuration & OUTPUT_DISABLED) == 0;
    }

    @Override
    public synchronized long readMmio(long offset, int size) {
        int register = (int) offset & ~3;
        int value =
                switch (register) {
                    case PRELOAD_1 -> preload1;
                    case PRELOAD_2 -> preload2;
                    case INTERRUPT_STATUS -> interrupt ? INTERRUPT_ACTIVE : 0;
                    case RELOAD -> expired ? EXPIRED : 0;
                    default -> 0;
                };
        long shifted = (value & 0xffff_ffffL) >>> 8 * (offset & 3);
        return size >= 4 ? shifted : shifted & (1L << 8 * size) - 1;
    }

    @Override
    public synchronized void writeMmio(long offset, int size, long value) {
        int written = (int) value;
        int register = (int) offset;
        if (register == INTERRUPT_STATUS) {
            if ((written & INTERRUPT_ACTIVE) != 0) {
                interrupt = false;
                function.intx().drive(false);
            }
            return;
        }
        boolean unlocked = unlocking == 2;
        int word = written & 0xffff;
        if (register == RELOAD && unlocking == 0 && word == UNLOCK_FIRST) {
            unlocking = 1;
            return;
        }
        if (register == RELOAD && unlocking == 1 && word == UNLOCK_SECOND) {
            unlocking = 2;
            return;
        }
        // Each unlocking is good for one write, and any other write ends it.
        unlocking = register == RELOAD && word == UNLOCK_FIRST ? 1 : 0;
        if (unlocked) {
            writeUnlocked(register, written);
        }
    }

    private void writeUnlocked(int register, int value) {
        switch (register) {
            case PRELOAD_1 -> preload1 = value & PRELOAD_BITS;
            case PRELOAD_2 -> preload2 = value & PRELOAD_BITS;
            case RELOAD -> {
                if ((value & EXPIRED) != 0) {
                    expired = false;
                }
                if ((value & RELOAD_NOW) != 0 && stage != 0) {
                    begin(1);
                }
            }
            default -> {}
        }
    }

    /** Part of the function's reset: {@link PciFunction#reset()} is the one to call. */
    @Override
    public synchronized void reset() {
        preload1 = PRELOAD_BITS;
        preload2 = PRELOAD_BITS;
        unlocking = 0;
        stage = 0;
        interrupt = false;
        alarm.disarm();
    }

    @Override
    public synchronized State save() {
        long remaining = stage == 0 ? 0 : deadline - clock.nanos();
        return new State(1, preload1, preload2, unlocking, stage, remaining, interrupt, expired);
    }

    /** To be called after the function's own. */
    @Override
    public synchronized void restore(State state) {
        preload1 = state.preload1() & PRELOAD_BITS;
        preload2 = state.preload2() & PRELOAD_BITS;
        unlocking = Math.clamp(state.unlocking(), 0, 2);
        stage = Math.clamp(state.stage(), 0, 2);
        interrupt = state.interrupt();
        expired = state.expired();
        alarm.disarm();
        if (stage != 0) {
            deadline = clock.nanos() + Math.max(state.remaining(), 0);
            alarm.arm(deadline);
        }
    }
}
