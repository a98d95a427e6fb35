package org.javisor.machine;

import java.util.Optional;
import org.javisor.pci.PciAddress;

/**
 * A device of a machine's configuration.
 *
 * @param address where to plug it in; the first free device number if empty
 */
public record PciSlot(Optional<PciAddress> address, PciDevice.Factory device) {}
