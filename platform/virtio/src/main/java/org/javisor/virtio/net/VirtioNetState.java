package org.javisor.virtio.net;

import java.util.List;
import org.javisor.device.DeviceState;

/**
 * What a network device remembers besides its queues.
 *
 * @param linkUp whether the cable is plugged in
 * @param pairs of queues in use
 * @param offloads what the driver lets the device leave to it, as feature bits
 * @param everything whether the filter is open
 * @param allGroups whether it lets all multicast through
 * @param mac the address in use
 * @param addresses others that pass
 * @param vlans that pass, a bit each
 */
public record VirtioNetState(
        boolean linkUp,
        int pairs,
        long offloads,
        boolean everything,
        boolean allGroups,
        long mac,
        List<Long> addresses,
        List<Long> vlans)
        implements DeviceState {
    public VirtioNetState {
        addresses = List.copyOf(addresses);
        vlans = List.copyOf(vlans);
    }

    @Override
    public int version() {
        return 1;
    }
}
