package org.javisor.pci;

/**
 * What a function says it is: the read-only registers at 00h, 02h, 08h-0Bh, 2Ch and 2Eh.
 *
 * @param vendor 16 bits
 * @param device 16 bits
 * @param revision 8 bits
 * @param classCode 24 bits: class, subclass, programming interface
 * @param subsystemVendor 16 bits
 * @param subsystem 16 bits
 */
public record PciIdentity(
        int vendor, int device, int revision, int classCode, int subsystemVendor, int subsystem) {
    /** No function has this vendor: reading it means that nobody answers. */
    private static final int NOBODY = 0xffff;

    public PciIdentity {
        if ((vendor | device | subsystemVendor | subsystem) >>> 16 != 0
                || vendor == NOBODY
                || revision >>> 8 != 0
                || classCode >>> 24 != 0) {
            throw new IllegalArgumentException(
                    "No such PCI identity: vendor %x, device %x, class %x"
                            .formatted(vendor, device, classCode));
        }
    }

    /** Revision 0, no subsystem. */
    public static PciIdentity of(int vendor, int device, int classCode) {
        return new PciIdentity(vendor, device, 0, classCode, 0, 0);
    }

    public PciIdentity withRevision(int value) {
        return new PciIdentity(vendor, device, value, classCode, subsystemVendor, subsystem);
    }

    public PciIdentity withSubsystem(int ofVendor, int id) {
        return new PciIdentity(vendor, device, revision, classCode, ofVendor, id);
    }
}
