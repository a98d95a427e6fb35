package org.javisor.pci;

/**
 * A function's place on bus 0.
 *
 * @param device 0 to 31
 * @param function 0 to 7
 */
public record PciAddress(int device, int function) implements Comparable<PciAddress> {
    static final int DEVICES = 32;
    static final int FUNCTIONS = 8;

    public PciAddress {
        if (device < 0 || device >= DEVICES || function < 0 || function >= FUNCTIONS) {
            throw new IllegalArgumentException(
                    "No such PCI address: %02x.%x".formatted(device, function));
        }
    }

    /** Device and function in one byte, as configuration accesses carry them. */
    int index() {
        return device * FUNCTIONS + function;
    }

    @Override
    public int compareTo(PciAddress other) {
        return Integer.compare(index(), other.index());
    }

    /** As guests print it: {@code 00:1f.7}. */
    @Override
    public String toString() {
        return "00:%02x.%x".formatted(device, function);
    }
}
