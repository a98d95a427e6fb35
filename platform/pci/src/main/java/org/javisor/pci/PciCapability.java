package org.javisor.pci;

/**
 * A member of a function's capability list (PCI Local Bus Specification 3.0, 6.7).
 *
 * @param id which capability, 8 bits
 * @param registers the structure, of which the function fills in the first two bytes: ID and
 *     pointer to the next
 */
public record PciCapability(int id, ConfigurationRegisters registers) {
    public static final int MSI = 0x05;
    public static final int VENDOR_SPECIFIC = 0x09;
    public static final int PCI_EXPRESS = 0x10;
    public static final int MSI_X = 0x11;
}
