package org.javisor.pci;

/**
 * Which addresses belong to PCI: configuration space, and where BARs may be placed. The rest of the
 * machine keeps out of them.
 *
 * @param configuration guest-physical address of bus 0's configuration space
 * @param low memory below 4 GiB
 * @param high memory above RAM, for 64-bit BARs
 * @param ports I/O ports
 */
public record PciWindows(long configuration, Range low, Range high, Range ports) {
    private static final long GIB = 1L << 30;

    /** High windows begin at multiples of their size, and below the end of most machines' RAM. */
    private static final long HIGH_SIZE = 32 * GIB;

    /**
     * @param base the first address or port
     * @param size bytes or ports
     */
    public record Range(long base, long size) {
        /** Exclusive. */
        public long end() {
            return base + size;
        }
    }

    /**
     * A PC's: memory from 3 to 3.5 GiB, configuration space behind it, 32 GiB of memory at the
     * first multiple of that above RAM, ports from C000h on.
     *
     * @param ramEnd where RAM ends, exclusive
     */
    public static PciWindows above(long ramEnd) {
        long high = Math.ceilDiv(Math.max(ramEnd, 1), HIGH_SIZE) * HIGH_SIZE;
        return new PciWindows(
                0xe000_0000L,
                new Range(3 * GIB, GIB / 2),
                new Range(high, HIGH_SIZE),
                new Range(0xc000, 0x4000));
    }
}
