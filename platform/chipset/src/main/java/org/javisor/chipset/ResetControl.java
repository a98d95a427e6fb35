package org.javisor.chipset;

import org.javisor.device.Device;
import org.javisor.device.DeviceState;
import org.javisor.device.PioDevice;

/**
 * The reset control register at port CF9h (Intel 82371AB data sheet, 4.1.4.3): a rise of bit 2
 * resets the machine. ACPI's RESET_REG names it too.
 *
 * <p>The port lies inside the doubleword CF8h, the address register of PCI's configuration
 * mechanism 1, which only accesses of four bytes reach: the host bridge answers those and passes
 * narrower ones on to here.
 */
public final class ResetControl implements Device<ResetControl.State>, PioDevice {
    /** The snapshot: the register. */
    public record State(int version, int register) implements DeviceState {}

    private static final int REGISTER = PcPorts.RESET_CONTROL - PcPorts.RESET_CONTROL_BASE;

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
    public synchronized int readPort(int offset, int size) {
        return size == 1 && offset == REGISTER ? register : -1 >>> 32 - 8 * size;
    }

    @Override
    public void writePort(int offset, int size, int value) {
        boolean rises;
        synchronized (this) {
            if (size != 1 || offset != REGISTER) {
                return;
            }
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
