package org.javisor.virtio;

import java.util.List;
import org.javisor.device.DeviceState;

/**
 * What a transport remembers besides its interrupts.
 *
 * @param status the status register
 * @param generation of the configuration space
 * @param driverFeatures chosen so far
 * @param deviceFeatureWord selected
 * @param driverFeatureWord selected
 * @param selectedQueue by the driver
 * @param queues all the device has
 * @param device the device's own
 */
public record VirtioState(
        int status,
        int generation,
        long driverFeatures,
        int deviceFeatureWord,
        int driverFeatureWord,
        int selectedQueue,
        List<Queue> queues,
        DeviceState device)
        implements DeviceState {
    /**
     * One queue.
     *
     * @param available position in the ring of what the device takes next
     * @param used position of what it gives back next
     */
    public record Queue(
            int size,
            long descriptors,
            long driverArea,
            long deviceArea,
            boolean ready,
            int available,
            int used) {
        static Queue of(QueueSetup setup, Virtqueue.Position at) {
            return new Queue(
                    setup.size(),
                    setup.descriptors(),
                    setup.driverArea(),
                    setup.deviceArea(),
                    setup.ready(),
                    at.available(),
                    at.used());
        }

        QueueSetup setup() {
            return new QueueSetup(size, descriptors, driverArea, deviceArea, ready);
        }

        Virtqueue.Position position() {
            return new Virtqueue.Position(available, used);
        }
    }

    public VirtioState {
        queues = List.copyOf(queues);
    }

    @Override
    public int version() {
        return 1;
    }
}
