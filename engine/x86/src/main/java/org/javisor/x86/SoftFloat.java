package org.javisor.x86;

/**
 * Binary floating-point arithmetic in integers, as SSE defines it: every rounding mode, DAZ, FTZ,
 * denormals, NaN payloads, and the exceptions each operation raises (Intel SDM vol. 1, 4.8, 4.9 and
 * 11.5). The slow and exact way behind {@link SseFloat}.
 *
 * <p>Works on both formats: {@code p} is the number of fraction bits, {@link #SINGLE} or {@link
 * #DOUBLE}; values are the format's bits in the low part of a long. A finite value is taken apart
 * into its exponent and a significand of 63 bits, whose top bit, bit 62, is the integer bit; the
 * last bit of an inexact significand is sticky.
 */
final class SoftFloat {
    static final int SINGLE = 23;
    static final int DOUBLE = 52;

    private SoftFloat() {}

    // Formats

    static int bias(int p) {
        return p == DOUBLE ? 1023 : 127;
    }

    static long signBit(int p) {
        return p == DOUBLE ? Long.MIN_VALUE : 1L << 31;
    }

    static long infinity(int p) {
        return p == DOUBLE ? 0x7ffL << 52 : 0xffL << 23;
    }

    static long defaultNan(int p) {
        return p == DOUBLE ? 0xfff8L << 48 : 0xffc00000L;
    }

    static long magnitude(int p, long v) {
        return v & ~signBit(p);
    }

    static boolean negative(int p, long v) {
        return (v & signBit(p)) != 0;
    }

    static boolean isNan(int p, long v) {
        return magnitude(p, v) > infinity(p);
    }

    static boolean isInfinite(int p, long v) {
        return magnitude(p, v) == infinity(p);
    }

    static boolean isSignalling(int p, long v) {
        return isNan(p, v) && (v & 1L << p - 1) == 0;
    }

    static boolean isDenormal(int p, long v) {
        long m = magnitude(p, v);
        return m != 0 && m < 1L << p;
    }

    static boolean isZero(int p, long v) {
        return magnitude(p, v) == 0;
    }

    static long quiet(int p, long v) {
        return v | 1L << p - 1;
    }

    /** Unbiased exponent of a finite value other than zero. */
    static int exponent(int p, long v) {
        long m = magnitude(p, v);
        if (m >= 1L << p) {
            return (int) (m >>> p) - bias(p);
        }
        return 63 - Long.numberOfLeadingZeros(m) + 1 - bias(p) - p;
    }

    /** Significand with the integer bit at bit 62, of a finite value other than zero. */
    static long significand(int p, long v) {
        long m = magnitude(p, v);
        if (m >= 1L << p) {
            return (m & (1L << p) - 1 | 1L << p) << 62 - p;
        }
        return m << Long.numberOfLeadingZeros(m) - 1;
    }

    // Operands

    /** DAZ: a denormal operand becomes a zero of its sign. */
    static long operand(FpuState f, int p, long v) {
        return (f.mxcsr & Mxcsr.DAZ) != 0 && isDenormal(p, v) ? v & signBit(p) : v;
    }

    /** The result when at least one operand is a NaN: the first one that is, made quiet. */
    private static long nanResult(FpuState f, int p, long a, long b) {
        if (isSignalling(p, a) || isSignalling(p, b)) {
            Mxcsr.raise(f, Mxcsr.IE);
        }
        return quiet(p, isNan(p, a) ? a : b);
    }

    static long invalid(FpuState f, int p) {
        Mxcsr.raise(f, Mxcsr.IE);
        return defaultNan(p);
    }

    static void noteDenormal(FpuState f, int p, long a, long b) {
        if (isDenormal(p, a) || isDenormal(p, b)) {
            Mxcsr.raise(f, Mxcsr.DE);
        }
    }

    // Arithmetic

    static long add(FpuState f, int p, long a, long b) {
        if (isNan(p, a) || isNan(p, b)) {
            return nanResult(f, p, a, b);
        }
        a = operand(f, p, a);
        b = operand(f, p, b);
        if (isInfinite(p, a) || isInfinite(p, b)) {
            if (isInfinite(p, a) && isInfinite(p, b) && a != b) {
                return invalid(f, p);
            }
            noteDenormal(f, p, a, b);
            return isInfinite(p, a) ? a : b;
        }
        noteDenormal(f, p, a, b);
        if (isZero(p, a) || isZero(p, b)) {
            if (isZero(p, a) && isZero(p, b)) {
                return a == b ? a : zeroSum(f, p);
            }
            long v = isZero(p, a) ? b : a;
            return round(f, p, v & signBit(p), exponent(p, v), significand(p, v));
        }
        return addFinite(f, p, a, b);
    }

    private static long addFinite(FpuState f, int p, long a, long b) {
        if (magnitude(p, a) < magnitude(p, b)) {
            long swap = a;
            a = b;
            b = swap;
        }
        int e = exponent(p, a);
        long sa = significand(p, a);
        long sb = shiftRightSticky(significand(p, b), e - exponent(p, b));
        long sign = a & signBit(p);
        if (sign == (b & signBit(p))) {
            long sum = sa + sb;
            return sum < 0
                    ? round(f, p, sign, e + 1, sum >>> 1 | sum & 1)
                    : round(f, p, sign, e, sum);
        }
        long difference = sa - sb;
        if (difference == 0) {
            return zeroSum(f, p);
        }
        int shift = Long.numberOfLeadingZeros(difference) - 1;
        return round(f, p, sign, e - shift, difference << shift);
    }

    /** The zero that unlike equals make. */
    static long zeroSum(FpuState f, int p) {
        return rounding(f) == Mxcsr.DOWN ? signBit(p) : 0;
    }

    static long subtract(FpuState f, int p, long a, long b) {
        return isNan(p, b) ? add(f, p, a, b) : add(f, p, a, b ^ signBit(p));
    }

    static long multiply(FpuState f, int p, long a, long b) {
        if (isNan(p, a) || isNan(p, b)) {
            return nanResult(f, p, a, b);
        }
        a = operand(f, p, a);
        b = operand(f, p, b);
        long sign = (a ^ b) & signBit(p);
        if (isInfinite(p, a) || isInfinite(p, b)) {
            if (isZero(p, a) || isZero(p, b)) {
                return invalid(f, p);
            }
            noteDenormal(f, p, a, b);
            return sign | infinity(p);
        }
        noteDenormal(f, p, a, b);
        if (isZero(p, a) || isZero(p, b)) {
            return sign;
        }
        int e = exponent(p, a) + exponent(p, b);
        long sa = significand(p, a);
        long sb = significand(p, b);
        long low = sa * sb;
        long s = Math.multiplyHigh(sa, sb) << 2 | low >>> 62 | (low << 2 != 0 ? 1 : 0);
        return s < 0 ? round(f, p, sign, e + 1, s >>> 1 | s & 1) : round(f, p, sign, e, s);
    }

    static long divide(FpuState f, int p, long a, long b) {
        if (isNan(p, a) || isNan(p, b)) {
            return nanResult(f, p, a, b);
        }
        a = operand(f, p, a);
        b = operand(f, p, b);
        long sign = (a ^ b) & signBit(p);
        if (isInfinite(p, a)) {
            if (isInfinite(p, b)) {
                return invalid(f, p);
            }
            noteDenormal(f, p, a, b);
            return sign | infinity(p);
        }
        if (isZero(p, b)) {
            if (isZero(p, a)) {
                return invalid(f, p);
            }
            Mxcsr.raise(f, Mxcsr.ZE);
            return sign | infinity(p);
        }
        noteDenormal(f, p, a, b);
        if (isInfinite(p, b) || isZero(p, a)) {
            return sign;
        }
        return divideFinite(f, p, sign, a, b);
    }

    private static long divideFinite(FpuState f, int p, long sign, long a, long b) {
        int e = exponent(p, a) - exponent(p, b);
        long divisor = significand(p, b);
        long rest = significand(p, a);
        if (rest < divisor) {
            rest <<= 1;
            e--;
        }
        rest -= divisor;
        long quotient = 1;
        for (int bit = 0; bit < 62; bit++) {
            rest <<= 1;
            quotient <<= 1;
            if (Long.compareUnsigned(rest, divisor) >= 0) {
                rest -= divisor;
                quotient |= 1;
            }
        }
        return round(f, p, sign, e, rest != 0 ? quotient | 1 : quotient);
    }

    static long squareRoot(FpuState f, int p, long a) {
        if (isNan(p, a)) {
            return nanResult(f, p, a, a);
        }
        a = operand(f, p, a);
        if (isZero(p, a)) {
            return a;
        }
        if (negative(p, a)) {
            return invalid(f, p);
        }
        if (isInfinite(p, a)) {
            return a;
        }
        noteDenormal(f, p, a, a);
        int e = exponent(p, a);
        long bits = significand(p, a) << (e & 1);
        long root = 0;
        long rest = 0;
        for (int digit = 0; digit < 58; digit++) {
            rest = rest << 2 | bits >>> 62;
            bits <<= 2;
            long trial = root << 2 | 1;
            root <<= 1;
            if (rest >= trial) {
                rest -= trial;
                root |= 1;
            }
        }
        return round(f, p, 0, e >> 1, root << 5 | (rest != 0 ? 1 : 0));
    }

    // Rounding

    static int rounding(FpuState f) {
        return f.mxcsr >> Mxcsr.RC_SHIFT & 3;
    }

    static long shiftRightSticky(long s, int count) {
        if (count == 0) {
            return s;
        }
        if (count > 62) {
            return s != 0 ? 1 : 0;
        }
        return s >>> count | (s << 64 - count != 0 ? 1 : 0);
    }

    /** Drops the lowest {@code drop} bits of a number below 2^63, 1 to 62 of them, rounding. */
    static long dropBits(long s, int drop, int mode, boolean negative) {
        long mask = (1L << drop) - 1;
        if ((s & mask) == 0) {
            return s >>> drop;
        }
        return switch (mode) {
            case Mxcsr.NEAREST -> {
                long half = 1L << drop - 1;
                long rounded = s + half >>> drop;
                yield (s & mask) == half ? rounded & ~1L : rounded;
            }
            case Mxcsr.DOWN -> (s >>> drop) + (negative ? 1 : 0);
            case Mxcsr.UP -> (s >>> drop) + (negative ? 0 : 1);
            default -> s >>> drop;
        };
    }

    /**
     * Rounds to the format and raises overflow, underflow and precision.
     *
     * @param sign the format's sign bit or 0
     * @param e unbiased exponent
     * @param s significand with the integer bit at bit 62
     */
    static long round(FpuState f, int p, long sign, int e, long s) {
        int drop = 62 - p;
        long dropped = (1L << drop) - 1;
        int mode = rounding(f);
        int lowest = 1 - bias(p);
        boolean inexact = (s & dropped) != 0;
        int flags = 0;
        if (e < lowest) {
            // Tiny means below the smallest normal number after rounding as if exponents had no
            // limit. An unmasked underflow is inexact only if that rounding was.
            boolean tiny = e < lowest - 1 || dropBits(s, drop, mode, sign != 0) < 2L << p;
            boolean masked = (f.mxcsr & Mxcsr.UE << Mxcsr.MASK_SHIFT) != 0;
            if (tiny && masked && (f.mxcsr & Mxcsr.FTZ) != 0) {
                Mxcsr.raise(f, Mxcsr.UE | Mxcsr.PE);
                return sign;
            }
            s = shiftRightSticky(s, lowest - e);
            e = lowest;
            inexact = tiny && !masked ? inexact : (s & dropped) != 0;
            flags = tiny && (inexact || !masked) ? Mxcsr.UE : 0;
        }
        // The integer bit, if there is one, adds itself to the exponent field.
        long result = ((long) (e - lowest) << p) + dropBits(s, drop, mode, sign != 0);
        if (e > bias(p) || result >= infinity(p)) {
            boolean masked = (f.mxcsr & Mxcsr.OE << Mxcsr.MASK_SHIFT) != 0;
            Mxcsr.raise(f, masked || inexact ? Mxcsr.OE | Mxcsr.PE : Mxcsr.OE);
            return overflow(p, sign, mode);
        }
        flags |= inexact ? Mxcsr.PE : 0;
        if (flags != 0) {
            Mxcsr.raise(f, flags);
        }
        return sign | result;
    }

    private static long overflow(int p, long sign, int mode) {
        boolean infinite = mode == Mxcsr.NEAREST || mode == (sign != 0 ? Mxcsr.DOWN : Mxcsr.UP);
        return sign | (infinite ? infinity(p) : infinity(p) - 1);
    }
}
