package org.javisor.pci;

import org.javisor.device.MessageInterrupts;

/**
 * What MSI and MSI-X have in common: a function may send messages only while it is plugged in and
 * its bus master bit is on; until then they wait as masked ones do.
 */
abstract sealed class MessageSource permits Msi, MsixTable {
    private MessageInterrupts sink = MessageInterrupts.UNCONNECTED;
    private boolean busMaster;

    /** Where messages go from now on. */
    final synchronized void connect(MessageInterrupts to) {
        sink = to;
    }

    final synchronized void busMaster(boolean on) {
        if (busMaster != on) {
            busMaster = on;
            sendPending();
        }
    }

    final boolean mayMaster() {
        return busMaster;
    }

    final void send(long address, int data) {
        sink.deliver(address, data);
    }

    /** Sends what waits and is no longer masked; with the lock held. */
    abstract void sendPending();
}
