package org.javisor.pci;

/**
 * The host bridge as it shows itself on its own bus, at 00:00.0: an identity and nothing else. It
 * is the generic PCI Express host bridge that the PCI ID database lists as 1b36:0008, which guests
 * apply no quirks to.
 */
public final class HostBridge {
    public static final PciAddress ADDRESS = new PciAddress(0, 0);

    private static final PciIdentity IDENTITY = PciIdentity.of(0x1b36, 0x0008, 0x060000);

    private HostBridge() {}

    /** A host bridge to plug in at {@link #ADDRESS}. */
    public static PciFunction create() {
        return PciFunction.builder("pci-host", IDENTITY).build();
    }
}
