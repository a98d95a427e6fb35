package org.javisor.testkit;

import java.util.Random;

/**
 * Random operands in which the values at which behaviour changes are frequent: limits of every
 * integer size, small counts, and of the floating-point formats zeros, denormals, NaNs, infinities,
 * powers of two and halfway cases.
 */
final class InterestingValues {
    private static final long[] INTEGERS = {
        0,
        1,
        2,
        3,
        7,
        8,
        15,
        16,
        31,
        32,
        33,
        63,
        64,
        65,
        0x7f,
        0x80,
        0x81,
        0xff,
        0x100,
        0x7fff,
        0x8000,
        0x8001,
        0xffff,
        0x10000,
        0x7fffffff,
        0x80000000L,
        0x80000001L,
        0xffffffffL,
        0x100000000L,
        Long.MAX_VALUE,
        Long.MIN_VALUE,
        Long.MIN_VALUE + 1,
        -1,
        -2,
        -0x80,
        -0x81,
        -0x8000,
        -0x8001,
        -0x80000000L,
        -0x80000001L,
        0x5555555555555555L,
        0xaaaaaaaaaaaaaaaaL,
        0x00ff00ff00ff00ffL,
        0x0123456789abcdefL
    };

    private static final long[] DOUBLES = {
        0,
        Long.MIN_VALUE,
        1,
        0x000fffffffffffffL,
        0x0010000000000000L,
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
        0x4004000000000000L,
        0x41dfffffffc00000L,
        0x41e0000000000000L,
        0xc1e0000000000000L,
        0xc1e0000000200000L,
        0x43e0000000000000L,
        0xc3e0000000000000L,
        0x36a0000000000000L,
        0x380fffffffffffffL,
        0x47efffffe0000000L,
        0x47effffff0000000L
    };

    private static final int[] FLOATS = {
        0,
        0x80000000,
        1,
        0x007fffff,
        0x00800000,
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
        0x40200000,
        0x4effffff,
        0x4f000000,
        0xcf000000,
        0x5f000000,
        0xdf000000,
        0x4b000000
    };

    private static final int[] EXTENDED_EXPONENTS = {
        0, 0, 1, 2, 0x3bcc, 0x3bcd, 0x3bff, 0x3c00, 0x3c01, 0x3f68, 0x3f69, 0x3f6a, 0x3f80, 0x3f81,
        0x3fbf, 0x3ffd, 0x3ffe, 0x3fff, 0x4000, 0x4001, 0x400e, 0x401d, 0x401e, 0x403d, 0x403e,
        0x403f, 0x407e, 0x407f, 0x43fe, 0x43ff, 0x7ffd, 0x7ffe, 0x7fff, 0x7fff
    };

    private static final long[] SIGNIFICANDS = {
        0,
        1,
        Long.MIN_VALUE,
        Long.MIN_VALUE | 1,
        -1,
        0xc000000000000000L,
        0xa000000000000000L,
        Long.MAX_VALUE,
        0x4000000000000000L,
        0xfffffffffffff800L,
        0xfffffffffffffc00L,
        0x8000000000000400L,
        0xffffff0000000000L,
        0xffffff8000000000L,
        0x8000008000000000L
    };

    private final Random random;

    InterestingValues(Random random) {
        this.random = random;
    }

    long integer() {
        return switch (random.nextInt(6)) {
            case 0, 1 -> INTEGERS[random.nextInt(INTEGERS.length)];
            case 2 -> random.nextInt(-70, 70);
            case 3 -> (1L << random.nextInt(64)) + random.nextInt(-1, 2);
            case 4 -> random.nextLong() >> random.nextInt(64);
            default -> random.nextLong();
        };
    }

    /** Eight bytes that make sense as packed integers, floats or doubles. */
    long vector() {
        return switch (random.nextInt(5)) {
            case 0 -> doubleBits();
            case 1 -> floatBits() & 0xffffffffL | (long) floatBits() << 32;
            case 2 -> lanes(8);
            case 3 -> lanes(16);
            default -> integer();
        };
    }

    private long lanes(int bits) {
        long value = 0;
        for (int shift = 0; shift < 64; shift += bits) {
            long lane = INTEGERS[random.nextInt(INTEGERS.length)];
            value |= (lane & (1L << bits) - 1) << shift;
        }
        return value;
    }

    long doubleBits() {
        return switch (random.nextInt(6)) {
            case 0, 1 -> DOUBLES[random.nextInt(DOUBLES.length)];
            case 2 -> random.nextLong();
            case 3 -> Double.doubleToRawLongBits(random.nextInt(-2000, 2001) / 4.0);
            case 4 -> Double.doubleToRawLongBits(random.nextGaussian());
            default -> random.nextLong() & 0x800fffffffffffffL | (long) random.nextInt(2047) << 52;
        };
    }

    int floatBits() {
        return switch (random.nextInt(6)) {
            case 0, 1 -> FLOATS[random.nextInt(FLOATS.length)];
            case 2 -> random.nextInt();
            case 3 -> Float.floatToRawIntBits(random.nextInt(-2000, 2001) / 4.0f);
            case 4 -> Float.floatToRawIntBits((float) random.nextGaussian());
            default -> random.nextInt() & 0x807fffff | random.nextInt(255) << 23;
        };
    }

    long extendedSignificand() {
        return switch (random.nextInt(4)) {
            case 0 -> SIGNIFICANDS[random.nextInt(SIGNIFICANDS.length)];
            case 1 -> Long.MIN_VALUE | (long) random.nextInt(4096) << random.nextInt(52);
            case 2 -> random.nextLong();
            default -> random.nextLong() | Long.MIN_VALUE;
        };
    }

    /** Sign and exponent of an extended real. */
    int extendedExponent() {
        int sign = random.nextInt(2) << 15;
        return sign
                | switch (random.nextInt(4)) {
                    case 0 -> EXTENDED_EXPONENTS[random.nextInt(EXTENDED_EXPONENTS.length)];
                    case 1 -> random.nextInt(0x8000);
                    default -> 0x3fff + random.nextInt(-70, 70);
                };
    }

    /** Eighteen decimal digits and a sign, in ten bytes: the low eight of them. */
    long packedDecimal() {
        long value = 0;
        for (int digit = 0; digit < 16; digit++) {
            value = value << 4 | random.nextInt(10);
        }
        return value;
    }
}
