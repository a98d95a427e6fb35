package org.javisor.firmware;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The ACPI tables of a machine (ACPI 6.5, chapter 5), each complete with header and checksum,
 * linked for the addresses they are meant for.
 */
final class AcpiTables {
    private static final int HEADER_SIZE = 36;
    private static final int FADT_SIZE = 276;
    private static final int LOCAL_APIC = 0xfee0_0000;

    /**
     * ID 255 is the broadcast in a local APIC's 8 bits; from there on only x2APIC entries can name
     * a processor.
     */
    private static final int FIRST_X2APIC_ONLY = 255;

    /**
     * FADT flags: WBINVD works, C1 works everywhere, no sleep button, no RTC wake-up, a power
     * management timer of 32 bits, a reset register.
     */
    private static final int FADT_FLAGS = 1 | 1 << 2 | 1 << 5 | 1 << 6 | 1 << 8 | 1 << 10;

    /** IA-PC boot architecture flags: ISA devices, an i8042, no VGA to be probed. */
    private static final int HAS_LEGACY_DEVICES = 1;

    private static final int HAS_8042 = 1 << 1;
    private static final int NO_VGA = 1 << 2;

    private static final int SYSTEM_IO = 1;
    private static final int BYTE_ACCESS = 1;
    private static final int WORD_ACCESS = 2;
    private static final int DWORD_ACCESS = 3;

    /** MPS INTI flags: polarity active high; trigger edge or level. */
    private static final int ACTIVE_HIGH_EDGE = 1 | 1 << 2;

    private static final int ACTIVE_HIGH_LEVEL = 1 | 3 << 2;

    private final AcpiConfig config;
    private final long facs;

    /** By address, in ascending order. */
    private final Map<Long, byte[]> placed = new LinkedHashMap<>();

    private long next;

    /**
     * Builds the tables.
     *
     * @param base where the first goes, the others following
     * @param facs where the FACS goes, which is written by the operating system
     */
    AcpiTables(AcpiConfig config, long base, long facs) {
        this.config = config;
        this.facs = facs;
        this.next = base;
    }

    /** Every table but RSDP and FACS by its address; the XSDT is the last. */
    Map<Long, byte[]> build() {
        List<Long> addresses = new ArrayList<>();
        long dsdt = place(table("DSDT", 2, Dsdt.aml(config)));
        addresses.add(place(fadt(dsdt)));
        addresses.add(place(madt()));
        config.pciConfigurationSpace().ifPresent(space -> addresses.add(place(mcfg(space))));
        ByteBuffer entries = buffer(8 * addresses.size());
        addresses.forEach(entries::putLong);
        place(table("XSDT", 1, entries.array()));
        return placed;
    }

    private long place(byte[] table) {
        long address = next;
        placed.put(address, table);
        next = (address + table.length + 15) & -16L;
        return address;
    }

    static byte[] rsdp(long xsdt) {
        ByteBuffer rsdp = buffer(36);
        rsdp.put("RSD PTR ".getBytes(StandardCharsets.US_ASCII));
        rsdp.put(9, "JAVISR".getBytes(StandardCharsets.US_ASCII));
        rsdp.put(15, (byte) 2);
        rsdp.putInt(20, 36);
        rsdp.putLong(24, xsdt);
        rsdp.put(8, checksum(rsdp.array(), 0, 20));
        rsdp.put(32, checksum(rsdp.array(), 0, 36));
        return rsdp.array();
    }

    static byte[] facs() {
        ByteBuffer facs = buffer(64);
        facs.put("FACS".getBytes(StandardCharsets.US_ASCII));
        facs.putInt(64);
        facs.put(32, (byte) 2);
        return facs.array();
    }

    private byte[] fadt(long dsdt) {
        ByteBuffer body = buffer(FADT_SIZE);
        body.putInt(36, (int) facs);
        body.putInt(40, (int) dsdt);
        body.putShort(46, (short) AcpiPorts.SCI_IRQ);
        body.putInt(56, AcpiPorts.PM1A_EVENT);
        body.putInt(64, AcpiPorts.PM1A_CONTROL);
        body.putInt(76, AcpiPorts.PM_TIMER);
        body.putInt(80, AcpiPorts.GPE0);
        body.put(88, (byte) 4);
        body.put(89, (byte) 2);
        body.put(91, (byte) 4);
        body.put(92, (byte) AcpiPorts.GPE0_LENGTH);
        // Latencies above 100 and 1000 µs say that C2 and C3 are not there.
        body.putShort(96, (short) 0xfff);
        body.putShort(98, (short) 0xfff);
        body.put(108, (byte) 0x32);
        body.putShort(
                109,
                (short)
                        (HAS_LEGACY_DEVICES
                                | NO_VGA
                                | (config.keyboardController() ? HAS_8042 : 0)));
        body.putInt(112, FADT_FLAGS);
        address(body, 116, AcpiPorts.RESET, 8, BYTE_ACCESS);
        body.put(128, (byte) AcpiPorts.RESET_VALUE);
        body.put(131, (byte) 5);
        body.putLong(140, dsdt);
        address(body, 148, AcpiPorts.PM1A_EVENT, 32, WORD_ACCESS);
        address(body, 172, AcpiPorts.PM1A_CONTROL, 16, WORD_ACCESS);
        address(body, 208, AcpiPorts.PM_TIMER, 32, DWORD_ACCESS);
        address(body, 220, AcpiPorts.GPE0, 8 * AcpiPorts.GPE0_LENGTH, BYTE_ACCESS);
        body.put(268, "Javisor\0".getBytes(StandardCharsets.US_ASCII));
        byte[] content = new byte[FADT_SIZE - HEADER_SIZE];
        body.get(HEADER_SIZE, content);
        return table("FACP", 6, content);
    }

    /** A Generic Address Structure in I/O space (5.2.3.2). */
    private static void address(ByteBuffer table, int at, int port, int bits, int access) {
        table.put(at, (byte) SYSTEM_IO);
        table.put(at + 1, (byte) bits);
        table.put(at + 3, (byte) access);
        table.putLong(at + 4, port);
    }

    private byte[] madt() {
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        body.writeBytes(buffer(8).putInt(LOCAL_APIC).putInt(1).array());
        for (int id = 0; id < config.processors(); id++) {
            ByteBuffer entry =
                    id < FIRST_X2APIC_ONLY
                            ? entry(0, 8).put((byte) id).put((byte) id).putInt(1)
                            : entry(9, 16).putShort((short) 0).putInt(id).putInt(1).putInt(id);
            body.writeBytes(entry.array());
        }
        AcpiConfig.IoApic ioApic = config.ioApic();
        body.writeBytes(
                entry(1, 12)
                        .put((byte) ioApic.id())
                        .put((byte) 0)
                        .putInt(ioApic.address())
                        .putInt(ioApic.firstInterrupt())
                        .array());
        override(body, 0, 2, ACTIVE_HIGH_EDGE);
        override(body, AcpiPorts.SCI_IRQ, AcpiPorts.SCI_IRQ, ACTIVE_HIGH_LEVEL);
        // NMI at LINT1 of every processor.
        body.writeBytes(entry(4, 6).put((byte) 0xff).putShort((short) 0).put((byte) 1).array());
        if (config.processors() > FIRST_X2APIC_ONLY) {
            body.writeBytes(entry(10, 12).putShort((short) 0).putInt(-1).put((byte) 1).array());
        }
        return table("APIC", 5, body.toByteArray());
    }

    private static void override(ByteArrayOutputStream body, int irq, int gsi, int flags) {
        body.writeBytes(
                entry(2, 10)
                        .put((byte) 0)
                        .put((byte) irq)
                        .putInt(gsi)
                        .putShort((short) flags)
                        .array());
    }

    private static ByteBuffer entry(int type, int size) {
        return buffer(size).put((byte) type).put((byte) size);
    }

    private static byte[] mcfg(AcpiConfig.PciConfigurationSpace space) {
        ByteBuffer body = buffer(24);
        body.putLong(8, space.base());
        body.put(18, (byte) space.firstBus());
        body.put(19, (byte) space.lastBus());
        return table("MCFG", 1, body.array());
    }

    /** A table with the header that all have in common (5.2.6). */
    static byte[] table(String signature, int revision, byte[] body) {
        ByteBuffer table = buffer(HEADER_SIZE + body.length);
        table.put(signature.getBytes(StandardCharsets.US_ASCII));
        table.putInt(HEADER_SIZE + body.length);
        table.put((byte) revision);
        table.put((byte) 0);
        table.put("JAVISRJAVISOR ".getBytes(StandardCharsets.US_ASCII));
        table.putInt(1);
        table.put("JVSR".getBytes(StandardCharsets.US_ASCII));
        table.putInt(1);
        table.put(body);
        table.put(9, checksum(table.array(), 0, table.capacity()));
        return table.array();
    }

    /** What makes the bytes add up to 0 modulo 256, if the checksum's own byte is still 0. */
    static byte checksum(byte[] bytes, int start, int length) {
        int sum = 0;
        for (int i = start; i < start + length; i++) {
            sum += bytes[i];
        }
        return (byte) -sum;
    }

    private static ByteBuffer buffer(int size) {
        return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    }
}
