package org.javisor.x86;

/**
 * SSE's conversions between integers, floats and doubles, its rounding to integral values and its
 * approximations, with their effect on MXCSR. Values are the formats' bits. As in {@link SseFloat},
 * exceptions collect in {@link FpuState#raised} while one is unmasked.
 */
public final class SseConvert {
    private static final int S = SoftFloat.SINGLE;
    private static final int D = SoftFloat.DOUBLE;
    private static final long LOW = 0xffffffffL;

    private SseConvert() {}

    // From integers

    public static long fromInt(int value) {
        return Double.doubleToRawLongBits(value);
    }

    public static long longToDouble(FpuState f, long value) {
        if (value >= -1L << 53 && value <= 1L << 53) {
            return Double.doubleToRawLongBits(value);
        }
        return fromLong(f, D, value);
    }

    public static int longToSingle(FpuState f, long value) {
        if (value >= -1L << 24 && value <= 1L << 24) {
            return Float.floatToRawIntBits(value);
        }
        return (int) fromLong(f, S, value);
    }

    private static long fromLong(FpuState f, int p, long value) {
        if (value == 0) {
            return 0;
        }
        long sign = value < 0 ? SoftFloat.signBit(p) : 0;
        if (value == Long.MIN_VALUE) {
            return SoftFloat.round(f, p, sign, 63, 1L << 62);
        }
        long magnitude = Math.abs(value);
        int shift = Long.numberOfLeadingZeros(magnitude) - 1;
        return SoftFloat.round(f, p, sign, 62 - shift, magnitude << shift);
    }

    // To integers

    /**
     * A double to an integer of 32 or 64 bits.
     *
     * @param mode rounding mode, or -1 for MXCSR's
     * @return sign-extended; the integer indefinite (only the sign bit set) if the value does not
     *     fit
     */
    public static long doubleToInteger(FpuState f, long v, int bits, int mode) {
        if (SseFloat.ordinary(v)) {
            double x = Double.longBitsToDouble(v);
            int rounding = mode < 0 ? SoftFloat.rounding(f) : mode;
            if (Math.abs(x) < (bits == 64 ? 0x1p62 : 0x1p31 - 1)
                    && (rounding == Mxcsr.ZERO || rounding == Mxcsr.NEAREST)) {
                long result = (long) (rounding == Mxcsr.ZERO ? x : Math.rint(x));
                if (result != x) {
                    Mxcsr.raise(f, Mxcsr.PE);
                }
                return result;
            }
        }
        return toInteger(f, D, v, bits, mode);
    }

    public static long singleToInteger(FpuState f, int v, int bits, int mode) {
        if (SseFloat.ordinary(v)) {
            long wide = Double.doubleToRawLongBits(Float.intBitsToFloat(v));
            return doubleToInteger(f, wide, bits, mode);
        }
        return toInteger(f, S, v & LOW, bits, mode);
    }

    private static long toInteger(FpuState f, int p, long v, int bits, int mode) {
        long indefinite = bits == 64 ? Long.MIN_VALUE : Integer.MIN_VALUE;
        v = SoftFloat.operand(f, p, v);
        if (SoftFloat.isZero(p, v)) {
            return 0;
        }
        if (SoftFloat.isNan(p, v) || SoftFloat.isInfinite(p, v)) {
            Mxcsr.raise(f, Mxcsr.IE);
            return indefinite;
        }
        boolean negative = SoftFloat.negative(p, v);
        int e = SoftFloat.exponent(p, v);
        if (e > 62) {
            // The only value that fits is the negative limit of a 64-bit integer, which is the
            // indefinite too.
            if (bits != 64 || !negative || e != 63 || SoftFloat.significand(p, v) != 1L << 62) {
                Mxcsr.raise(f, Mxcsr.IE);
            }
            return indefinite;
        }
        long s = SoftFloat.significand(p, v);
        int drop = 62 - e;
        if (drop > 62) {
            s = SoftFloat.shiftRightSticky(s, drop - 62);
            drop = 62;
        }
        boolean inexact = drop != 0 && (s & (1L << drop) - 1) != 0;
        long magnitude =
                drop == 0
                        ? s
                        : SoftFloat.dropBits(
                                s, drop, mode < 0 ? SoftFloat.rounding(f) : mode, negative);
        long result = negative ? -magnitude : magnitude;
        if (bits == 32 && result != (int) result) {
            Mxcsr.raise(f, Mxcsr.IE);
            return indefinite;
        }
        if (inexact) {
            Mxcsr.raise(f, Mxcsr.PE);
        }
        return result;
    }

    // Between formats

    public static long singleToDouble(FpuState f, int v) {
        if (SseFloat.ordinary(v)) {
            return Double.doubleToRawLongBits(Float.intBitsToFloat(v));
        }
        long bits = v & LOW;
        if (SoftFloat.isNan(S, bits)) {
            if (SoftFloat.isSignalling(S, bits)) {
                Mxcsr.raise(f, Mxcsr.IE);
            }
            return (bits & SoftFloat.signBit(S)) << 32
                    | SoftFloat.quiet(D, SoftFloat.infinity(D) | (bits & (1L << S) - 1) << D - S);
        }
        int operand = (int) SoftFloat.operand(f, S, bits);
        SoftFloat.noteDenormal(f, S, operand & LOW, 0);
        return Double.doubleToRawLongBits(Float.intBitsToFloat(operand));
    }

    public static int doubleToSingle(FpuState f, long v) {
        if (SseFloat.fast(f)) {
            double x = Double.longBitsToDouble(v);
            float r = (float) x;
            int bits = Float.floatToRawIntBits(r);
            if (SseFloat.ordinary(bits)) {
                SseFloat.precision(f, r == x);
                return bits;
            }
        }
        int sign = (int) (v >>> 32) & 0x80000000;
        if (SoftFloat.isNan(D, v)) {
            if (SoftFloat.isSignalling(D, v)) {
                Mxcsr.raise(f, Mxcsr.IE);
            }
            return sign | 0x7fc00000 | (int) (v >>> D - S) & 0x7fffff;
        }
        v = SoftFloat.operand(f, D, v);
        if (SoftFloat.isInfinite(D, v)) {
            return sign | 0x7f800000;
        }
        if (SoftFloat.isZero(D, v)) {
            return sign;
        }
        SoftFloat.noteDenormal(f, D, v, 0);
        return (int)
                SoftFloat.round(
                        f, S, sign & LOW, SoftFloat.exponent(D, v), SoftFloat.significand(D, v));
    }

    // Rounding to an integral value

    /**
     * ROUNDSD; {@code control} is the immediate: mode in bits 0-1, MXCSR's mode if bit 2, no PE if
     * bit 3.
     */
    public static long roundsd(FpuState f, long v, int control) {
        double x = Double.longBitsToDouble(v);
        if (SseFloat.ordinary(v) && Math.abs(x) < 0x1p52) {
            double r =
                    switch ((control & 4) != 0 ? SoftFloat.rounding(f) : control & 3) {
                        case Mxcsr.NEAREST -> Math.rint(x);
                        case Mxcsr.DOWN -> Math.floor(x);
                        case Mxcsr.UP -> Math.ceil(x);
                        default -> x < 0 ? Math.ceil(x) : Math.floor(x);
                    };
            if (r != x && (control & 8) == 0) {
                Mxcsr.raise(f, Mxcsr.PE);
            }
            return Double.doubleToRawLongBits(r);
        }
        return roundIntegral(f, D, v, control);
    }

    public static int roundss(FpuState f, int v, int control) {
        return (int) roundIntegral(f, S, v & LOW, control);
    }

    private static long roundIntegral(FpuState f, int p, long v, int control) {
        if (SoftFloat.isNan(p, v)) {
            if (SoftFloat.isSignalling(p, v)) {
                Mxcsr.raise(f, Mxcsr.IE);
            }
            return SoftFloat.quiet(p, v);
        }
        v = SoftFloat.operand(f, p, v);
        if (SoftFloat.isZero(p, v) || SoftFloat.isInfinite(p, v)) {
            return v;
        }
        int e = SoftFloat.exponent(p, v);
        if (e >= p) {
            return v;
        }
        boolean negative = SoftFloat.negative(p, v);
        int mode = (control & 4) != 0 ? SoftFloat.rounding(f) : control & 3;
        long s = SoftFloat.significand(p, v);
        int drop = Math.min(62 - e, 62);
        s = SoftFloat.shiftRightSticky(s, 62 - e - drop);
        if ((s & (1L << drop) - 1) != 0 && (control & 8) == 0) {
            Mxcsr.raise(f, Mxcsr.PE);
        }
        long integral = SoftFloat.dropBits(s, drop, mode, negative);
        long magnitude =
                p == D
                        ? Double.doubleToRawLongBits(integral)
                        : Float.floatToRawIntBits(integral) & LOW;
        return v & SoftFloat.signBit(p) | magnitude;
    }

    // Approximations

    /**
     * RCPSS: the reciprocal rounded to 13 significant bits, which keeps the relative error below
     * 2^-13; the architecture allows 1.5 * 2^-12 and leaves the value open, so every host gives
     * this one. Denormal operands count as zeros and tiny results are zeros, whatever MXCSR says;
     * no exception is raised (Intel SDM vol. 2, RCPSS).
     */
    public static int rcpss(int v) {
        int sign = v & 0x80000000;
        int magnitude = v & 0x7fffffff;
        if (magnitude > 0x7f800000) {
            return v | 0x400000;
        }
        if (magnitude < 0x800000) {
            return sign | 0x7f800000;
        }
        return sign | coarse(1.0 / Float.intBitsToFloat(magnitude));
    }

    /** RSQRTSS: the reciprocal of the square root, as {@link #rcpss} approximates. */
    public static int rsqrtss(int v) {
        int magnitude = v & 0x7fffffff;
        if (magnitude > 0x7f800000) {
            return v | 0x400000;
        }
        if (magnitude < 0x800000) {
            return v & 0x80000000 | 0x7f800000;
        }
        if (v < 0) {
            return (int) SoftFloat.defaultNan(S);
        }
        return coarse(1.0 / Math.sqrt(Float.intBitsToFloat(magnitude)));
    }

    /**
     * A positive number rounded to a float with 12 fraction bits; zero if it is below the normal
     * ones.
     */
    private static int coarse(double x) {
        long bits = Double.doubleToRawLongBits(x) + (1L << 52 - 13) & -1L << 52 - 12;
        int exponent = (int) (bits >>> 52) - 1023;
        if (exponent < -126) {
            return 0;
        }
        return exponent + 127 << 23 | (int) (bits >>> 52 - 23) & 0x7fffff;
    }
}
