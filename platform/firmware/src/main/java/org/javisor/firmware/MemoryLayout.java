package org.javisor.firmware;

import java.util.ArrayList;
import java.util.List;
import org.javisor.memory.GuestMemory;

/**
 * Where a PC has its RAM: from 0 up to 3 GiB, the rest from 4 GiB on; the gigabyte between belongs
 * to PCI, the interrupt controllers and the ROM.
 *
 * @param ranges ascending, none empty
 */
public record MemoryLayout(List<GuestMemory.Range> ranges) {
    /** Low RAM ends here at the latest. */
    public static final long LOW_RAM_LIMIT = 0xc000_0000L;

    /** RAM that does not fit below {@link #LOW_RAM_LIMIT} goes on here. */
    public static final long HIGH_RAM_BASE = 0x1_0000_0000L;

    /** The least that a machine can have: the first megabyte is the firmware's. */
    public static final long MINIMUM = 2L << 20;

    /**
     * The most that a machine can have, well below the 46 physical address bits of the processor
     * models.
     */
    public static final long MAXIMUM = 4L << 40;

    public MemoryLayout {
        ranges = List.copyOf(ranges);
    }

    /**
     * The layout of a machine with so much RAM.
     *
     * @param bytes a multiple of 4096
     * @throws FirmwareException if it is too little, too much or not a multiple of a page
     */
    public static MemoryLayout of(long bytes) {
        if (bytes < MINIMUM || bytes > MAXIMUM) {
            throw new FirmwareException(
                    FirmwareException.Code.MEMORY_SIZE,
                    "Memory must be between 2 MiB and 4 TiB, not " + bytes + " bytes");
        }
        if (bytes % GuestMemory.PAGE_SIZE != 0) {
            throw new FirmwareException(
                    FirmwareException.Code.MEMORY_SIZE,
                    "Memory must be a multiple of 4 KiB, not " + bytes + " bytes");
        }
        List<GuestMemory.Range> ranges = new ArrayList<>();
        long low = Math.min(bytes, LOW_RAM_LIMIT);
        ranges.add(new GuestMemory.Range(0, low));
        if (bytes > low) {
            ranges.add(new GuestMemory.Range(HIGH_RAM_BASE, bytes - low));
        }
        return new MemoryLayout(ranges);
    }
}
