package org.javisor.interpreter;

/**
 * Shifts and rotates with their flags (Intel SDM vol. 2, SAL/SAR/SHL/SHR, RCL/RCR/ROL/ROR, SHLD,
 * SHRD). Values are zero-extended in and out; counts are masked here. Where the architecture leaves
 * a flag undefined, it gets what the formula of the defined case gives.
 */
final class Shifts {
    private Shifts() {}

    static int maskedCount(int size, long count) {
        return (int) count & (size == 8 ? 63 : 31);
    }

    private static long signExtended(int size, long value) {
        int unused = 64 - (size << 3);
        return value << unused >> unused;
    }

    static long shl(Cpu c, int size, long a, long rawCount) {
        int count = maskedCount(size, rawCount);
        if (count == 0) {
            return a;
        }
        int bits = size << 3;
        boolean carry = size == 8 ? a << count - 1 < 0 : (a << count >>> bits & 1) != 0;
        long r = signExtended(size, a << count);
        c.flags.set(r, carry, carry != r < 0);
        return r & Cpu.mask(size);
    }

    static long shr(Cpu c, int size, long a, long rawCount) {
        int count = maskedCount(size, rawCount);
        if (count == 0) {
            return a;
        }
        boolean carry = (a >>> count - 1 & 1) != 0;
        long r = a >>> count;
        // The top bit before the last step, which for a count of 1 is the operand's.
        boolean overflow = (a >>> count - 1 >>> (size << 3) - 1 & 1) != 0;
        c.flags.set(signExtended(size, r), carry, overflow);
        return r;
    }

    static long sar(Cpu c, int size, long a, long rawCount) {
        int count = maskedCount(size, rawCount);
        if (count == 0) {
            return a;
        }
        long extended = signExtended(size, a);
        boolean carry = (extended >> count - 1 & 1) != 0;
        long r = extended >> count;
        c.flags.set(r, carry, false);
        return r & Cpu.mask(size);
    }

    static long rol(Cpu c, int size, long a, long rawCount) {
        int count = maskedCount(size, rawCount);
        if (count == 0) {
            return a;
        }
        int bits = size << 3;
        count &= bits - 1;
        long r = count == 0 ? a : (a << count | a >>> bits - count) & Cpu.mask(size);
        boolean carry = (r & 1) != 0;
        c.flags.setCarryOverflow(carry, carry != (r >>> bits - 1 != 0));
        return r;
    }

    static long ror(Cpu c, int size, long a, long rawCount) {
        int count = maskedCount(size, rawCount);
        if (count == 0) {
            return a;
        }
        int bits = size << 3;
        count &= bits - 1;
        long r = count == 0 ? a : (a >>> count | a << bits - count) & Cpu.mask(size);
        boolean carry = r >>> bits - 1 != 0;
        c.flags.setCarryOverflow(carry, carry != ((r >>> bits - 2 & 1) != 0));
        return r;
    }

    static long rcl(Cpu c, int size, long a, long rawCount) {
        int bits = size << 3;
        int masked = maskedCount(size, rawCount);
        if (masked == 0) {
            return a;
        }
        int count = masked % (bits + 1);
        boolean carry = c.flags.cf();
        long r = a;
        for (int n = 0; n < count; n++) {
            boolean out = (r >>> bits - 1 & 1) != 0;
            r = r << 1 | (carry ? 1 : 0);
            carry = out;
        }
        r &= Cpu.mask(size);
        c.flags.setCarryOverflow(carry, carry != (r >>> bits - 1 != 0));
        return r;
    }

    static long rcr(Cpu c, int size, long a, long rawCount) {
        int bits = size << 3;
        int masked = maskedCount(size, rawCount);
        if (masked == 0) {
            return a;
        }
        int count = masked % (bits + 1);
        boolean carry = c.flags.cf();
        long r = a;
        for (int n = 0; n < count; n++) {
            boolean out = (r & 1) != 0;
            r = r >>> 1 | (carry ? 1L << bits - 1 : 0);
            carry = out;
        }
        c.flags.setCarryOverflow(carry, (r >>> bits - 1 & 1) != (r >>> bits - 2 & 1));
        return r;
    }

    static long shld(Cpu c, int size, long a, long b, long rawCount) {
        int count = maskedCount(size, rawCount);
        if (count == 0) {
            return a;
        }
        int bits = size << 3;
        long r;
        boolean carry;
        if (size == 2) {
            // Counts above 16 are undefined; processors go on with the destination's bits.
            long wide = a << 32 | b << 16 | a;
            r = signExtended(2, wide << count >>> 32);
            carry = (wide << count >>> 48 & 1) != 0;
        } else {
            r = signExtended(size, a << count | b >>> bits - count);
            carry = (a >>> bits - count & 1) != 0;
        }
        c.flags.set(r, carry, carry != r < 0);
        return r & Cpu.mask(size);
    }

    static long shrd(Cpu c, int size, long a, long b, long rawCount) {
        int count = maskedCount(size, rawCount);
        if (count == 0) {
            return a;
        }
        int bits = size << 3;
        long r;
        boolean carry;
        if (size == 2) {
            long wide = a << 32 | b << 16 | a;
            r = signExtended(2, wide >>> count);
            carry = (wide >>> count - 1 & 1) != 0;
        } else {
            r = signExtended(size, a >>> count | b << bits - count);
            carry = (a >>> count - 1 & 1) != 0;
        }
        boolean secondBit = (r >>> bits - 2 & 1) != 0;
        c.flags.set(r, carry, secondBit != r < 0);
        return r & Cpu.mask(size);
    }
}
