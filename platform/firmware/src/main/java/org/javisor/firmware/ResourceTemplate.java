package org.javisor.firmware;

import java.io.ByteArrayOutputStream;
import java.util.Arrays;

/** A device's resources as {@code _CRS} gives them (ACPI 6.5, section 6.4). */
public final class ResourceTemplate {
    private static final int MEMORY = 0;
    private static final int PORTS = 1;
    private static final int BUS = 2;

    /** Minimum and maximum are where they are. */
    private static final int FIXED = 1 << 2 | 1 << 3;

    private static final int READ_WRITE = 1;
    private static final int ENTIRE_RANGE = 3;

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    /** {@code IO (Decode16, base, base, 1, length)}: up to 255 ports. */
    public ResourceTemplate io(int base, int length) {
        return bytes(0x47, 1).little(base, 2).little(base, 2).bytes(1, length);
    }

    /** {@code IRQNoFlags () {irq}}: an ISA interrupt, edge-triggered and active high; 0 to 15. */
    public ResourceTemplate irq(int irq) {
        return bytes(0x22).little(1 << irq, 2);
    }

    /** {@code Memory32Fixed (ReadWrite, base, length)}: guest-physical, below 4 GiB. */
    public ResourceTemplate memory32(long base, long length) {
        return bytes(0x86, 9, 0, 1).little(base, 4).little(length, 4);
    }

    /** {@code Interrupt (ResourceConsumer, …)}: a global system interrupt. */
    public ResourceTemplate interrupt(int gsi, boolean edge, boolean activeLow) {
        int flags = 1 | (edge ? 2 : 0) | (activeLow ? 4 : 0);
        return bytes(0x89, 6, 0, flags, 1).little(gsi, 4);
    }

    /** The same, level-triggered and active high, for several devices. */
    public ResourceTemplate sharedInterrupt(int gsi) {
        return bytes(0x89, 6, 0, 1 | 8, 1).little(gsi, 4);
    }

    /** {@code WordBusNumber (ResourceProducer, …)}: buses that a host bridge leads to. */
    public ResourceTemplate busNumbers(int first, int count) {
        return window(0x88, 2, BUS, 0, first, count);
    }

    /** {@code WordIO (ResourceProducer, …)}: ports that a host bridge passes on. */
    public ResourceTemplate portWindow(int base, int length) {
        return window(0x88, 2, PORTS, ENTIRE_RANGE, base, length);
    }

    /** {@code DWordMemory (ResourceProducer, …)}: memory below 4 GiB that a bridge passes on. */
    public ResourceTemplate memoryWindow32(long base, long length) {
        return window(0x87, 4, MEMORY, READ_WRITE, base, length);
    }

    /** {@code QWordMemory (ResourceProducer, …)}: memory that a host bridge passes on. */
    public ResourceTemplate memoryWindow64(long base, long length) {
        return window(0x8a, 8, MEMORY, READ_WRITE, base, length);
    }

    /** An address space descriptor (6.4.3.5) with fields of {@code width} bytes. */
    private ResourceTemplate window(
            int tag, int width, int type, int typeFlags, long base, long length) {
        return bytes(tag)
                .little(3 + 5 * width, 2)
                .bytes(type, FIXED, typeFlags)
                .little(0, width)
                .little(base, width)
                .little(base + length - 1, width)
                .little(0, width)
                .little(length, width);
    }

    /** A descriptor that is not offered here, finished. */
    public ResourceTemplate raw(byte[] descriptor) {
        out.writeBytes(descriptor);
        return this;
    }

    /** With the end tag; its checksum 0 stands for "not computed". */
    byte[] finish() {
        byte[] all = Arrays.copyOf(out.toByteArray(), out.size() + 2);
        all[all.length - 2] = 0x79;
        return all;
    }

    private ResourceTemplate bytes(int... values) {
        for (int value : values) {
            out.write(value);
        }
        return this;
    }

    private ResourceTemplate little(long value, int bytes) {
        for (int i = 0; i < bytes; i++) {
            out.write((int) (value >>> (8 * i)) & 0xff);
        }
        return this;
    }
}
