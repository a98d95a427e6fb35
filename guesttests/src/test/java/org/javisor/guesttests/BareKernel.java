package org.javisor.guesttests;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.random.RandomGenerator;
import org.javisor.testkit.FakeKernel;

/**
 * A guest of our own, a few instructions long: entered at {@value #BASE} in 32-bit protected mode,
 * flat segments, no paging, interrupts off (Linux, Documentation/arch/x86/boot.rst, "32-bit Boot
 * Protocol").
 */
final class BareKernel {
    static final int BASE = 0x100000;
    static final int SIZE = 0x60000;

    private static final int SETUP = 1024;
    private static final int IDT = 0x8000;
    private static final int IDT_REGISTER = 0x8800;
    private static final int CODE_SELECTOR = 0x10;

    private final ByteBuffer image =
            ByteBuffer.allocate(SETUP + SIZE).order(ByteOrder.LITTLE_ENDIAN);

    BareKernel() {
        image.put(0, FakeKernel.bytes(), 0, SETUP);
    }

    /**
     * Puts instructions at an offset from {@link #BASE}.
     *
     * @param listing a line for each: bytes in hexadecimal, then '#' and what they mean
     */
    BareKernel code(int offset, String listing) {
        StringBuilder digits = new StringBuilder();
        listing.lines().forEach(line -> digits.append(line.split("#")[0].replace(" ", "")));
        return bytes(offset, HexFormat.of().parseHex(digits));
    }

    BareKernel bytes(int offset, byte[] bytes) {
        image.put(SETUP + offset, bytes);
        return this;
    }

    BareKernel random(int offset, int length, RandomGenerator random) {
        byte[] bytes = new byte[length];
        random.nextBytes(bytes);
        return bytes(offset, bytes);
    }

    /**
     * Makes all 256 gates of an interrupt descriptor table lead to an offset from {@link #BASE}.
     */
    BareKernel gates(int handler) {
        for (int vector = 0; vector < 256; vector++) {
            gate(vector, handler);
        }
        image.putShort(SETUP + IDT_REGISTER, (short) 0x7ff);
        image.putInt(SETUP + IDT_REGISTER + 2, BASE + IDT);
        return this;
    }

    /** An interrupt gate (Intel SDM vol. 3A, 7.11). After {@link #gates}. */
    BareKernel gate(int vector, int handler) {
        int at = SETUP + IDT + 8 * vector;
        int address = BASE + handler;
        image.putInt(at, CODE_SELECTOR << 16 | address & 0xffff);
        image.putInt(at + 4, address & 0xffff0000 | 0x8e00);
        return this;
    }

    /** The instruction that loads the table of {@link #gates}. */
    static final String LOAD_GATES = "0f 01 1d 00 88 10 00  # lidt [0x108800]\n";

    Path in(Path directory) {
        try {
            return Files.write(
                    Files.createTempFile(directory, "bare", ".bin"),
                    Arrays.copyOf(image.array(), image.capacity()));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
