package org.javisor.pci;

import org.javisor.device.MmioDevice;
import org.javisor.device.PioDevice;

/**
 * What a base address register leads to: registers of the function, which the guest can place
 * anywhere (PCI Local Bus Specification 3.0, 6.2.5.1). Sizes are powers of two.
 */
public sealed interface Bar {
    /**
     * Memory-mapped registers.
     *
     * @param size bytes, 16 at least, 2 GiB at most unless {@code wide}
     * @param wide whether the address has 64 bits: then the next BAR belongs to this one
     * @param prefetchable whether reads have no side effects and writes may be merged
     */
    record Memory(long size, boolean wide, boolean prefetchable, MmioDevice device) implements Bar {
        public Memory {
            if (size < 16 || Long.bitCount(size) != 1 || !wide && size > 1L << 31) {
                throw new IllegalArgumentException("No such memory BAR: %d bytes".formatted(size));
            }
        }

        @Override
        public int typeBits() {
            return (wide ? 4 : 0) | (prefetchable ? 8 : 0);
        }

        @Override
        public long addressBits() {
            return -size;
        }
    }

    /**
     * Ports.
     *
     * @param size 4 to 256
     */
    record Io(long size, PioDevice device) implements Bar {
        public Io {
            if (size < 4 || size > 256 || Long.bitCount(size) != 1) {
                throw new IllegalArgumentException("No such I/O BAR: %d ports".formatted(size));
            }
        }

        @Override
        public int typeBits() {
            return 1;
        }

        @Override
        public boolean wide() {
            return false;
        }

        @Override
        public long addressBits() {
            return -size;
        }
    }

    /** Bytes or ports. */
    long size();

    boolean wide();

    /** The read-only bits that say of which kind it is. */
    int typeBits();

    /** The bits of the register that the guest can set, sign-extended from its topmost. */
    long addressBits();

    /** Memory below 4 GiB, not prefetchable: what most registers are. */
    static Bar memory32(long size, MmioDevice device) {
        return new Memory(size, false, false, device);
    }

    /** Memory anywhere; takes two BARs. */
    static Bar memory64(long size, boolean prefetchable, MmioDevice device) {
        return new Memory(size, true, prefetchable, device);
    }

    static Bar io(int size, PioDevice device) {
        return new Io(size, device);
    }
}
