package org.javisor.interpreter;

import java.util.Random;

/**
 * Random contents for vector registers, in which the values at which behaviour changes are
 * frequent.
 */
final class SimdOperands {
    private static final long[] DOUBLES = {
        0,
        Long.MIN_VALUE,
        1,
        0x8000000000000001L,
        0xfffffffffffffL,
        0x10000000000000L,
        0x7fefffffffffffffL,
        0x7ff0000000000000L,
        0xfff0000000000000L,
        0x7ff8000000000000L,
        0xfff8000000000000L,
        0x7ff0000000000001L,
        0xfff4000000000123L,
        0x7ffdeadbeef12345L,
        0x3ff0000000000000L,
        0xbff0000000000000L,
        0x3fe0000000000000L,
        0x4000000000000000L,
        0x4008000000000000L,
        0x3ff8000000000000L,
        0x4004000000000000L,
        // around the limits of int, long and float
        0x41dfffffffc00000L,
        0x41e0000000000000L,
        0xc1e0000000000000L,
        0x41dfffffffe00000L,
        0xc1e0000000200000L,
        0xc1e0000000100000L,
        0x43e0000000000000L,
        0xc3e0000000000000L,
        0x36a0000000000000L,
        0x3690000000000000L,
        0x380fffffffffffffL,
        0x3810000000000000L,
        0x47efffffe0000000L,
        0x47effffff0000000L,
        0x0010000000000001L,
        0x8010000000000000L
    };

    private static final int[] FLOATS = {
        0,
        0x80000000,
        1,
        0x80000001,
        0x7fffff,
        0x800000,
        0x7f7fffff,
        0x7f800000,
        0xff800000,
        0x7fc00000,
        0xffc00000,
        0x7f800001,
        0xffa00123,
        0x7fdead01,
        0x3f800000,
        0xbf800000,
        0x3f000000,
        0x40000000,
        0x40400000,
        0x3fc00000,
        0x40200000,
        0x4effffff,
        0x4f000000,
        0xcf000000,
        0x5f000000,
        0xdf000000,
        0x4b000000,
        0x4affffff,
        0x00800001,
        0x80800000,
        0x807fffff
    };

    private static final int[] BYTES = {0, 1, 2, 0x40, 0x7f, 0x80, 0x81, 0xff};
    private static final int[] WORDS = {0, 1, 0xff, 0x100, 0x7fff, 0x8000, 0x8001, 0xffff};

    private final Random random;

    SimdOperands(Random random) {
        this.random = random;
    }

    /** Kinds of {@link #next}. */
    static final int KINDS = 4;

    long next(int kind) {
        return switch (kind) {
            case 0 -> doubleBits();
            case 1 -> floatBits() & 0xffffffffL | (long) floatBits() << 32;
            case 2 -> integers();
            default -> random.nextLong();
        };
    }

    private long doubleBits() {
        return switch (random.nextInt(8)) {
            case 0, 1 -> DOUBLES[random.nextInt(DOUBLES.length)];
            case 2 -> random.nextLong();
            case 3 -> Double.doubleToRawLongBits(random.nextGaussian());
            case 4 ->
                    random.nextLong() >>> 12 & random.nextLong()
                            | random.nextLong() & Long.MIN_VALUE;
            case 5 -> Double.doubleToRawLongBits(random.nextInt(-1000, 1001)) + nudge();
            case 6 ->
                    random.nextLong() & 0x800fffffffffffffL | (long) exponent(1920, 970, 120) << 52;
            default -> Double.doubleToRawLongBits(quarter());
        };
    }

    private int floatBits() {
        return switch (random.nextInt(8)) {
            case 0, 1 -> FLOATS[random.nextInt(FLOATS.length)];
            case 2 -> random.nextInt();
            case 3 -> Float.floatToRawIntBits((float) random.nextGaussian());
            case 4 -> random.nextInt() >>> 9 & random.nextInt() | random.nextInt() & 0x80000000;
            case 5 -> Float.floatToRawIntBits(random.nextInt(-1000, 1001)) + nudge();
            case 6 -> random.nextInt() & 0x807fffff | exponent(210, 100, 40) << 23;
            default -> Float.floatToRawIntBits((float) quarter());
        };
    }

    private int nudge() {
        return random.nextInt(8) == 0 ? random.nextInt(-1, 2) : 0;
    }

    private int exponent(int high, int middle, int width) {
        int base = random.nextBoolean() ? 0 : random.nextBoolean() ? middle : high;
        return base + random.nextInt(width);
    }

    private double quarter() {
        return Math.scalb(random.nextInt(-2000, 2001) / 4.0, random.nextInt(-10, 60));
    }

    private long integers() {
        long value = 0;
        switch (random.nextInt(4)) {
            case 0 -> {
                for (int n = 0; n < 8; n++) {
                    value |= (long) BYTES[random.nextInt(BYTES.length)] << 8 * n;
                }
            }
            case 1 -> {
                for (int n = 0; n < 4; n++) {
                    value |= (long) WORDS[random.nextInt(WORDS.length)] << 16 * n;
                }
            }
            case 2 -> value = random.nextInt(70);
            default -> value = random.nextLong();
        }
        return value;
    }
}
