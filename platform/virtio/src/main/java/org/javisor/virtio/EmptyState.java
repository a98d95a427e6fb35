package org.javisor.virtio;

import org.javisor.device.DeviceState;

/** The state of a device that remembers nothing. */
public record EmptyState() implements DeviceState {
    @Override
    public int version() {
        return 1;
    }
}
