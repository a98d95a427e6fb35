package org.javisor.x86;

/**
 * FMA3's a * b + c with one rounding, exact to the bit with its effect on MXCSR (Intel SDM vol. 1,
 * 14.5). Values are the formats' bits. As in {@link SseFloat}, ordinary operands take Java's own
 * operation once the sticky flag PE is set, and exceptions collect in {@link FpuState#raised} while
 * one is unmasked.
 */
public final class FusedMultiplyAdd {
    private static final int S = SoftFloat.SINGLE;
    private static final int D = SoftFloat.DOUBLE;
    private static final long LOW = 0xffffffffL;

    private FusedMultiplyAdd() {}

    /**
     * Doubles.
     *
     * @param negateProduct of FNMADD and FNMSUB
     * @param negateAddend of FMSUB and FNMSUB
     */
    public static long doubles(
            FpuState f, long a, long b, long c, boolean negateProduct, boolean negateAddend) {
        boolean plain = SseFloat.ordinary(a) && SseFloat.ordinary(b) && SseFloat.ordinary(c);
        if (plain && SseFloat.fast(f) && (f.mxcsr & Mxcsr.PE) != 0) {
            double x = Double.longBitsToDouble(a);
            double z = Double.longBitsToDouble(c);
            double r =
                    Math.fma(
                            negateProduct ? -x : x,
                            Double.longBitsToDouble(b),
                            negateAddend ? -z : z);
            long bits = Double.doubleToRawLongBits(r);
            if (SseFloat.ordinary(bits)) {
                return bits;
            }
        }
        return fused(f, D, a, b, c, negateProduct, negateAddend);
    }

    /** Floats. */
    public static int singles(
            FpuState f, int a, int b, int c, boolean negateProduct, boolean negateAddend) {
        boolean plain = SseFloat.ordinary(a) && SseFloat.ordinary(b) && SseFloat.ordinary(c);
        if (plain && SseFloat.fast(f) && (f.mxcsr & Mxcsr.PE) != 0) {
            float x = Float.intBitsToFloat(a);
            float z = Float.intBitsToFloat(c);
            float r =
                    Math.fma(
                            negateProduct ? -x : x, Float.intBitsToFloat(b), negateAddend ? -z : z);
            int bits = Float.floatToRawIntBits(r);
            if (SseFloat.ordinary(bits)) {
                return bits;
            }
        }
        return (int) fused(f, S, a & LOW, b & LOW, c & LOW, negateProduct, negateAddend);
    }

    private static long fused(
            FpuState f,
            int p,
            long a,
            long b,
            long c,
            boolean negateProduct,
            boolean negateAddend) {
        if (SoftFloat.isNan(p, a) || SoftFloat.isNan(p, b) || SoftFloat.isNan(p, c)) {
            return nanResult(f, p, a, b, c);
        }
        a = SoftFloat.operand(f, p, a);
        b = SoftFloat.operand(f, p, b);
        c = SoftFloat.operand(f, p, c) ^ (negateAddend ? SoftFloat.signBit(p) : 0);
        long sign = (a ^ b) & SoftFloat.signBit(p) ^ (negateProduct ? SoftFloat.signBit(p) : 0);
        boolean infinite = SoftFloat.isInfinite(p, a) || SoftFloat.isInfinite(p, b);
        boolean zero = SoftFloat.isZero(p, a) || SoftFloat.isZero(p, b);
        if (infinite
                && (zero || SoftFloat.isInfinite(p, c) && sign != (c & SoftFloat.signBit(p)))) {
            return SoftFloat.invalid(f, p);
        }
        SoftFloat.noteDenormal(f, p, a, b);
        SoftFloat.noteDenormal(f, p, c, 0);
        if (infinite) {
            return sign | SoftFloat.infinity(p);
        }
        if (SoftFloat.isInfinite(p, c)) {
            return c;
        }
        if (zero) {
            if (!SoftFloat.isZero(p, c)) {
                long cSign = c & SoftFloat.signBit(p);
                int e = SoftFloat.exponent(p, c);
                return SoftFloat.round(f, p, cSign, e, SoftFloat.significand(p, c));
            }
            return sign == c ? c : SoftFloat.zeroSum(f, p);
        }
        return finite(f, p, sign, a, b, c);
    }

    /** The first NaN of the three; an invalid product counts only if the addend is none. */
    private static long nanResult(FpuState f, int p, long a, long b, long c) {
        boolean signalling =
                SoftFloat.isSignalling(p, a)
                        || SoftFloat.isSignalling(p, b)
                        || SoftFloat.isSignalling(p, c);
        if (signalling) {
            Mxcsr.raise(f, Mxcsr.IE);
        }
        return SoftFloat.quiet(p, SoftFloat.isNan(p, a) ? a : SoftFloat.isNan(p, b) ? b : c);
    }

    /**
     * The product has its integer bit at bit 126 of 128, and so has the addend; the smaller is
     * shifted right, what falls off remembered in its last bit.
     */
    private static long finite(FpuState f, int p, long sign, long a, long b, long c) {
        int e = SoftFloat.exponent(p, a) + SoftFloat.exponent(p, b) + 1;
        long sa = SoftFloat.significand(p, a);
        long sb = SoftFloat.significand(p, b);
        long low = sa * sb;
        long high = Math.multiplyHigh(sa, sb) << 1 | low >>> 63;
        low <<= 1;
        if (high < 1L << 62) {
            high = high << 1 | low >>> 63;
            low <<= 1;
            e--;
        }
        long cSign = c & SoftFloat.signBit(p);
        if (SoftFloat.isZero(p, c)) {
            return SoftFloat.round(f, p, sign, e, high | (low != 0 ? 1 : 0));
        }
        long cHigh = SoftFloat.significand(p, c);
        long cLow = 0;
        int distance = e - SoftFloat.exponent(p, c);
        if (distance >= 0) {
            cLow = shiftedLow(cHigh, 0, distance);
            cHigh = distance > 62 ? 0 : cHigh >>> distance;
        } else {
            e -= distance;
            low = shiftedLow(high, low, -distance);
            high = -distance > 62 ? 0 : high >>> -distance;
        }
        if (sign == cSign) {
            long sumLow = low + cLow;
            long sum = high + cHigh + (Long.compareUnsigned(sumLow, low) < 0 ? 1 : 0);
            if (sum < 0) {
                return SoftFloat.round(f, p, sign, e + 1, sum >>> 1 | sum & 1 | sticky(sumLow));
            }
            return SoftFloat.round(f, p, sign, e, sum | sticky(sumLow));
        }
        return difference(f, p, sign, e, high, low, cHigh, cLow);
    }

    private static long difference(
            FpuState f, int p, long sign, int e, long high, long low, long cHigh, long cLow) {
        boolean smaller = high < cHigh || high == cHigh && Long.compareUnsigned(low, cLow) < 0;
        long restLow = smaller ? cLow - low : low - cLow;
        boolean borrow = Long.compareUnsigned(smaller ? cLow : low, smaller ? low : cLow) < 0;
        long rest = (smaller ? cHigh - high : high - cHigh) - (borrow ? 1 : 0);
        if ((rest | restLow) == 0) {
            return SoftFloat.zeroSum(f, p);
        }
        if (rest == 0) {
            // Bit 63 of the low half becomes bit 62 of the high one.
            rest = restLow >>> 1;
            restLow <<= 63;
            e -= 63;
        }
        if (rest == 0) {
            rest = restLow >>> 1;
            restLow = 0;
            e -= 63;
        }
        int shift = Long.numberOfLeadingZeros(rest) - 1;
        if (shift > 0) {
            rest = rest << shift | restLow >>> 64 - shift;
            restLow <<= shift;
            e -= shift;
        }
        return SoftFloat.round(
                f, p, smaller ? sign ^ SoftFloat.signBit(p) : sign, e, rest | sticky(restLow));
    }

    private static long sticky(long low) {
        return low != 0 ? 1 : 0;
    }

    /** The low half of a 128-bit number shifted right, its last bit sticky. */
    private static long shiftedLow(long high, long low, int count) {
        if (count == 0) {
            return low;
        }
        if (count < 64) {
            long lost = low << 64 - count;
            return low >>> count | high << 64 - count | sticky(lost);
        }
        if (count < 127) {
            int rest = count - 64;
            long lost = rest == 0 ? low : low | high << 64 - rest;
            return high >>> rest | sticky(lost);
        }
        return sticky(high | low);
    }
}
