package org.javisor.machine;

import java.util.function.Function;
import org.javisor.pci.PciFunction;
import org.javisor.virtio.VirtioDevice;
import org.javisor.virtio.VirtioPci;

/**
 * A virtio device of a machine's configuration, which can be shown to the guest by either
 * transport; as a {@link PciDevice.Factory} it is on PCI.
 *
 * @param name for statistics, such as {@code virtio-rng}
 * @param device makes it; may throw {@link MachineException}
 */
public record VirtioSlot(String name, Function<PciDevice.Surroundings, VirtioDevice> device)
        implements PciDevice.Factory {
    @Override
    public PciDevice create(PciDevice.Surroundings surroundings) {
        VirtioDevice made = device.apply(surroundings);
        PciFunction function = new VirtioPci(name, made, surroundings.memory(), true).function();
        return new PciDevice() {
            @Override
            public PciFunction function() {
                return function;
            }

            @Override
            public void close() {
                made.close();
            }
        };
    }
}
