package org.javisor.chipset;

import java.time.Instant;
import org.javisor.device.Clock;
import org.javisor.device.Device;
import org.javisor.device.InterruptLine;

/**
 * The MC146818A real-time clock (Motorola data sheet MC146818A) with a PC's 128 bytes of CMOS
 * memory, ports 70h (index, whose NMI mask bit is ignored) and 71h. The time is the machine's wall
 * time until the guest sets it, and goes on from there.
 *
 * <p>Periodic, alarm and update-ended interrupts; UIP for the 2228 µs before each second, as long
 * as the chip's update takes. An interrupt whose flag is not yet read raises no further ones and
 * needs no alarm of the host.
 *
 * <p>Not modelled: daylight saving, the square wave, the weekday as something that could be set.
 */
public final class Rtc146818 implements Device<RtcState>, ByteRegisters {
    private static final int SECOND_ALARM = 1;
    private static final int HOUR_ALARM = 5;
    private static final int REGISTER_A = 0x0a;
    private static final int REGISTER_B = 0x0b;
    private static final int REGISTER_C = 0x0c;
    private static final int REGISTER_D = 0x0d;

    private static final int A_UPDATE_IN_PROGRESS = 0x80;
    private static final int A_DIVIDER = 0x70;
    private static final int A_DIVIDER_RUNNING = 0x20;
    private static final int A_DIVIDER_RESET = 0x60;

    private static final int B_SET = 0x80;
    private static final int B_UPDATE_INTERRUPT = 0x10;
    private static final int B_BINARY = 0x04;
    private static final int B_24_HOURS = 0x02;
    private static final int B_CLEARED_BY_RESET = 0x78;

    private static final int C_REQUEST = 0x80;
    private static final int FLAG_PERIODIC = 0x40;
    private static final int FLAG_ALARM = 0x20;
    private static final int FLAG_UPDATE = 0x10;
    private static final int FLAGS = FLAG_PERIODIC | FLAG_ALARM | FLAG_UPDATE;

    private static final int D_VALID = 0x80;

    private static final Oscillator CRYSTAL = new Oscillator(32_768);
    private static final long SECOND = 1_000_000_000L;
    private static final long UPDATE_NANOS = 2_228_000;
    private static final long SECONDS_A_DAY = 86_400;

    private final Clock clock;
    private final InterruptLine irq;
    private final Clock.Alarm alarm;

    private final byte[] cmos = new byte[128];
    private int index;
    private int flags;
    private long offsetSeconds;
    private long phaseNanos;

    /** The guest's second and the crystal's tick up to which flags have been set. */
    private long seenSecond;

    private long seenTick;

    public Rtc146818(Clock clock, InterruptLine irq) {
        this.clock = clock;
        this.irq = irq;
        this.alarm = clock.newAlarm(this::expire);
        cmos[REGISTER_A] = A_DIVIDER_RUNNING | 6;
        cmos[REGISTER_B] = B_24_HOURS;
        seenSecond = epochSecond(clock.wallTime());
        seenTick = CRYSTAL.ticks(clock.nanos());
    }

    /**
     * Puts a byte into the CMOS memory, as firmware does for memory sizes and the like.
     *
     * @param address 0Eh to 7Fh
     */
    public synchronized void setCmos(int address, int value) {
        if (address <= REGISTER_D || address >= cmos.length) {
            throw new IllegalArgumentException("No such CMOS byte: " + address);
        }
        cmos[address] = (byte) value;
    }

    @Override
    public synchronized int readByte(int offset) {
        if ((offset & 1) == 0) {
            return 0xff;
        }
        settle();
        return switch (index) {
            case REGISTER_A -> cmos[REGISTER_A] | (updating() ? A_UPDATE_IN_PROGRESS : 0);
            case REGISTER_C -> {
                int value = flags | (interrupting() ? C_REQUEST : 0);
                flags = 0;
                update();
                yield value;
            }
            case REGISTER_D -> D_VALID;
            default -> {
                if (isTime(index) && running()) {
                    calendar().encode(epochSecond(clock.wallTime()), cmos);
                }
                yield cmos[index] & 0xff;
            }
        };
    }

    @Override
    public synchronized void writeByte(int offset, int value) {
        if ((offset & 1) == 0) {
            index = value & 0x7f;
            return;
        }
        settle();
        switch (index) {
            case REGISTER_A -> setControl(value & 0x7f, controlB());
            case REGISTER_B -> {
                // Stopping the updates for setting also disables their interrupt.
                boolean set = (value & B_SET) != 0;
                setControl(cmos[REGISTER_A], set ? value & ~B_UPDATE_INTERRUPT : value);
            }
            case REGISTER_C, REGISTER_D -> {}
            default -> writeMemory(value);
        }
        update();
    }

    private void writeMemory(int value) {
        boolean running = running();
        if (isTime(index) && running) {
            calendar().encode(epochSecond(clock.wallTime()), cmos);
        }
        cmos[index] = (byte) value;
        if (isTime(index) && running) {
            setTime();
        }
    }

    private void setControl(int a, int b) {
        boolean before = running();
        boolean wasReset = (cmos[REGISTER_A] & A_DIVIDER_RESET) == A_DIVIDER_RESET;
        if (before) {
            calendar().encode(epochSecond(clock.wallTime()), cmos);
        }
        cmos[REGISTER_A] = (byte) a;
        cmos[REGISTER_B] = (byte) b;
        if (wasReset && (a & A_DIVIDER) == A_DIVIDER_RUNNING) {
            // The first update comes half a second after the divider is let go.
            phaseNanos = Math.floorMod(SECOND / 2 - clock.wallTime().getNano(), SECOND);
        }
        if (!before && running()) {
            setTime();
        }
    }

    private void setTime() {
        Instant wall = clock.wallTime();
        offsetSeconds += calendar().decode(cmos) - epochSecond(wall);
        seenSecond = epochSecond(wall);
    }

    private static boolean isTime(int index) {
        boolean alarmRegister =
                index >= SECOND_ALARM && index <= HOUR_ALARM && (index & 1) == SECOND_ALARM;
        return index <= RtcCalendar.YEAR && !alarmRegister || index == RtcCalendar.CENTURY;
    }

    private int controlB() {
        return cmos[REGISTER_B] & 0xff;
    }

    private RtcCalendar calendar() {
        int b = controlB();
        return new RtcCalendar((b & B_BINARY) != 0, (b & B_24_HOURS) != 0);
    }

    private boolean dividerRuns() {
        return (cmos[REGISTER_A] & A_DIVIDER) == A_DIVIDER_RUNNING;
    }

    private boolean running() {
        return dividerRuns() && (controlB() & B_SET) == 0;
    }

    private boolean updating() {
        return running() && nanoOfSecond(clock.wallTime()) >= SECOND - UPDATE_NANOS;
    }

    private long epochSecond(Instant wall) {
        return wall.getEpochSecond() + (wall.getNano() + phaseNanos) / SECOND + offsetSeconds;
    }

    private long nanoOfSecond(Instant wall) {
        return (wall.getNano() + phaseNanos) % SECOND;
    }

    /**
     * The periodic interrupt's period as a power of two of crystal ticks, or -1 for none (data
     * sheet, table 5).
     */
    private int periodShift() {
        int rate = cmos[REGISTER_A] & 0xf;
        if (rate == 0 || !dividerRuns()) {
            return -1;
        }
        return rate < 3 ? rate + 6 : rate - 1;
    }

    /** Sets the flags of what has happened since this was last called. */
    private void settle() {
        long tick = CRYSTAL.ticks(clock.nanos());
        int shift = periodShift();
        if (shift >= 0 && tick >> shift != seenTick >> shift) {
            flags |= FLAG_PERIODIC;
        }
        seenTick = tick;
        long second = epochSecond(clock.wallTime());
        if (second != seenSecond && running()) {
            flags |= FLAG_UPDATE;
            settleAlarm(second);
        }
        seenSecond = second;
    }

    private void settleAlarm(long second) {
        RtcCalendar calendar = calendar();
        // One day of seconds meets every alarm there can be.
        long first = Math.max(seenSecond + 1, second - SECONDS_A_DAY + 1);
        for (long at = first; at <= second && (flags & FLAG_ALARM) == 0; at++) {
            if (calendar.alarmMatches(at, cmos)) {
                flags |= FLAG_ALARM;
            }
        }
    }

    private boolean interrupting() {
        return (flags & controlB() & FLAGS) != 0;
    }

    private void update() {
        irq.drive(interrupting());
        long now = clock.nanos();
        long next = Long.MAX_VALUE;
        int awaited = controlB() & ~flags & FLAGS;
        int shift = periodShift();
        if ((awaited & FLAG_PERIODIC) != 0 && shift >= 0) {
            next = CRYSTAL.nanos((seenTick >> shift) + 1 << shift);
        }
        if ((awaited & (FLAG_ALARM | FLAG_UPDATE)) != 0 && running()) {
            next = Math.min(next, now + SECOND - nanoOfSecond(clock.wallTime()));
        }
        if (next == Long.MAX_VALUE) {
            alarm.disarm();
        } else {
            alarm.arm(next);
        }
    }

    /** On the clock's thread. */
    private synchronized void expire() {
        settle();
        update();
    }

    /** The battery keeps the time and the memory; the RESET pin disables the interrupts. */
    @Override
    public synchronized void reset() {
        settle();
        cmos[REGISTER_B] &= ~B_CLEARED_BY_RESET;
        flags = 0;
        index = 0;
        update();
    }

    @Override
    public synchronized RtcState save() {
        settle();
        return new RtcState(1, index, cmos.clone(), flags, offsetSeconds, phaseNanos);
    }

    @Override
    public synchronized void restore(RtcState state) {
        index = state.index() & 0x7f;
        System.arraycopy(state.cmos(), 0, cmos, 0, Math.min(state.cmos().length, cmos.length));
        flags = state.flags() & FLAGS;
        offsetSeconds = state.offsetSeconds();
        phaseNanos = Math.floorMod(state.phaseNanos(), SECOND);
        seenSecond = epochSecond(clock.wallTime());
        seenTick = CRYSTAL.ticks(clock.nanos());
        update();
    }
}
