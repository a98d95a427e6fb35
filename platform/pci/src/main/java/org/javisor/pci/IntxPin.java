package org.javisor.pci;

import org.javisor.device.InterruptLine;

/**
 * A function's INTx interrupt: the level that the device drives, passed on unless the command
 * register disables it or message-signalled interrupts are enabled (PCI Local Bus Specification
 * 3.0, 6.2.2 and 6.8).
 */
final class IntxPin implements InterruptLine {
    private InterruptLine line = InterruptLine.UNCONNECTED;
    private boolean asserted;
    private boolean enabled = true;

    @Override
    public synchronized void drive(boolean level) {
        if (asserted != level) {
            asserted = level;
            drive();
        }
    }

    synchronized void enable(boolean enable) {
        if (enabled != enable) {
            enabled = enable;
            drive();
        }
    }

    synchronized void connect(InterruptLine to) {
        line.drive(false);
        line = to;
        drive();
    }

    /** What the device drives, whether or not it is passed on: the status register's bit 3. */
    synchronized boolean asserted() {
        return asserted;
    }

    private void drive() {
        line.drive(asserted && enabled);
    }
}
