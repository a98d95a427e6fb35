package org.javisor.pci;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.javisor.device.Device;
import org.javisor.device.InterruptLine;
import org.javisor.device.MessageInterrupts;

/**
 * A function of a PCI device as its bus sees it: configuration space, BARs, interrupts. A device is
 * built around one and is told nothing of where it is plugged in.
 *
 * {@snippet :
 * // In a device's constructor; registers is its MmioDevice.
 * function =
 *         PciFunction.builder("virtio-rng", PciIdentity.of(0x1af4, 0x1044, 0x00ff00))
 *                 .bar(0, Bar.memory64(0x4000, true, registers))
 *                 .msix(4, 2)               // 2 vectors, their table in BAR 4
 *                 .interruptPin(1)          // INTA, for guests that do not use MSI-X
 *                 .capability(new PciCapability(PciCapability.VENDOR_SPECIFIC, structure))
 *                 .pciExpress()
 *                 .onReset(this::reset)
 *                 .build();
 *
 * // When it has something to say, on any thread, its own lock held or not:
 * if (function.msix().enabled()) {
 *     function.msix().signal(vector);
 * } else {
 *     function.intx().drive(true);
 * }
 *
 * // Before it touches guest memory:
 * if (function.busMaster()) { ... }
 *
 * // In the machine:
 * bus.plug(function);
 * }
 *
 * <p>Interrupts: the wire {@link #intx()} has the device's level; it goes on to the interrupt
 * controller only if the guest lets it (command register) and neither MSI nor MSI-X is enabled. A
 * message is sent only while the guest lets the function be bus master; until then it waits as a
 * masked one does.
 *
 * <p>The function is a {@link Device} of its own, with its own snapshot record; the device keeps
 * its registers in another. {@link #reset()} puts the configuration space back to its defaults
 * (nothing decoded, MSI off, INTx low) and then runs {@code onReset}; the machine calls it for each
 * function that is plugged in, and a guest can by a function-level reset.
 *
 * <p>Locks: configuration accesses hold the function's lock and may take the device's inside it (in
 * {@link ConfigurationRegisters.Behaviour} and {@code onReset}); so a device must not call {@link
 * #reset}, {@link #save} or {@link #restore} with its own lock held. {@link #intx()}, {@link
 * #msi()}, {@link #msix()} and {@link #busMaster()} are for any thread and any lock.
 */
public final class PciFunction implements Device<PciFunctionState> {
    private final String name;
    private final PciIdentity identity;
    private final int pinNumber;
    private final Runnable onReset;
    private final BusMasterListener onBusMaster;

    private final Optional<Msi> msi;
    private final Optional<MsixTable> msix;
    private final IntxPin pin = new IntxPin();

    /** Guards everything below. */
    private final Object lock = new Object();

    private final ConfigurationSpace space = new ConfigurationSpace();
    private final EndpointHeader header;
    private volatile boolean busMaster;
    private boolean multifunction;
    private Optional<Slot> slot = Optional.empty();

    /** Hears when the guest lets the function access memory, and when it no longer does. */
    @FunctionalInterface
    public interface BusMasterListener {
        /** Called with the function's lock held. */
        void changed(boolean on);
    }

    /** What a function is plugged into. */
    interface Slot {
        /**
         * The function answers at other addresses from now on; called with its lock held.
         *
         * @param bases by BAR: its address or port, or {@link EndpointHeader#NOT_DECODED}
         */
        void decode(long[] bases);
    }

    private PciFunction(Builder from) {
        name = from.name;
        identity = from.identity;
        pinNumber = from.pin;
        onReset = from.onReset;
        onBusMaster = from.onBusMaster;
        msi =
                from.msiVectors == 0
                        ? Optional.empty()
                        : Optional.of(new Msi(from.msiVectors, this::chooseInterrupt));
        msix =
                from.msixVectors == 0
                        ? Optional.empty()
                        : Optional.of(
                                new MsixTable(
                                        from.msixBar, from.msixVectors, this::chooseInterrupt));
        msix.ifPresent(table -> from.bars.put(from.msixBar, Bar.memory32(table.size(), table)));
        header = new EndpointHeader(space, identity, pinNumber, from.bars);
        from.registers.forEach(space::place);
        from.capabilities.forEach(header::link);
        if (from.pciExpress) {
            header.link(PciExpressCapability.create(this::reset));
        }
        msi.ifPresent(messages -> header.link(messages.capability()));
        msix.ifPresent(table -> header.link(table.capability()));
        space.reset();
    }

    // For the device

    public String name() {
        return name;
    }

    public PciIdentity identity() {
        return identity;
    }

    /** The wire of the function's INTx interrupt. Goes nowhere if it has no interrupt pin. */
    public InterruptLine intx() {
        return pin;
    }

    /**
     * @throws IllegalStateException if it was built without
     */
    public Msi msi() {
        return msi.orElseThrow(() -> new IllegalStateException(name + " has no MSI"));
    }

    /**
     * @throws IllegalStateException if it was built without
     */
    public MsixTable msix() {
        return msix.orElseThrow(() -> new IllegalStateException(name + " has no MSI-X"));
    }

    /** Whether the guest lets it access memory. */
    public boolean busMaster() {
        return busMaster;
    }

    /** The BAR with that index, if there is one that is not another's upper half. */
    public Optional<Bar> bar(int index) {
        return header.bar(index);
    }

    /** 1 to 4 for INTA to INTD, or 0. */
    public int interruptPin() {
        return pinNumber;
    }

    // For the bus

    void connect(Slot to, MessageInterrupts messages, InterruptLine line) {
        synchronized (lock) {
            slot = Optional.of(to);
            msi.ifPresent(source -> source.connect(messages));
            msix.ifPresent(source -> source.connect(messages));
            pin.connect(pinNumber == 0 ? InterruptLine.UNCONNECTED : line);
            commandChanged();
        }
    }

    void disconnect() {
        synchronized (lock) {
            slot.ifPresent(place -> place.decode(EndpointHeader.nowhere()));
            slot = Optional.empty();
            msi.ifPresent(source -> source.connect(MessageInterrupts.UNCONNECTED));
            msix.ifPresent(source -> source.connect(MessageInterrupts.UNCONNECTED));
            pin.connect(InterruptLine.UNCONNECTED);
        }
    }

    void multifunction(boolean several) {
        synchronized (lock) {
            multifunction = several;
        }
    }

    /**
     * A configuration read within an aligned doubleword.
     *
     * @param offset 0 to FFFh; there is nothing from 100h on, which reads as 0
     */
    int read(int offset, int size) {
        if (offset >= ConfigurationSpace.SIZE) {
            return 0;
        }
        synchronized (lock) {
            int dynamic = EndpointHeader.volatileBits(pin.asserted(), multifunction, offset, size);
            return space.read(offset, size) | dynamic;
        }
    }

    /** A configuration write within an aligned doubleword. */
    void write(int offset, int size, int value) {
        if (offset >= ConfigurationSpace.SIZE) {
            return;
        }
        synchronized (lock) {
            space.write(offset, size, value);
            if (EndpointHeader.holdsCommand(offset, size)) {
                commandChanged();
            } else if (EndpointHeader.holdsBar(offset)) {
                decode();
            }
        }
    }

    private void commandChanged() {
        boolean before = busMaster;
        busMaster = header.busMaster();
        if (before != busMaster) {
            onBusMaster.changed(busMaster);
        }
        msi.ifPresent(source -> source.busMaster(busMaster));
        msix.ifPresent(source -> source.busMaster(busMaster));
        chooseInterrupt();
        decode();
    }

    private void chooseInterrupt() {
        boolean messages =
                msi.map(Msi::enabled).orElse(false) || msix.map(MsixTable::enabled).orElse(false);
        pin.enable(!messages && !header.intxDisabled());
    }

    private void decode() {
        slot.ifPresent(place -> place.decode(header.bases()));
    }

    @Override
    public void reset() {
        synchronized (lock) {
            space.reset();
            pin.drive(false);
            // The device's own reset does the rest.
            busMaster = false;
            commandChanged();
            onReset.run();
        }
    }

    @Override
    public PciFunctionState save() {
        synchronized (lock) {
            return new PciFunctionState(
                    1,
                    space.save(),
                    pin.asserted(),
                    msi.map(Msi::pending).orElse(0),
                    msix.map(MsixTable::saveTable).orElse(new int[0]),
                    msix.map(MsixTable::savePending).orElse(new long[0]));
        }
    }

    @Override
    public void restore(PciFunctionState state) {
        synchronized (lock) {
            space.restore(state.configuration());
            msi.ifPresent(source -> source.restorePending(state.msiPending()));
            msix.ifPresent(table -> table.restore(state.msixTable(), state.msixPending()));
            // So that what has been pending is looked at again.
            msi.ifPresent(source -> source.busMaster(false));
            msix.ifPresent(source -> source.busMaster(false));
            commandChanged();
            pin.drive(state.interrupt());
        }
    }

    /**
     * @param name for messages and statistics, such as {@code virtio-blk0}
     */
    public static Builder builder(String name, PciIdentity identity) {
        return new Builder(name, identity);
    }

    /** Describes a function. */
    public static final class Builder {
        private final String name;
        private final PciIdentity identity;
        private final Map<Integer, Bar> bars = new LinkedHashMap<>();
        private final Map<Integer, ConfigurationRegisters> registers = new LinkedHashMap<>();
        private final List<PciCapability> capabilities = new ArrayList<>();
        private int pin;
        private int msiVectors;
        private int msixBar;
        private int msixVectors;
        private boolean pciExpress;
        private Runnable onReset = () -> {};
        private BusMasterListener onBusMaster = on -> {};

        private Builder(String name, PciIdentity identity) {
            this.name = name;
            this.identity = identity;
        }

        /**
         * @param index 0 to 5; a 64-bit BAR takes the next one too
         */
        public Builder bar(int index, Bar bar) {
            if (bars.put(index, bar) != null) {
                throw new IllegalArgumentException("%s has two BARs %d".formatted(name, index));
            }
            return this;
        }

        /** Adds to the capability list; the order of calls is the list's. */
        public Builder capability(PciCapability capability) {
            capabilities.add(capability);
            return this;
        }

        /**
         * Registers that the device defines and no capability announces.
         *
         * @param offset 40h or more, a multiple of 4
         */
        public Builder registers(int offset, ConfigurationRegisters block) {
            registers.put(offset, block);
            return this;
        }

        /** Adds the PCI Express capability, with function-level reset. */
        public Builder pciExpress() {
            pciExpress = true;
            return this;
        }

        /**
         * @param number 1 to 4 for INTA to INTD
         */
        public Builder interruptPin(int number) {
            if (number < 1 || number > 4) {
                throw new IllegalArgumentException("No such interrupt pin: " + number);
            }
            pin = number;
            return this;
        }

        /**
         * Adds the MSI capability.
         *
         * @param vectors 1, 2, 4, 8, 16 or 32
         */
        public Builder msi(int vectors) {
            msiVectors = vectors;
            return this;
        }

        /**
         * Adds the MSI-X capability.
         *
         * @param bar index of a 32-bit BAR that is used for nothing else
         * @param vectors 1 to 2048
         */
        public Builder msix(int bar, int vectors) {
            if (bars.containsKey(bar)) {
                throw new IllegalArgumentException("%s has two BARs %d".formatted(name, bar));
            }
            msixBar = bar;
            msixVectors = vectors;
            return this;
        }

        /**
         * What the device does on a reset of the function, with the function's lock held; must not
         * wait for a thread that may be accessing configuration space.
         */
        public Builder onReset(Runnable action) {
            onReset = action;
            return this;
        }

        /**
         * What the device does when its bus master bit changes, but for resets, after which it is
         * off. When it is told that it may no longer access memory, it must not do so after it has
         * returned; it must not wait for a thread that may be accessing configuration space.
         */
        public Builder onBusMaster(BusMasterListener listener) {
            onBusMaster = listener;
            return this;
        }

        /**
         * @throws IllegalArgumentException if BARs overlap or capabilities do not fit
         */
        public PciFunction build() {
            return new PciFunction(this);
        }
    }
}
