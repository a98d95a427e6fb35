package org.javisor.chipset;

import org.javisor.device.Clock;
import org.javisor.device.Device;
import org.javisor.device.InterruptLine;

/**
 * The fixed hardware of ACPI (ACPI specification 6.5, 4.8.3 and 4.8.4) as one range of {@link
 * PcPorts#PM_SIZE} ports: PM1a event block at offset 0, PM1a control block at 4, the 32-bit power
 * management timer at 8 and a GPE block of 16 events at 20h. Always in ACPI mode: there is no SMI
 * command port, and SCI_EN reads as set.
 *
 * <p>Soft-off is the only sleep state: SLP_EN with {@link PcPorts#S5_SLEEP_TYPE} turns the machine
 * off; other types are ignored. The machine presses the power button.
 */
public final class AcpiPm implements Device<AcpiPmState>, ByteRegisters {
    static final int EVENT_OFFSET = 0x00;
    static final int CONTROL_OFFSET = 0x04;
    static final int TIMER_OFFSET = 0x08;
    static final int GPE0_OFFSET = 0x20;

    /** ACPI specification 4.8.3.3. */
    static final Oscillator CRYSTAL = new Oscillator(3_579_545);

    private static final int TIMER_STATUS = 1 << 0;
    private static final int GLOBAL_STATUS = 1 << 5;
    private static final int POWER_BUTTON_STATUS = 1 << 8;
    private static final int SLEEP_BUTTON_STATUS = 1 << 9;
    private static final int RTC_STATUS = 1 << 10;
    private static final int WAKE_STATUS = 1 << 15;
    private static final int EVENTS =
            TIMER_STATUS | GLOBAL_STATUS | POWER_BUTTON_STATUS | SLEEP_BUTTON_STATUS | RTC_STATUS;

    private static final int SCI_ENABLED = 1 << 0;
    private static final int SLEEP_TYPE_SHIFT = 10;
    private static final int SLEEP_ENABLE = 1 << 13;
    private static final int CONTROL_WRITABLE = 7 << SLEEP_TYPE_SHIFT | 1 << 1;

    /**
     * TMR_STS is set each time the timer's highest bit changes, every 2^31 ticks or ten minutes.
     */
    private static final int OVERFLOW_SHIFT = 31;

    private final Clock clock;
    private final InterruptLine sci;
    private final Runnable powerOff;
    private final Clock.Alarm alarm;

    private int status;
    private int enable;
    private int control;
    private int gpeStatus;
    private int gpeEnable;
    private long timerOffset;
    private long timerSeen;

    /**
     * @param powerOff asked for on the vCPU's thread, without the chip's lock
     */
    public AcpiPm(Clock clock, InterruptLine sci, Runnable powerOff) {
        this.clock = clock;
        this.sci = sci;
        this.powerOff = powerOff;
        this.alarm = clock.newAlarm(this::expire);
    }

    /** Somebody presses and releases the power button. From any thread. */
    public synchronized void pressPowerButton() {
        status |= POWER_BUTTON_STATUS;
        update();
    }

    /** A general-purpose event, 0 to 15. From any thread. */
    public synchronized void raiseGpe(int event) {
        gpeStatus |= 1 << event & 0xffff;
        update();
    }

    private long timer() {
        return CRYSTAL.ticks(clock.nanos()) + timerOffset;
    }

    @Override
    public synchronized int readPort(int offset, int size) {
        if (offset == TIMER_OFFSET && size == 4) {
            return (int) timer();
        }
        return ByteRegisters.super.readPort(offset, size);
    }

    @Override
    public synchronized int readByte(int offset) {
        if (offset < CONTROL_OFFSET) {
            noteOverflow();
        }
        return switch (offset) {
            case 0 -> status & 0xff;
            case 1 -> status >> 8;
            case 2 -> enable & 0xff;
            case 3 -> enable >> 8;
            case 4 -> control & 0xff | SCI_ENABLED;
            case 5 -> control >> 8;
            case 8, 9, 10, 11 -> (int) (timer() >> 8 * (offset - TIMER_OFFSET)) & 0xff;
            case GPE0_OFFSET -> gpeStatus & 0xff;
            case GPE0_OFFSET + 1 -> gpeStatus >> 8;
            case GPE0_OFFSET + 2 -> gpeEnable & 0xff;
            case GPE0_OFFSET + 3 -> gpeEnable >> 8;
            default -> offset < TIMER_OFFSET ? 0 : 0xff;
        };
    }

    @Override
    public void writeByte(int offset, int value) {
        boolean off;
        synchronized (this) {
            off = write(offset, value);
            update();
        }
        if (off) {
            powerOff.run();
        }
    }

    /** Whether the guest has asked to be turned off. */
    private boolean write(int offset, int value) {
        switch (offset) {
            case 0, 1 -> {
                noteOverflow();
                status &= ~(value << 8 * offset);
            }
            case 2 -> enable = enable & 0xff00 | value & EVENTS;
            case 3 -> enable = enable & 0xff | value << 8 & EVENTS;
            case 4 -> control = control & 0xff00 | value & CONTROL_WRITABLE;
            case 5 -> {
                control = control & 0xff | value << 8 & CONTROL_WRITABLE;
                boolean go = (value << 8 & SLEEP_ENABLE) != 0;
                return go && control >> SLEEP_TYPE_SHIFT == PcPorts.S5_SLEEP_TYPE;
            }
            case GPE0_OFFSET -> gpeStatus &= ~value;
            case GPE0_OFFSET + 1 -> gpeStatus &= ~(value << 8);
            case GPE0_OFFSET + 2 -> gpeEnable = gpeEnable & 0xff00 | value;
            case GPE0_OFFSET + 3 -> gpeEnable = gpeEnable & 0xff | value << 8;
            default -> {}
        }
        return false;
    }

    private void noteOverflow() {
        long now = timer();
        if (now >> OVERFLOW_SHIFT != timerSeen >> OVERFLOW_SHIFT) {
            status |= TIMER_STATUS;
        }
        timerSeen = now;
    }

    private void update() {
        boolean event = (status & enable & EVENTS) != 0 || (gpeStatus & gpeEnable) != 0;
        sci.drive(event);
        if ((enable & TIMER_STATUS) != 0 && (status & TIMER_STATUS) == 0) {
            long next = (timer() >> OVERFLOW_SHIFT) + 1 << OVERFLOW_SHIFT;
            alarm.arm(CRYSTAL.nanos(next - timerOffset));
        } else {
            alarm.disarm();
        }
    }

    /** On the clock's thread. */
    private synchronized void expire() {
        noteOverflow();
        update();
    }

    @Override
    public synchronized void reset() {
        status = 0;
        enable = 0;
        control = 0;
        gpeStatus = 0;
        gpeEnable = 0;
        timerOffset = -CRYSTAL.ticks(clock.nanos());
        timerSeen = 0;
        update();
    }

    @Override
    public synchronized AcpiPmState save() {
        return new AcpiPmState(
                1, status, enable, control, gpeStatus, gpeEnable, timer(), timerSeen);
    }

    @Override
    public synchronized void restore(AcpiPmState state) {
        status = state.status() & (EVENTS | WAKE_STATUS);
        enable = state.enable() & EVENTS;
        control = state.control() & CONTROL_WRITABLE;
        gpeStatus = state.gpeStatus() & 0xffff;
        gpeEnable = state.gpeEnable() & 0xffff;
        timerOffset = state.timer() - CRYSTAL.ticks(clock.nanos());
        timerSeen = state.timerSeen();
        update();
    }
}
