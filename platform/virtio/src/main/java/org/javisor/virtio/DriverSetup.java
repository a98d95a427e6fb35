package org.javisor.virtio;

import java.util.List;
import org.javisor.memory.GuestMemory;

/**
 * What a driver has chosen, valid from activation to reset.
 *
 * @param features the feature bits in force
 * @param memory where the buffers lie
 * @param queues as many as the device has; one that the driver did not set up stays empty for ever
 */
public record DriverSetup(long features, GuestMemory memory, List<Virtqueue> queues) {
    public DriverSetup {
        queues = List.copyOf(queues);
    }

    /** Whether a feature is in force. */
    public boolean has(int featureBit) {
        return (features >>> featureBit & 1) != 0;
    }

    public Virtqueue queue(int index) {
        return queues.get(index);
    }
}
