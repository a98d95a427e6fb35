package org.javisor.testkit;

import java.util.Arrays;
import java.util.Random;
import org.javisor.x86.CodeSize;
import org.javisor.x86.Decoder;
import org.javisor.x86.Instruction;

/** Machine code under construction. */
final class CodeBuffer {
    private final Decoder decoder = new Decoder();
    private byte[] bytes = new byte[256];
    private int length;

    int length() {
        return length;
    }

    byte[] toArray() {
        return Arrays.copyOf(bytes, length);
    }

    /** Forgets what lies from an offset on. */
    void cut(int newLength) {
        Arrays.fill(bytes, newLength, length, (byte) 0);
        length = newLength;
    }

    void put(int... values) {
        for (int value : values) {
            put(value);
        }
    }

    void put(int value) {
        if (length + Decoder.MAX_LENGTH >= bytes.length) {
            bytes = Arrays.copyOf(bytes, 2 * bytes.length);
        }
        bytes[length++] = (byte) value;
    }

    void put16(int value) {
        put(value);
        put(value >> 8);
    }

    void put32(int value) {
        put16(value);
        put16(value >> 16);
    }

    void put64(long value) {
        put32((int) value);
        put32((int) (value >>> 32));
    }

    /** A ModRM byte, and for memory SIB byte and displacement at random. */
    void modrm(Random random, boolean memory, int reg, int rm) {
        if (!memory) {
            put(0xc0 | reg << 3 | rm);
            return;
        }
        int mod = random.nextInt(3);
        put(mod << 6 | reg << 3 | rm);
        int base = rm;
        if (rm == 4) {
            int sib = random.nextInt(256);
            put(sib);
            base = sib & 7;
        }
        if (mod == 1) {
            put(random.nextInt(256));
        } else if (mod == 2 || base == 5) {
            // Without a base the state cannot move the address: the displacement is patched.
            put32(random.nextInt(0x10000) - 0x8000);
        }
    }

    /** Overwrites so many bytes at an offset. */
    void patch(int at, int size, long value) {
        for (int n = 0; n < size; n++) {
            bytes[at + n] = (byte) (value >> 8 * n);
        }
    }

    /** The instruction at an offset; what lies beyond the end counts as zero. */
    Instruction decode(int at, CodeSize size) {
        return decoder.decode(bytes, at, Decoder.MAX_LENGTH, size);
    }
}
