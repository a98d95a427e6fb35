package org.javisor.firmware;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** Small kernel files with just the structure that loaders look at. */
final class SyntheticKernel {
    /** Setup sectors of {@link #bzImage}, the boot sector not counted. */
    static final int SETUP_SECTORS = 4;

    static final int KERNEL_OFFSET = (SETUP_SECTORS + 1) * 512;
    static final String VERSION = "6.1.0-test (builder) #1 SMP";

    private SyntheticKernel() {}

    /** A relocatable 64-bit bzImage, protocol 2.15, at 2 MiB, that needs 1 MiB. */
    static byte[] bzImage(byte[] kernel) {
        ByteBuffer image = little(KERNEL_OFFSET + kernel.length);
        image.put(0x1f1, (byte) SETUP_SECTORS);
        image.putInt(0x1f4, (kernel.length + 15) / 16);
        image.putShort(0x1fe, (short) 0xaa55);
        image.put(0x200, (byte) 0xeb).put(0x201, (byte) 0x6a);
        image.put(0x202, ascii("HdrS"));
        image.putShort(0x206, (short) 0x20f);
        image.putShort(0x20e, (short) 0x200);
        image.put(0x211, (byte) 1);
        image.putInt(0x214, 0x100000);
        image.putInt(0x22c, 0x7fffffff);
        image.putInt(0x230, 0x200000);
        image.put(0x234, (byte) 1);
        image.putShort(0x236, (short) 1);
        image.putInt(0x238, 2047);
        image.putLong(0x258, 0x200000);
        image.putInt(0x260, 0x100000);
        image.put(0x400, ascii(VERSION + "\0"));
        image.put(KERNEL_OFFSET, kernel);
        return image.array();
    }

    /** A bzImage whose payload is what is given. */
    static byte[] bzImageWithPayload(byte[] payload) {
        byte[] kernel = new byte[payload.length + 64];
        System.arraycopy(payload, 0, kernel, 32, payload.length);
        byte[] image = bzImage(kernel);
        edit(image).putInt(0x248, 32).putInt(0x24c, payload.length);
        return image;
    }

    /** The bytes 1, 2, 3 … */
    static byte[] counting(int size) {
        byte[] bytes = new byte[size];
        for (int i = 0; i < size; i++) {
            bytes[i] = (byte) (i + 1);
        }
        return bytes;
    }

    static ByteBuffer edit(byte[] image) {
        return ByteBuffer.wrap(image).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** One PT_LOAD of an ELF file. */
    record Load(long virtual, long physical, byte[] content, long memorySize) {}

    /** A 64-bit executable; with a PVH note if {@code pvh} is not 0. */
    static byte[] elf64(long entry, int pvh, Load... loads) {
        List<Load> all = new ArrayList<>(List.of(loads));
        int headers = all.size() + (pvh == 0 ? 0 : 1);
        int at = 64 + 56 * headers;
        int size = at + 20 + all.stream().mapToInt(load -> load.content().length).sum();
        ByteBuffer elf = little(size);
        elf.put(0, new byte[] {0x7f, 'E', 'L', 'F', 2, 1, 1});
        elf.putShort(16, (short) 2).putShort(18, (short) 62).putInt(20, 1);
        elf.putLong(24, entry).putLong(32, 64);
        elf.putShort(52, (short) 64).putShort(54, (short) 56).putShort(56, (short) headers);
        int header = 64;
        if (pvh != 0) {
            elf.putInt(at, 4).putInt(at + 4, 4).putInt(at + 8, 18).put(at + 12, ascii("Xen\0"));
            elf.putInt(at + 16, pvh);
            elf.putInt(header, 4).putLong(header + 8, at).putLong(header + 32, 20);
            header += 56;
            at += 20;
        }
        for (Load load : all) {
            elf.put(at, load.content());
            elf.putInt(header, 1).putLong(header + 8, at);
            elf.putLong(header + 16, load.virtual()).putLong(header + 24, load.physical());
            elf.putLong(header + 32, load.content().length);
            elf.putLong(header + 40, load.memorySize());
            header += 56;
            at += load.content().length;
        }
        return elf.array();
    }

    /** A 32-bit executable with one segment at 1 MiB and a PVH note in it. */
    static byte[] elf32(int machine, int pvh) {
        ByteBuffer elf = little(52 + 64 + 20);
        elf.put(0, new byte[] {0x7f, 'E', 'L', 'F', 1, 1, 1});
        elf.putShort(16, (short) 2).putShort(18, (short) machine).putInt(20, 1);
        elf.putInt(24, 0x100000).putInt(28, 52);
        elf.putShort(40, (short) 52).putShort(42, (short) 32).putShort(44, (short) 2);
        elf.putInt(52, 1).putInt(56, 0).putInt(60, 0x100000).putInt(64, 0x100000);
        elf.putInt(68, 136).putInt(72, 0x1000);
        elf.putInt(84, 4).putInt(88, 116).putInt(100, 20).putInt(104, 20);
        elf.putInt(116, 4).putInt(120, 4).putInt(124, pvh == 0 ? 1 : 18).put(128, ascii("Xen\0"));
        elf.putInt(132, pvh);
        return elf.array();
    }

    private static ByteBuffer little(int size) {
        return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }
}
