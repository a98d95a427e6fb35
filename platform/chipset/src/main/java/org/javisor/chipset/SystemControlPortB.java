package org.javisor.chipset;

import org.javisor.device.Clock;
import org.javisor.device.Device;
import org.javisor.device.DeviceState;

/**
 * Port 61h, "NMI status and control" (Intel 82371AB data sheet, 4.1.4.1): the gate of the PIT's
 * counter 2 and the speaker's enable, counter 2's output, and the toggle of the memory refresh.
 * Kernels time their first calibrations by it. There is no speaker, and no parity or channel check.
 */
public final class SystemControlPortB implements Device<SystemControlPortB.State>, ByteRegisters {
    /** The snapshot: the four writable bits. */
    public record State(int version, int control) implements DeviceState {}

    private static final int GATE2 = 0x01;
    private static final int REFRESH = 0x10;
    private static final int OUT2 = 0x20;
    private static final int WRITABLE = 0x0f;

    /** One refresh, 15.085 µs, is 18 ticks of the PIT's clock. */
    private static final int REFRESH_TICKS = 18;

    private final Pit8254 pit;
    private final Clock clock;
    private int control;

    public SystemControlPortB(Pit8254 pit, Clock clock) {
        this.pit = pit;
        this.clock = clock;
    }

    @Override
    public synchronized int readByte(int offset) {
        boolean refresh = (Pit8254.CRYSTAL.ticks(clock.nanos()) / REFRESH_TICKS & 1) != 0;
        return control | (refresh ? REFRESH : 0) | (pit.out2() ? OUT2 : 0);
    }

    @Override
    public synchronized void writeByte(int offset, int value) {
        control = value & WRITABLE;
        pit.setGate2((control & GATE2) != 0);
    }

    @Override
    public synchronized void reset() {
        control = 0;
        pit.setGate2(false);
    }

    @Override
    public synchronized State save() {
        return new State(1, control);
    }

    @Override
    public synchronized void restore(State state) {
        control = state.control() & WRITABLE;
    }
}
