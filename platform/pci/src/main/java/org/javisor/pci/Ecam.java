package org.javisor.pci;

import org.javisor.device.MmioDevice;

/**
 * The memory-mapped configuration space of bus 0 (PCI Express Base Specification 5.0, 7.2.2): 4 KiB
 * for each function, 1 MiB in all.
 */
public final class Ecam implements MmioDevice {
    /** Bytes of guest-physical address space. */
    public static final long SIZE = 1 << 20;

    private final PciBus bus;

    public Ecam(PciBus bus) {
        this.bus = bus;
    }

    private static int index(long offset) {
        return (int) (offset >> 12) & 0xff;
    }

    @Override
    public long readMmio(long offset, int size) {
        if (size == 8) {
            return readMmio(offset, 4) | readMmio(offset + 4, 4) << 32;
        }
        int value = bus.read(index(offset), (int) offset & 0xfff, size);
        return value & -1L >>> 64 - 8 * size;
    }

    @Override
    public void writeMmio(long offset, int size, long value) {
        if (size == 8) {
            writeMmio(offset, 4, value & 0xffff_ffffL);
            writeMmio(offset + 4, 4, value >>> 32);
            return;
        }
        bus.write(index(offset), (int) offset & 0xfff, size, (int) value);
    }
}
