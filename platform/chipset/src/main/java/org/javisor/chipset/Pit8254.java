package org.javisor.chipset;

import java.util.List;
import org.javisor.device.Clock;
import org.javisor.device.Device;
import org.javisor.device.InterruptLine;
import org.javisor.device.PitState;

/**
 * The PC's 8254 programmable interval timer (Intel 8254 data sheet, order 231164), ports 40h to
 * 43h: counter 0 interrupts, counter 2 is gated and watched through {@link SystemControlPortB}; all
 * six modes, binary and BCD, latch and read-back commands.
 *
 * <p>In the periodic modes the line falls and rises again at the end of each period; that OUT goes
 * low one tick (mode 2) or half a period (mode 3) earlier can be read but is not signalled, because
 * only the rise interrupts. The odd counts of mode 3 read back as even ones.
 */
public final class Pit8254 implements Device<PitState>, ByteRegisters {
    static final Oscillator CRYSTAL = new Oscillator(1_193_182);

    private static final int CONTROL = 3;

    /** A guest that asks for interrupts faster than this many nanoseconds gets fewer. */
    private static final long SHORTEST_ALARM_PERIOD = 50_000;

    private final Clock clock;
    private final InterruptLine irq;
    private final Clock.Alarm alarm;
    private final PitCounter[] counters = {
        new PitCounter(true), new PitCounter(true), new PitCounter(false)
    };

    /** The tick at which the line has its next rising edge, or -1. */
    private long nextRise = -1;

    /**
     * @param irq OUT of counter 0
     */
    public Pit8254(Clock clock, InterruptLine irq) {
        this.clock = clock;
        this.irq = irq;
        this.alarm = clock.newAlarm(this::expire);
    }

    private long now() {
        return CRYSTAL.ticks(clock.nanos());
    }

    @Override
    public synchronized int readByte(int offset) {
        int counter = offset & 3;
        // The control word cannot be read back; the bus then floats.
        return counter == CONTROL ? 0xff : counters[counter].read(now());
    }

    @Override
    public synchronized void writeByte(int offset, int value) {
        int counter = offset & 3;
        long now = now();
        if (counter != CONTROL) {
            counters[counter].write(value, now);
            if (counter == 0) {
                update(now);
            }
            return;
        }
        int selected = value >> 6;
        if (selected == 3) {
            readBack(value, now);
        } else if ((value & 0x30) == 0) {
            counters[selected].latchCount(now);
        } else {
            counters[selected].setMode(value);
            if (selected == 0) {
                update(now);
            }
        }
    }

    private void readBack(int command, long now) {
        for (int counter = 0; counter < 3; counter++) {
            if ((command >> counter + 1 & 1) == 0) {
                continue;
            }
            if ((command & 0x20) == 0) {
                counters[counter].latchCount(now);
            }
            if ((command & 0x10) == 0) {
                counters[counter].latchStatus(now);
            }
        }
    }

    /** The gate input of counter 2. */
    synchronized void setGate2(boolean level) {
        counters[2].setGate(level, now());
    }

    /** OUT of counter 2. */
    synchronized boolean out2() {
        return counters[2].out(now());
    }

    private void update(long now) {
        // The low part of mode 2's and mode 3's period is not signalled.
        irq.drive(counters[0].periodic() || counters[0].out(now));
        schedule(now);
    }

    private void schedule(long now) {
        nextRise = counters[0].nextRise(now);
        if (nextRise < 0) {
            alarm.disarm();
            return;
        }
        long at = CRYSTAL.nanos(nextRise);
        long earliest = clock.nanos() + SHORTEST_ALARM_PERIOD;
        alarm.arm(counters[0].periodic() ? Math.max(at, earliest) : at);
    }

    /** On the clock's thread. The alarm may be stale. */
    private synchronized void expire() {
        long now = now();
        if (nextRise >= 0 && now >= nextRise) {
            irq.drive(false);
            irq.drive(true);
        }
        schedule(now);
    }

    @Override
    public synchronized void reset() {
        for (int counter = 0; counter < 3; counter++) {
            counters[counter].reset(counter != 2);
        }
        update(now());
    }

    @Override
    public synchronized PitState save() {
        long now = now();
        return new PitState(
                1, List.of(counters[0].save(now), counters[1].save(now), counters[2].save(now)));
    }

    @Override
    public synchronized void restore(PitState state) {
        long now = now();
        for (int counter = 0; counter < 3; counter++) {
            counters[counter].restore(state.counters().get(counter), now);
        }
        update(now);
    }
}
