package org.javisor.chipset;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.function.LongSupplier;
import org.javisor.device.Clock;
import org.javisor.device.Device;
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

    private static final long BASE_BSP = 1 << 8;
    private static final long BASE_X2APIC = 1 << 10;
    private static final long BASE_ENABLED = 1 << 11;

    /** As many physical address bits as any machine here has. */
    private static final long BASE_ADDRESS = (1L << 46) - 0x1000;

    private static final int VERSION = 1 << 24 | 5 << 16 | 0x14;

    private static final int SPURIOUS_ENABLED = 1 << 8;
    private static final int SPURIOUS_NO_BROADCAST = 1 << 12;
    private static final int SPURIOUS_WRITABLE = 0x13ff;

    private static final int LVT_MASKED = 1 << 16;
    private static final int TIMER = 0;
    private static final int LINT0 = 3;
    private static final int LINT1 = 4;
    private static final int ERROR = 5;

    /** By entry: timer, thermal, performance, LINT0, LINT1, error. */
    private static final int[] LVT_WRITABLE = {
        0x700ff, 0x107ff, 0x107ff, 0x1a7ff, 0x1a7ff, 0x100ff
    };

    private static final int ERROR_SEND_ILLEGAL_VECTOR = 1 << 5;
    private static final int ERROR_RECEIVE_ILLEGAL_VECTOR = 1 << 6;
    private static final int ERROR_ILLEGAL_REGISTER = 1 << 7;

    private static final long COMMAND_RESERVED = 0xfff3_2000L;

    private final ApicBus bus;
    private final int id;
    private final ProcessorPins pins;
    private final ApicTimer timer;

    private final VectorSet irr = new VectorSet();
    private final VectorSet isr = new VectorSet();
    private final VectorSet tmr = new VectorSet();

    // Read by senders on other threads.
    private volatile long base;
    private volatile int logicalDestination;
    private volatile int destinationFormat;
    private volatile int spurious;
    private volatile boolean initRequested;
    private volatile boolean externalLatched;
    private volatile int processorPriority;
    private final AtomicIntegerArray lvt = new AtomicIntegerArray(6);
    private final AtomicInteger errors = new AtomicInteger();

    /** Something has come in since {@link #deliverable} was computed. */
    private volatile boolean changed;

    // The owner's.
    private boolean deliverable;
    private int taskPriority;
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
        this.id = id;
        this.pins = pins;
        this.timer = new ApicTimer(clock, tsc, this::acceptFixed);
        powerOn();
        bus.attach(this);
    }

    public int id() {
        return id;
    }

    private void powerOn() {
        base = PcPorts.LOCAL_APIC | BASE_ENABLED | (id == 0 ? BASE_BSP : 0);
        initialize();
        if (id == 0) {
            lvt.set(LINT0, DeliveryMode.EXT_INT << 8);
        }
    }

    /** The state after INIT, which spares the base register. */
    private void initialize() {
        initRequested = false;
        timer.reset();
        irr.clear();
        isr.clear();
        tmr.clear();
        spurious = 0xff;
        destinationFormat = 0xffffffff;
        logicalDestination = x2apic() ? x2apicLogicalId() : 0;
        for (int entry = 0; entry < 6; entry++) {
            lvt.set(entry, LVT_MASKED);
        }
        externalLatched = false;
        errors.set(0);
        errorStatus = 0;
        interruptCommand = 0;
        taskPriority = 0;
        updatePriority();
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
        if (level) {
            tmr.add(vector);
        } else {
            tmr.remove(vector);
        }
        irr.add(vector);
        signal();
    }

    private void signal() {
        changed = true;
        pins.interruptRequested();
    }

    private void error(int bit) {
        errors.getAndUpdate(bits -> bits | bit);
        int entry = lvt.get(ERROR);
        // A vector that is illegal itself must not report itself for ever.
        if ((entry & LVT_MASKED) == 0 && (entry & 0xff) >= 16) {
            acceptFixed(entry & 0xff);
        }
    }

    /** The PIC's INTR line has a new level. */
    void intrChanged(boolean rises) {
        if (!enabled()) {
            signal();
            return;
        }
        int entry = lvt.get(LINT0);
        int mode = entry >> 8 & 7;
        if (mode == DeliveryMode.EXT_INT) {
            signal();
        } else if (rises && (entry & LVT_MASKED) == 0) {
            accept(mode, entry & 0xff, false);
        }
    }

    /** LINT1 has risen. */
    void localNmi() {
        int entry = lvt.get(LINT1);
        if (!enabled()) {
            pins.nmi();
        } else if ((entry & LVT_MASKED) == 0) {
            accept(entry >> 8 & 7, entry & 0xff, false);
        }
    }

    // Asked by senders, from any thread.

    /** Whether a message so addressed is meant for this processor. {@code FFFFFFFFh} means all. */
    boolean matches(int destination, boolean logical) {
        if (!enabled()) {
            return false;
        }
        if (destination == 0xffffffff) {
            return true;
        }
        if (!logical) {
            return destination == id;
        }
        int mine = logicalDestination;
        if (x2apic()) {
            return destination >>> 16 == mine >>> 16 && (destination & mine & 0xffff) != 0;
        }
        if ((destination & 0xffffff00) != 0) {
            return false;
        }
        int set = mine >>> 24;
        return switch (destinationFormat >>> 28) {
            case 0xf -> (destination & set) != 0;
            case 0 ->
                    (destination >> 4 == 0xf || destination >> 4 == set >> 4)
                            && (destination & set & 0xf) != 0;
            default -> false;
        };
    }

    boolean softwareEnabled() {
        return enabled() && (spurious & SPURIOUS_ENABLED) != 0 && !initRequested;
    }

    int processorPriority() {
        return processorPriority;
    }

    private boolean enabled() {
        return (base & BASE_ENABLED) != 0;
    }

    private boolean x2apic() {
        return (base & BASE_X2APIC) != 0;
    }

    private int x2apicLogicalId() {
        return id >> 4 << 16 | 1 << (id & 0xf);
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
            irr.remove(vector);
            isr.add(vector);
            updatePriority();
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
        updatePriority();
        evaluate();
        if (deliverable) {
            pins.interruptRequested();
        }
    }

    private int deliverableVector() {
        if (!enabled()) {
            return -1;
        }
        int vector = irr.highest();
        return vector >= 0 && vector >> 4 > processorPriority >> 4 ? vector : -1;
    }

    private boolean externalPending() {
        if (externalLatched) {
            return true;
        }
        if (!bus.intrAsserted()) {
            return false;
        }
        if (!enabled()) {
            return (base & BASE_BSP) != 0;
        }
        int entry = lvt.get(LINT0);
        return (entry & LVT_MASKED) == 0 && (entry >> 8 & 7) == DeliveryMode.EXT_INT;
    }

    private void updatePriority() {
        int inService = Math.max(isr.highest(), 0);
        int priority = taskPriority >> 4 >= inService >> 4 ? taskPriority : inService & 0xf0;
        if (priority != processorPriority) {
            processorPriority = priority;
        }
    }

    private void endOfInterrupt() {
        int vector = isr.highest();
        if (vector < 0) {
            return;
        }
        isr.remove(vector);
        updatePriority();
        if (tmr.contains(vector) && (spurious & SPURIOUS_NO_BROADCAST) == 0) {
            bus.endOfInterrupt(vector);
        }
        reconsider();
    }

    @Override
    public long cr8() {
        settle();
        return taskPriority >> 4;
    }

    @Override
    public void setCr8(long priority) {
        settle();
        taskPriority = (int) (priority & 0xf) << 4;
        reconsider();
    }

    @Override
    public boolean canReadMsr(int index) {
        if (index == MSR_BASE || index == MSR_DEADLINE) {
            return true;
        }
        int register = index - MSR_X2APIC;
        return switch (register) {
            case ApicRegister.EOI, ApicRegister.SELF_IPI -> false;
            case ApicRegister.DESTINATION_FORMAT, ApicRegister.COMMAND_HIGH -> false;
            default -> x2apic() && ApicRegister.exists(register);
        };
    }

    @Override
    public long readMsr(int index) {
        settle();
        return switch (index) {
            case MSR_BASE -> base;
            case MSR_DEADLINE -> timer.deadline();
            default -> {
                int register = index - MSR_X2APIC;
                yield switch (register) {
                    case ApicRegister.ID -> id;
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
        if (!x2apic() || !x2apicWriteLegal(register, value)) {
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

    /** SDM table 11-6: reserved bits and read-only registers raise #GP. */
    private static boolean x2apicWriteLegal(int register, long value) {
        long allowed =
                switch (register) {
                    case ApicRegister.TASK_PRIORITY, ApicRegister.SELF_IPI -> 0xff;
                    case ApicRegister.EOI, ApicRegister.ERROR_STATUS -> 0;
                    case ApicRegister.SPURIOUS -> SPURIOUS_WRITABLE;
                    case ApicRegister.COMMAND_LOW -> ~COMMAND_RESERVED;
                    case ApicRegister.TIMER_INITIAL -> 0xffffffffL;
                    case ApicRegister.TIMER_DIVIDE -> 0xb;
                    default -> {
                        int entry = ApicRegister.lvtEntry(register);
                        // Delivery status and remote IRR are read-only, not reserved.
                        yield entry < 0 ? -1 : LVT_WRITABLE[entry] | 0x5000;
                    }
                };
        return ApicRegister.writable(register) && (value & ~allowed) == 0;
    }

    /** Legal changes are off to xAPIC, xAPIC to x2APIC, and either to off (SDM figure 11-27). */
    private boolean writeBase(long value) {
        long before = base;
        long defined = BASE_ADDRESS | BASE_BSP | BASE_X2APIC | BASE_ENABLED;
        boolean toEnabled = (value & BASE_ENABLED) != 0;
        boolean toX2apic = (value & BASE_X2APIC) != 0;
        if ((value & ~defined) != 0 || toX2apic && !toEnabled) {
            return false;
        }
        if (x2apic() && toEnabled && !toX2apic || toX2apic && (before & BASE_ENABLED) == 0) {
            return false;
        }
        base = value & ~BASE_BSP | before & BASE_BSP;
        if (!toEnabled && (before & BASE_ENABLED) != 0) {
            initialize();
        } else if (toX2apic && (before & BASE_X2APIC) == 0) {
            logicalDestination = x2apicLogicalId();
            interruptCommand = 0;
        }
        reconsider();
        return true;
    }

    @Override
    public long mmioBase() {
        long now = base;
        return (now & (BASE_ENABLED | BASE_X2APIC)) == BASE_ENABLED ? now & BASE_ADDRESS : -1;
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
            case ApicRegister.ID -> id << 24;
            case ApicRegister.VERSION -> VERSION;
            case ApicRegister.TASK_PRIORITY -> taskPriority;
            case ApicRegister.PROCESSOR_PRIORITY -> processorPriority;
            case ApicRegister.LOGICAL_DESTINATION -> logicalDestination;
            case ApicRegister.DESTINATION_FORMAT -> destinationFormat;
            case ApicRegister.SPURIOUS -> spurious;
            case ApicRegister.ERROR_STATUS -> errorStatus;
            case ApicRegister.COMMAND_LOW -> (int) interruptCommand;
            case ApicRegister.COMMAND_HIGH -> (int) (interruptCommand >>> 32);
            case ApicRegister.TIMER_INITIAL -> timer.initialCount();
            case ApicRegister.TIMER_CURRENT -> timer.currentCount();
            case ApicRegister.TIMER_DIVIDE -> timer.divide();
            default -> {
                if (register >= ApicRegister.IN_SERVICE && register < ApicRegister.ERROR_STATUS) {
                    VectorSet set =
                            register < ApicRegister.TRIGGER_MODE
                                    ? isr
                                    : register < ApicRegister.REQUEST ? tmr : irr;
                    yield set.register(register & 7);
                }
                int entry = ApicRegister.lvtEntry(register);
                yield entry < 0 ? 0 : entry == TIMER ? timer.lvt() : lvt.get(entry);
            }
        };
    }

    private void writeRegister(int register, int value) {
        switch (register) {
            case ApicRegister.TASK_PRIORITY -> {
                taskPriority = value & 0xff;
                reconsider();
            }
            case ApicRegister.EOI -> endOfInterrupt();
            case ApicRegister.LOGICAL_DESTINATION -> logicalDestination = value & 0xff000000;
            case ApicRegister.DESTINATION_FORMAT -> destinationFormat = value | 0x0fffffff;
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
        spurious = value & SPURIOUS_WRITABLE;
        if ((value & SPURIOUS_ENABLED) == 0) {
            timer.setLvt(timer.lvt() | LVT_MASKED);
            for (int entry = 1; entry < 6; entry++) {
                lvt.set(entry, lvt.get(entry) | LVT_MASKED);
            }
        }
        reconsider();
    }

    private void writeLvt(int entry, int value) {
        int written = value & LVT_WRITABLE[entry];
        if ((spurious & SPURIOUS_ENABLED) == 0) {
            written |= LVT_MASKED;
        }
        if (entry == TIMER) {
            timer.setLvt(written);
        } else {
            lvt.set(entry, written);
            reconsider();
        }
    }

    private void sendCommand(long value) {
        interruptCommand = value & ~(COMMAND_RESERVED | 1 << 12);
        int mode = (int) (value >> 8) & 7;
        boolean assert1 = (value & 1 << 14) != 0;
        boolean level = (value & 1 << 15) != 0;
        if (mode == DeliveryMode.INIT && level && !assert1) {
            // INIT level de-assert only mattered to the serial APIC bus.
            return;
        }
        boolean logical = (value & 1 << 11) != 0;
        int destination = (int) (value >>> 32);
        if (!x2apic()) {
            destination >>>= 24;
            destination = !logical && destination == 0xff ? 0xffffffff : destination;
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
        int[] entries = new int[6];
        for (int entry = 0; entry < 6; entry++) {
            entries[entry] = entry == TIMER ? timer.lvt() : lvt.get(entry);
        }
        return new LocalApicState(
                1,
                base,
                taskPriority,
                logicalDestination,
                destinationFormat,
                spurious,
                errorStatus,
                errors.get(),
                interruptCommand,
                entries,
                irr.save(),
                isr.save(),
                tmr.save(),
                externalLatched,
                initRequested,
                timer.save());
    }

    @Override
    public void restore(LocalApicState state) {
        base = state.base();
        taskPriority = state.tpr() & 0xff;
        logicalDestination = state.logicalDestination();
        destinationFormat = state.destinationFormat();
        spurious = state.spurious();
        errorStatus = state.errorStatus();
        errors.set(state.errors());
        interruptCommand = state.interruptCommand();
        for (int entry = 1; entry < 6; entry++) {
            lvt.set(entry, state.lvt()[entry]);
        }
        irr.restore(state.irr());
        isr.restore(state.isr());
        tmr.restore(state.tmr());
        externalLatched = state.externalLatched();
        initRequested = state.initRequested();
        updatePriority();
        changed = true;
        timer.restore(state.lvt()[TIMER], state.timer());
        pins.interruptRequested();
    }
}
