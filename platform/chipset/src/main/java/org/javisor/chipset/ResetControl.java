package org.javisor.chipset;

import org.javisor.device.Device;
import org.javisor.device.DeviceState;

/**
 * The reset control register at port CF9h (Intel 82371AB data sheet, 4.1.4.3): a rise of bit 2
 * resets the machine. ACPI's RESET_REG names it too.
 */
public final class ResetControl implements Device<ResetControl.State>, ByteRegisters {
    /** The snapshot: the register. */
    public record State(int version, int register) implements DeviceState {}

    private static final int RESET_CPU = 0x04;
    private static final int WRITABLE = 0x0e;

    private final Runnable resetMachine;
    private int register;

    /**
     * @param resetMachine asked for on the vCPU's thread, without the chip's lock
     */
    public ResetControl(Runnable resetMachine) {
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
            rises = (value & ~register & RESET_CPU) != 0;
            register = value & WRITABLE;
        }
        if (rises) {
            resetMachine.run();
        }
    }

    @Override
    public synchronized void reset() {
        register = 0;
    }

    @Override
    public synchronized State save() {
        return new State(1, register);
    }

    @Override
    public synchronized void restore(State state) {
        register = state.register() & WRITABLE;
    }
}
