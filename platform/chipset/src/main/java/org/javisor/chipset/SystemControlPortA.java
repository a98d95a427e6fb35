package org.javisor.chipset;

import org.javisor.device.Device;
import org.javisor.device.DeviceState;

/**
 * Port 92h, PS/2 system control port A: bit 1 is the fast A20 gate, which can be read back but
 * masks nothing (as on every processor without an A20M# pin), a rise of bit 0 resets the
 * processors.
 */
public final class SystemControlPortA implements Device<SystemControlPortA.State>, ByteRegisters {
    /** The snapshot: the register. */
    public record State(int version, int register) implements DeviceState {}

    private static final int RESET = 0x01;
    private static final int A20 = 0x02;

    private final Runnable resetMachine;
    private int register = A20;

    /**
     * @param resetMachine asked for on the vCPU's thread, without the chip's lock
     */
    public SystemControlPortA(Runnable resetMachine) {
        this.resetMachine = resetMachine;
    }

    @Override
    public synchronized int readByte(int offset) {
        return register;
    }

    @Override
    public void writeByte(int offset, int value) {
        boolean rises;
        synchronized (this) {
            rises = (value & ~register & RESET) != 0;
            register = value & (RESET | A20);
        }
        if (rises) {
            resetMachine.run();
        }
    }

    @Override
    public synchronized void reset() {
        register = A20;
    }

    @Override
    public synchronized State save() {
        return new State(1, register);
    }

    @Override
    public synchronized void restore(State state) {
        register = state.register() & (RESET | A20);
    }
}
