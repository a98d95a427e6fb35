package org.javisor.firmware;

import java.util.Map;
import org.javisor.memory.GuestMemory;

/**
 * What operating systems look for in the first megabyte: BIOS data area, ACPI and SMBIOS tables.
 */
final class BiosArea {
    private static final int COM1_PORT = 0x3f8;
    private static final int COM2_PORT = 0x2f8;

    private BiosArea() {}

    /** Writes it all and returns the address of the RSDP. */
    static long write(GuestMemory memory, AcpiConfig config) {
        clear(memory, 0, LowMemory.GDT);
        clear(memory, LowMemory.EBDA, LowMemory.EBDA_END);
        clear(memory, LowMemory.ACPI_TABLES, LowMemory.ONE_MIB);
        memory.write16(LowMemory.BDA_COM1, COM1_PORT);
        memory.write16(LowMemory.BDA_COM2, COM2_PORT);
        memory.write16(LowMemory.BDA_EBDA_SEGMENT, (int) (LowMemory.EBDA >> 4));
        memory.write16(LowMemory.BDA_BASE_MEMORY_KIB, (int) (LowMemory.EBDA >> 10));
        memory.write8(LowMemory.EBDA, (int) (LowMemory.EBDA_END - LowMemory.EBDA) >> 10);
        long xsdt = writeTables(memory, config);
        write(memory, LowMemory.FACS, AcpiTables.facs());
        write(memory, LowMemory.RSDP, AcpiTables.rsdp(xsdt));
        Smbios smbios = Smbios.of(config.processors(), MemoryMap.ram(memory));
        write(memory, LowMemory.SMBIOS_TABLE, smbios.table());
        write(memory, LowMemory.SMBIOS_ENTRY, smbios.entryPoint(LowMemory.SMBIOS_TABLE));
        return LowMemory.RSDP;
    }

    private static long writeTables(GuestMemory memory, AcpiConfig config) {
        AcpiTables tables = new AcpiTables(config, LowMemory.ACPI_TABLES, LowMemory.FACS);
        long last = 0;
        for (Map.Entry<Long, byte[]> table : tables.build().entrySet()) {
            last = table.getKey();
            if (last + table.getValue().length > LowMemory.FACS) {
                throw new FirmwareException(
                        FirmwareException.Code.CONFIGURATION,
                        "The ACPI tables do not fit: too many processors or devices");
            }
            write(memory, last, table.getValue());
        }
        return last;
    }

    private static void clear(GuestMemory memory, long from, long end) {
        write(memory, from, new byte[(int) (end - from)]);
    }

    private static void write(GuestMemory memory, long address, byte[] bytes) {
        memory.write(address, bytes, 0, bytes.length);
    }
}
