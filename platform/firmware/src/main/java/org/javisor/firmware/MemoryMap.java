package org.javisor.firmware;

import java.util.ArrayList;
import java.util.List;
import org.javisor.memory.GuestMemory;
import org.javisor.memory.RamRegion;

/**
 * What firmware tells an operating system about the physical address space (ACPI 6.5, chapter 15:
 * INT 15h, E820h).
 *
 * @param entries ascending, not overlapping
 */
record MemoryMap(List<Entry> entries) {
    static final int USABLE = 1;
    static final int RESERVED = 2;
    static final int ACPI_RECLAIMABLE = 3;
    static final int ACPI_NVS = 4;

    record Entry(long base, long size, int type) {}

    MemoryMap {
        entries = List.copyOf(entries);
    }

    static MemoryMap of(GuestMemory memory) {
        List<Entry> entries = new ArrayList<>();
        entries.add(new Entry(0, LowMemory.EBDA, USABLE));
        entries.add(new Entry(LowMemory.EBDA, LowMemory.EBDA_END - LowMemory.EBDA, RESERVED));
        entries.add(
                new Entry(
                        LowMemory.ACPI_TABLES,
                        LowMemory.FACS - LowMemory.ACPI_TABLES,
                        ACPI_RECLAIMABLE));
        entries.add(new Entry(LowMemory.FACS, LowMemory.BIOS_ROM - LowMemory.FACS, ACPI_NVS));
        entries.add(
                new Entry(LowMemory.BIOS_ROM, LowMemory.ONE_MIB - LowMemory.BIOS_ROM, RESERVED));
        for (RamRegion region : memory.regions()) {
            long base = Math.max(region.base(), LowMemory.ONE_MIB);
            if (region.end() > base) {
                entries.add(new Entry(base, region.end() - base, USABLE));
            }
        }
        return new MemoryMap(entries);
    }

    /** The RAM as the machine has it, without regard to what the firmware took of it. */
    static List<Entry> ram(GuestMemory memory) {
        return memory.regions().stream()
                .map(region -> new Entry(region.base(), region.size(), USABLE))
                .toList();
    }

    /** Where the RAM that starts at 0 ends, exclusive; loaders put nothing above. */
    static long lowRamEnd(GuestMemory memory) {
        long end = 0;
        for (RamRegion region : memory.regions()) {
            if (region.base() == end) {
                end = region.end();
            }
        }
        return Math.min(end, MemoryLayout.LOW_RAM_LIMIT);
    }
}
