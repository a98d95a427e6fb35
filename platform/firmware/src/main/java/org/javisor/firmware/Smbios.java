package org.javisor.firmware;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * What the machine is called (SMBIOS 2.8, DMTF DSP0134): firmware, system, chassis, processors,
 * memory. Operating systems show it in their logs, and choose by it what they know about a machine.
 */
final class Smbios {
    private static final int BIOS = 0;
    private static final int SYSTEM = 1;
    private static final int CHASSIS = 3;
    private static final int PROCESSOR = 4;
    private static final int MEMORY_ARRAY = 16;
    private static final int MEMORY_DEVICE = 17;
    private static final int MEMORY_MAPPED_ADDRESS = 19;
    private static final int BOOT_STATUS = 32;
    private static final int END = 127;

    private static final int OTHER = 1;
    private static final int SAFE = 3;
    private static final int NO_ERROR_INFORMATION = 0xfffe;

    private final ByteArrayOutputStream table = new ByteArrayOutputStream();
    private int structures;
    private int largest;

    private Smbios() {}

    /**
     * The structures.
     *
     * @param ranges the machine's RAM
     */
    static Smbios of(int processors, List<MemoryMap.Entry> ranges) {
        Smbios smbios = new Smbios();
        smbios.firmwareAndSystem();
        smbios.processors(processors);
        smbios.memory(ranges);
        smbios.add(structure(BOOT_STATUS, 0x0b));
        smbios.add(structure(END, 4));
        return smbios;
    }

    byte[] table() {
        return table.toByteArray();
    }

    /** The 32-bit entry point structure, which names the table by its address. */
    byte[] entryPoint(long tableAddress) {
        ByteBuffer entry = buffer(0x1f);
        entry.put(0, "_SM_".getBytes(StandardCharsets.US_ASCII));
        entry.put(5, (byte) 0x1f);
        entry.put(6, (byte) 2);
        entry.put(7, (byte) 8);
        entry.putShort(8, (short) largest);
        entry.put(0x10, "_DMI_".getBytes(StandardCharsets.US_ASCII));
        entry.putShort(0x16, (short) table.size());
        entry.putInt(0x18, (int) tableAddress);
        entry.putShort(0x1c, (short) structures);
        entry.put(0x1e, (byte) 0x28);
        entry.put(0x15, AcpiTables.checksum(entry.array(), 0x10, 0x0f));
        entry.put(4, AcpiTables.checksum(entry.array(), 0, 0x1f));
        return entry.array();
    }

    private void firmwareAndSystem() {
        ByteBuffer bios = structure(BIOS, 0x18);
        bios.put(4, (byte) 1).put(5, (byte) 2).put(8, (byte) 3);
        bios.putShort(6, (short) 0xf000);
        bios.putLong(0x0a, 1 << 3); // "BIOS characteristics are not supported"
        bios.put(0x12, (byte) 1); // ACPI
        bios.put(0x13, (byte) (1 << 4)); // a virtual machine
        bios.put(0x14, (byte) 0).put(0x15, (byte) 1);
        bios.put(0x16, (byte) 0xff).put(0x17, (byte) 0xff);
        add(bios, "Javisor", "0.1", "01/01/2026");

        ByteBuffer system = structure(SYSTEM, 0x1b);
        system.put(4, (byte) 1).put(5, (byte) 2).put(6, (byte) 3);
        system.put(0x18, (byte) 6); // woken by the power switch
        add(system, "Javisor", "Virtual Machine", "0.1");

        ByteBuffer chassis = structure(CHASSIS, 0x15);
        chassis.put(4, (byte) 1).put(5, (byte) OTHER);
        chassis.put(9, (byte) SAFE)
                .put(0x0a, (byte) SAFE)
                .put(0x0b, (byte) SAFE)
                .put(0x0c, (byte) SAFE);
        add(chassis, "Javisor");
    }

    /** One socket with all of them as cores. */
    private void processors(int count) {
        ByteBuffer processor = structure(PROCESSOR, 0x30);
        processor.put(4, (byte) 1).put(5, (byte) 3).put(6, (byte) OTHER).put(7, (byte) 2);
        processor.put(0x18, (byte) 0x41); // populated, enabled
        processor.put(0x19, (byte) OTHER);
        processor.putShort(0x1a, (short) -1).putShort(0x1c, (short) -1).putShort(0x1e, (short) -1);
        byte counted = (byte) Math.min(count, 0xff);
        processor.put(0x23, counted).put(0x24, counted).put(0x25, counted);
        processor.putShort(0x26, (short) (1 << 2)); // 64-bit capable
        processor.putShort(0x28, (short) OTHER);
        short wide = (short) count;
        processor.putShort(0x2a, wide).putShort(0x2c, wide).putShort(0x2e, wide);
        add(processor, "CPU 0", "Javisor");
    }

    private void memory(List<MemoryMap.Entry> ranges) {
        long bytes = ranges.stream().mapToLong(MemoryMap.Entry::size).sum();
        ByteBuffer array = structure(MEMORY_ARRAY, 0x17);
        array.put(4, (byte) OTHER).put(5, (byte) 3).put(6, (byte) SAFE);
        array.putInt(7, 0x8000_0000); // the capacity is in the 64-bit field
        array.putShort(0x0b, (short) NO_ERROR_INFORMATION).putShort(0x0d, (short) 1);
        array.putLong(0x0f, bytes);
        int arrayHandle = add(array);

        ByteBuffer device = structure(MEMORY_DEVICE, 0x28);
        device.putShort(4, (short) arrayHandle).putShort(6, (short) NO_ERROR_INFORMATION);
        device.putShort(8, (short) -1).putShort(0x0a, (short) -1);
        device.putShort(0x0c, (short) 0x7fff); // the size is in the 32-bit field, in MiB
        device.put(0x0e, (byte) 9).put(0x10, (byte) 1); // a DIMM
        device.put(0x12, (byte) 7).putShort(0x13, (short) (1 << 1)); // RAM
        device.put(0x17, (byte) 2);
        device.putInt(0x1c, (int) (bytes >> 20));
        add(device, "DIMM 0", "Javisor");

        for (MemoryMap.Entry range : ranges) {
            ByteBuffer mapped = structure(MEMORY_MAPPED_ADDRESS, 0x1f);
            mapped.putInt(4, -1).putInt(8, -1); // the addresses are in the 64-bit fields
            mapped.putShort(0x0c, (short) arrayHandle).put(0x0e, (byte) 1);
            mapped.putLong(0x0f, range.base()).putLong(0x17, range.base() + range.size() - 1);
            add(mapped);
        }
    }

    private static ByteBuffer structure(int type, int length) {
        return buffer(length).put(0, (byte) type).put(1, (byte) length);
    }

    /** Appends a structure with the strings that its fields number from 1; returns its handle. */
    private int add(ByteBuffer structure, String... strings) {
        int handle = structures++;
        int before = table.size();
        table.writeBytes(structure.putShort(2, (short) handle).array());
        for (String string : strings) {
            table.writeBytes(string.getBytes(StandardCharsets.US_ASCII));
            table.write(0);
        }
        if (strings.length == 0) {
            table.write(0);
        }
        table.write(0);
        largest = Math.max(largest, table.size() - before);
        return handle;
    }

    private static ByteBuffer buffer(int size) {
        return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    }
}
