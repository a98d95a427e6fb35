package org.javisor.chipset;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongSupplier;
import org.javisor.device.Clock;
import org.javisor.device.Device;
import org.javisor.device.LocalApicState;
import org.javisor.device.LocalInterruptController;
import org.javisor.device.ProcessorPins;

/**
 * A processor's local APIC as xAPIC and x2APIC (Intel SDM vol. 3A, chapter 11): version 14h with
 * six LVT entries and suppression of EOI broadcasts. The timer counts at 1 GHz.
 *
 * <p>Threads: registers belong to the processor's own thread. Interrupts come in from any thread
 * through {@link #accept}, lock-free: they set IRR, raise {@code changed}, and ring {@link
 * ProcessorPins#interruptRequested}.
 *
 * <p>Not modelled: SMI, focus processor checking, the arbitration priority register, the
 * corrected-machine-check LVT entry, level-triggered LINT pins. The xAPIC ID is read-only. After
 * power-on the first processor's LINT0 is ExtINT, as PC firmware leaves it ("virtual wire mode",
 * MultiProcessor Specification 1.4, 3.6.2.2).
 */
public final class LocalApic implements LocalInterruptController, Device<LocalApicState> {
    private static final int MSR_BASE = 0x1b;
    private static final int MSR_DEADLINE = 0x6e0;
    private static final int MSR_X2APIC = 0x800;

    private static final int VERSION = 1 << 24 | 5 << 16 | 0x14;

    private static final int SPURIOUS_ENABLED = 1 << 8;
    private static final int SPURIOUS_NO_BROADCAST = 1 << 12;

    private static final int ERROR_SEND_ILLEGAL_VECTOR = 1 << 5;
    private static final int ERROR_RECEIVE_ILLEGAL_VECTOR = 1 << 6;
    private static final int ERROR_ILLEGAL_REGISTER = 1 << 7;

    private static final long COMMAND_KEPT = ~(ApicRegister.COMMAND_RESERVED | 1 << 12);

    private final ApicBus bus;
    private final ApicIdentity identity;
    private final ProcessorPins pins;
    private final ApicTimer timer;

    private final InterruptQueue queue = new InterruptQueue();

    // Read by senders on other threads.
    private volatile int spurious;
    private volatile boolean initRequested;
    private volatile boolean externalLatched;
    private final LocalVectorTable lvt = new LocalVectorTable();
    private final AtomicInteger errors = new AtomicInteger();

    /** Something has come in since {@link #deliverable} was computed. */
    private volatile boolean changed;

    // The owner's.
    private boolean deliverable;
    private int errorStatus;
    private long interruptCommand;

    /**
     * Makes a local APIC and attaches it to the bus.
     *
     * @param id of the processor; the first processor is 0
     * @param tsc the processor's time-stamp counter now, one tick a nanosecond; asked on any thread
     */
    public LocalApic(ApicBus bus, int id, ProcessorPins pins, Clock clock, LongSupplier tsc) {
        this.bus = bus;
        this.identity = new ApicIdentity(id);
        this.pins = pins;
        this.timer = new ApicTimer(clock, tsc, this::acceptFixed);
        powerOn();
        bus.attach(this);
    }

    public int id() {
        return identity.id();
    }

    private void powerOn() {
        identity.powerOn();
        initialize();
        if (identity.bootstrapProcessor()) {
            lvt.set(LocalVectorTable.LINT0, DeliveryMode.EXT_INT << 8);
        }
    }

    /** The state after INIT, which spares the base register. */
    private void initialize() {
        initRequested = false;
        timer.reset();
        queue.clear();
        spurious = 0xff;
        identity.initialize();
        lvt.initialize();
        externalLatched = false;
        errors.set(0);
        errorStatus = 0;
        interruptCommand = 0;
        changed = true;
    }

    // Incoming, from any thread.

    /** Takes an interrupt message in. */
    void accept(int mode, int vector, boolean level) {
        switch (mode) {
            case DeliveryMode.FIXED, DeliveryMode.LOWEST_PRIORITY -> acceptFixed(vector, level);
            case DeliveryMode.NMI -> pins.nmi();
            case DeliveryMode.INIT -> {
                timer.reset();
                initRequested = true;
                changed = true;
                pins.init();
            }
            case DeliveryMode.START_UP -> pins.startUp(vector);
            case DeliveryMode.EXT_INT -> {
                externalLatched = true;
                signal();
            }
            default -> {}
        }
    }

    private void acceptFixed(int vector) {
        acceptFixed(vector, false);
    }

    private void acceptFixed(int vector, boolean level) {
        if (!softwareEnabled()) {
            return;
        }
        if (vector < 16) {
            error(ERROR_RECEIVE_ILLEGAL_VECTOR);
            return;
        }
        queue.request(vector, level);
        signal();
    }

    private void signal() {
        changed = true;
        pins.interruptRequested();
    }

    private void error(int bit) {
        errors.getAndUpdate(bits -> bits | bit);
        int entry = lvt.get(LocalVectorTable.ERROR);
        // A vector that is illegal itself must not report itself for ever.
        if (!LocalVectorTable.masked(entry) && (entry & 0xff) >= 16) {
            acceptFixed(entry & 0xff);
        }
    }

    /** The PIC's INTR line has a new level. */
    void intrChanged(boolean rises) {
        if (!identity.enabled()) {
            signal();
            return;
        }
        int entry = lvt.get(LocalVectorTable.LINT0);
        int mode = LocalVectorTable.mode(entry);
        if (mode == DeliveryMode.EXT_INT) {
            signal();
        } else if (rises && !LocalVectorTable.masked(entry)) {
            accept(mode, entry & 0xff, false);
        }
    }

    /** LINT1 has risen. */
    void localNmi() {
        int entry = lvt.get(LocalVectorTable.LINT1);
        if (!identity.enabled()) {
            pins.nmi();
        } else if (!LocalVectorTable.masked(entry)) {
            accept(LocalVectorTable.mode(entry), entry & 0xff, false);
        }
    }

    // Asked by senders, from any thread.

    boolean matches(int destination, boolean logical) {
        return identity.matches(destination, logical);
    }

    boolean softwareEnabled() {
        return identity.enabled() && (spurious & SPURIOUS_ENABLED) != 0 && !initRequested;
    }

    int processorPriority() {
        return queue.processorPriority();
    }

    // The processor's side, on its own thread.

    @Override
    public boolean interruptPending() {
        if (changed) {
            evaluate();
        }
        return deliverable;
    }

    @Override
    public int acknowledge() {
        settle();
        if (externalPending()) {
            externalLatched = false;
            int vector = bus.acknowledgeExternal();
            changed = true;
            return vector;
        }
        int vector = deliverableVector();
        if (vector >= 0) {
            queue.begin(vector);
        }
        evaluate();
        return vector;
    }

    /**
     * Clears {@code changed} before looking, so that what comes in meanwhile is looked at again.
     */
    private void evaluate() {
        changed = false;
        settle();
        deliverable = externalPending() || deliverableVector() >= 0;
    }

    /** Carries out an INIT that another thread has announced. */
    private void settle() {
        if (initRequested) {
            initialize();
        }
    }

    /** After a register write that may have made an interrupt deliverable. */
    private void reconsider() {
        evaluate();
        if (deliverable) {
            pins.interruptRequested();
        }
    }

    private int deliverableVector() {
        return identity.enabled() ? queue.deliverable() : -1;
    }

    private boolean externalPending() {
        if (externalLatched) {
            return true;
        }
        if (!bus.intrAsserted()) {
            return false;
        }
        if (!identity.enabled()) {
            return identity.bootstrapProcessor();
        }
        int entry = lvt.get(LocalVectorTable.LINT0);
        return !LocalVectorTable.masked(entry)
                && LocalVectorTable.mode(entry) == DeliveryMode.EXT_INT;
    }

    private void endOfInterrupt() {
        int vector = queue.end();
        if (vector < 0) {
            return;
        }
        if (queue.levelTriggered(vector) && (spurious & SPURIOUS_NO_BROADCAST) == 0) {
            bus.endOfInterrupt(vector);
        }
        reconsider();
    }

    @Override
    public long cr8() {
        settle();
        return queue.taskPriority() >> 4;
    }

    @Override
    public void setCr8(long priority) {
        settle();
        queue.setTaskPriority((int) (priority & 0xf) << 4);
        reconsider();
    }

    @Override
    public boolean canReadMsr(int index) {
        if (index == MSR_BASE || index == MSR_DEADLINE) {
            return true;
        }
        return identity.x2apic() && ApicRegister.msrReadable(index - MSR_X2APIC);
    }

    @Override
    public long readMsr(int index) {
        settle();
        return switch (index) {
            case MSR_BASE -> identity.base();
            case MSR_DEADLINE -> timer.deadline();
            default -> {
                int register = index - MSR_X2APIC;
                yield switch (register) {
                    case ApicRegister.ID -> identity.id();
                    case ApicRegister.COMMAND_LOW -> interruptCommand;
                    default -> readRegister(register) & 0xffffffffL;
                };
            }
        };
    }

    @Override
    public boolean writeMsr(int index, long value) {
        settle();
        if (index == MSR_BASE) {
            return writeBase(value);
        }
        if (index == MSR_DEADLINE) {
            timer.setDeadline(value);
            return true;
        }
        int register = index - MSR_X2APIC;
        if (!identity.x2apic() || !ApicRegister.msrWritable(register, value)) {
            return false;
        }
        switch (register) {
            case ApicRegister.COMMAND_LOW -> sendCommand(value);
            case ApicRegister.SELF_IPI ->
                    sendIpi(ApicBus.SELF, 0, false, DeliveryMode.FIXED, (int) value);
            default -> writeRegister(register, (int) value);
        }
        return true;
    }

    private boolean writeBase(long value) {
        if (!identity.legal(value)) {
            return false;
        }
        boolean wasEnabled = identity.enabled();
        boolean wasX2apic = identity.x2apic();
        identity.setBase(value);
        if (wasEnabled && !identity.enabled()) {
            initialize();
        } else if (identity.x2apic() && !wasX2apic) {
            interruptCommand = 0;
        }
        reconsider();
        return true;
    }

    @Override
    public long mmioBase() {
        return identity.mmioBase();
    }

    @Override
    public long readMmio(int offset, int size) {
        settle();
        int register = offset >> 4 & 0xff;
        int value = 0;
        if (ApicRegister.exists(register) && register != ApicRegister.SELF_IPI) {
            value = readRegister(register);
        } else {
            error(ERROR_ILLEGAL_REGISTER);
        }
        int within = offset & 0xf;
        long shifted = within > 3 ? 0 : (value & 0xffffffffL) >>> (8 * within);
        return size >= 4 ? shifted : shifted & (1L << 8 * size) - 1;
    }

    @Override
    public void writeMmio(int offset, int size, long value) {
        if ((offset & 0xf) != 0) {
            return;
        }
        settle();
        int register = offset >> 4 & 0xff;
        if (!ApicRegister.exists(register) || register == ApicRegister.SELF_IPI) {
            error(ERROR_ILLEGAL_REGISTER);
            return;
        }
        writeRegister(register, (int) value);
    }

    private int readRegister(int register) {
        return switch (register) {
            case ApicRegister.ID -> identity.id() << 24;
            case ApicRegister.VERSION -> VERSION;
            case ApicRegister.TASK_PRIORITY -> queue.taskPriority();
            case ApicRegister.PROCESSOR_PRIORITY -> queue.processorPriority();
            case ApicRegister.LOGICAL_DESTINATION -> identity.logicalDestination();
            case ApicRegister.DESTINATION_FORMAT -> identity.destinationFormat();
            case ApicRegister.SPURIOUS -> spurious;
            case ApicRegister.ERROR_STATUS -> errorStatus;
            case ApicRegister.COMMAND_LOW -> (int) interruptCommand;
            case ApicRegister.COMMAND_HIGH -> (int) (interruptCommand >>> 32);
            case ApicRegister.TIMER_INITIAL -> timer.initialCount();
            case ApicRegister.TIMER_CURRENT -> timer.currentCount();
            case ApicRegister.TIMER_DIVIDE -> timer.divide();
            default -> {
                if (register >= ApicRegister.IN_SERVICE && register < ApicRegister.ERROR_STATUS) {
                    yield queue.register(register);
                }
                int entry = ApicRegister.lvtEntry(register);
                yield entry < 0
                        ? 0
                        : entry == LocalVectorTable.TIMER ? timer.lvt() : lvt.get(entry);
            }
        };
    }

    private void writeRegister(int register, int value) {
        switch (register) {
            case ApicRegister.TASK_PRIORITY -> {
                queue.setTaskPriority(value);
                reconsider();
            }
            case ApicRegister.EOI -> endOfInterrupt();
            case ApicRegister.LOGICAL_DESTINATION -> identity.setLogicalDestination(value);
            case ApicRegister.DESTINATION_FORMAT -> identity.setDestinationFormat(value);
            case ApicRegister.SPURIOUS -> writeSpurious(value);
            case ApicRegister.ERROR_STATUS -> errorStatus = errors.getAndSet(0);
            case ApicRegister.COMMAND_LOW ->
                    sendCommand(interruptCommand & 0xffffffff_00000000L | value & 0xffffffffL);
            case ApicRegister.COMMAND_HIGH ->
                    interruptCommand = interruptCommand & 0xffffffffL | (value & 0xff000000L) << 32;
            case ApicRegister.TIMER_INITIAL -> timer.setInitialCount(value);
            case ApicRegister.TIMER_DIVIDE -> timer.setDivide(value);
            default -> {
                int entry = ApicRegister.lvtEntry(register);
                if (entry >= 0) {
                    writeLvt(entry, value);
                }
            }
        }
    }

    private void writeSpurious(int value) {
        spurious = value & ApicRegister.SPURIOUS_WRITABLE;
        if ((value & SPURIOUS_ENABLED) == 0) {
            timer.setLvt(timer.lvt() | LocalVectorTable.MASKED);
            lvt.maskAll();
        }
        reconsider();
    }

    private void writeLvt(int entry, int value) {
        int written = value & LocalVectorTable.writable(entry);
        if ((spurious & SPURIOUS_ENABLED) == 0) {
            written |= LocalVectorTable.MASKED;
        }
        if (entry == LocalVectorTable.TIMER) {
            timer.setLvt(written);
        } else {
            lvt.set(entry, written);
            reconsider();
        }
    }

    private void sendCommand(long value) {
        interruptCommand = value & COMMAND_KEPT;
        int mode = (int) (value >> 8) & 7;
        boolean asserted = (value & 1 << 14) != 0;
        boolean level = (value & 1 << 15) != 0;
        if (mode == DeliveryMode.INIT && level && !asserted) {
            // INIT level de-assert only mattered to the serial APIC bus.
            return;
        }
        boolean logical = (value & 1 << 11) != 0;
        int destination = (int) (value >>> 32);
        if (!identity.x2apic()) {
            destination >>>= 24;
            destination = !logical && destination == 0xff ? ApicIdentity.ALL : destination;
        }
        sendIpi((int) (value >> 18) & 3, destination, logical, mode, (int) value & 0xff);
    }

    private void sendIpi(int shorthand, int destination, boolean logical, int mode, int vector) {
        if (mode <= DeliveryMode.LOWEST_PRIORITY && vector < 16) {
            error(ERROR_SEND_ILLEGAL_VECTOR);
            return;
        }
        bus.sendIpi(this, shorthand, destination, logical, mode, vector);
    }

    // Snapshots, while the machine is paused.

    @Override
    public void reset() {
        powerOn();
    }

    @Override
    public LocalApicState save() {
        int[] entries = new int[LocalVectorTable.ENTRIES];
        for (int entry = 0; entry < LocalVectorTable.ENTRIES; entry++) {
            entries[entry] = entry == LocalVectorTable.TIMER ? timer.lvt() : lvt.get(entry);
        }
        return new LocalApicState(
                1,
                identity.base(),
                queue.taskPriority(),
                identity.logicalDestination(),
                identity.destinationFormat(),
                spurious,
                errorStatus,
                errors.get(),
                interruptCommand,
                entries,
                queue.requested(),
                queue.inService(),
                queue.level(),
                externalLatched,
                initRequested,
                timer.save());
    }

    @Override
    public void restore(LocalApicState state) {
        identity.restore(state);
        spurious = state.spurious();
        errorStatus = state.errorStatus();
        errors.set(state.errors());
        interruptCommand = state.interruptCommand();
        for (int entry = 1; entry < LocalVectorTable.ENTRIES; entry++) {
            lvt.set(entry, state.lvt()[entry]);
        }
        queue.restore(state);
        externalLatched = state.externalLatched();
        initRequested = state.initRequested();
        changed = true;
        timer.restore(state.lvt()[LocalVectorTable.TIMER], state.timer());
        pins.interruptRequested();
    }
}
