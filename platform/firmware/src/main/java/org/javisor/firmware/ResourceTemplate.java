package org.javisor.firmware;

import java.io.ByteArrayOutputStream;
import java.util.Arrays;

/** A device's resources as {@code _CRS} gives them (ACPI 6.5, section 6.4). */
public final class ResourceTemplate {
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
