package org.javisor.firmware;

/**
 * Guest-physical addresses of everything that is put into the first megabyte, in one place so that
 * nothing overlaps.
 */
final class LowMemory {
    /** BIOS data area: the serial ports' I/O ports, the EBDA's segment, KiB of base memory. */
    static final long BDA_COM1 = 0x400;

    static final long BDA_COM2 = 0x402;

    static final long BDA_EBDA_SEGMENT = 0x40e;
    static final long BDA_BASE_MEMORY_KIB = 0x413;

    static final long GDT = 0x5000;

    static final long PVH_START_INFO = 0x6000;
    static final long PVH_MODULES = 0x6040;
    static final long PVH_MEMORY_MAP = 0x6100;

    /** Linux's zero page. */
    static final long BOOT_PARAMS = 0x7000;

    /** Grows down; above the zero page and below the page tables. */
    static final long STACK_TOP = 0x8ff0;

    /** PML4, PDPT, then one page directory a gigabyte. */
    static final long PAGE_TABLES = 0x9000;

    static final long SETUP_DATA = 0x10000;

    static final long COMMAND_LINE = 0x20000;
    static final int COMMAND_LINE_ROOM = 0x10000;

    /** Usable memory ends, the extended BIOS data area begins. */
    static final long EBDA = 0x9fc00;

    static final long EBDA_END = 0xa0000;

    static final long ACPI_TABLES = 0xe0000;

    /** Written by the operating system, hence apart from the tables: ACPI NVS. */
    static final long FACS = 0xef000;

    /** Scanned by operating systems for signatures: RSDP and SMBIOS entry point. */
    static final long BIOS_ROM = 0xf0000;

    static final long RSDP = 0xf0000;
    static final long SMBIOS_ENTRY = 0xf0100;
    static final long SMBIOS_TABLE = 0xf0200;

    static final long ONE_MIB = 0x100000;

    private LowMemory() {}
}
