package org.javisor.virtio;

/** What a device tells its driver outside of the queues. From any thread, also with locks held. */
public interface VirtioSignals {
    /** Leads nowhere. */
    VirtioSignals UNCONNECTED =
            new VirtioSignals() {
                @Override
                public void configurationChanged() {}

                @Override
                public void broken(String reason) {}
            };

    /** The configuration space reads otherwise than before; interrupts the driver. */
    void configurationChanged();

    /**
     * The driver has broken the rules, and the device does nothing more until it is reset. Sets
     * DEVICE_NEEDS_RESET and interrupts the driver.
     *
     * @param reason for people; no data of the guest's
     */
    void broken(String reason);
}
