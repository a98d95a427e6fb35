package org.javisor.x86;

/**
 * F16C's conversions between floats and half-precision floats of 16 bits (Intel SDM vol. 1, 14.4).
 * As in {@link SseFloat}, exceptions collect in {@link FpuState#raised} while one is unmasked.
 */
public final class HalfFloat {
    private static final int S = SoftFloat.SINGLE;
    private static final long LOW = 0xffffffffL;

    /** Fraction bits and exponent bias. */
    private static final int P = 10, BIAS = 15;

    private static final int INFINITY = 0x7c00;

    private HalfFloat() {}

    /** VCVTPH2PS: exact; denormals are taken as they are and raise nothing. */
    public static int toSingle(FpuState f, int half) {
        int sign = (half & 0x8000) << 16;
        int magnitude = half & 0x7fff;
        if (magnitude > INFINITY) {
            if ((magnitude & 0x200) == 0) {
                Mxcsr.raise(f, Mxcsr.IE);
            }
            return sign | 0x7fc00000 | (magnitude & 0x3ff) << S - P;
        }
        if (magnitude == INFINITY) {
            return sign | 0x7f800000;
        }
        if (magnitude < 1 << P) {
            return sign | Float.floatToRawIntBits(magnitude * 0x1p-24f);
        }
        return sign | (magnitude << S - P) + (127 - BIAS << S);
    }

    /**
     * VCVTPS2PH; {@code control} is the immediate: the rounding mode in bits 0-1, MXCSR's if bit 2.
     * FTZ has no effect.
     */
    public static int fromSingle(FpuState f, int bits, int control) {
        long v = bits & LOW;
        int sign = bits >>> 16 & 0x8000;
        if (SoftFloat.isNan(S, v)) {
            if (SoftFloat.isSignalling(S, v)) {
                Mxcsr.raise(f, Mxcsr.IE);
            }
            return sign | 0x7e00 | bits >>> S - P & 0x3ff;
        }
        v = SoftFloat.operand(f, S, v);
        if (SoftFloat.isInfinite(S, v)) {
            return sign | INFINITY;
        }
        if (SoftFloat.isZero(S, v)) {
            return sign;
        }
        SoftFloat.noteDenormal(f, S, v, 0);
        int mode = (control & 4) != 0 ? SoftFloat.rounding(f) : control & 3;
        return sign | round(f, v, sign != 0, mode);
    }

    private static int round(FpuState f, long v, boolean negative, int mode) {
        int drop = 62 - P;
        long dropped = (1L << drop) - 1;
        int e = SoftFloat.exponent(S, v);
        long s = SoftFloat.significand(S, v);
        int lowest = 1 - BIAS;
        boolean inexact = (s & dropped) != 0;
        int flags = 0;
        if (e < lowest) {
            boolean tiny = e < lowest - 1 || SoftFloat.dropBits(s, drop, mode, negative) < 2L << P;
            boolean masked = (f.mxcsr & Mxcsr.UE << Mxcsr.MASK_SHIFT) != 0;
            s = SoftFloat.shiftRightSticky(s, lowest - e);
            e = lowest;
            inexact = tiny && !masked ? inexact : (s & dropped) != 0;
            flags = tiny && (inexact || !masked) ? Mxcsr.UE : 0;
        }
        long result = ((long) (e - lowest) << P) + SoftFloat.dropBits(s, drop, mode, negative);
        if (e > BIAS || result >= INFINITY) {
            boolean masked = (f.mxcsr & Mxcsr.OE << Mxcsr.MASK_SHIFT) != 0;
            Mxcsr.raise(f, masked || inexact ? Mxcsr.OE | Mxcsr.PE : Mxcsr.OE);
            boolean up = mode == Mxcsr.NEAREST || mode == (negative ? Mxcsr.DOWN : Mxcsr.UP);
            return up ? INFINITY : INFINITY - 1;
        }
        flags |= inexact ? Mxcsr.PE : 0;
        if (flags != 0) {
            Mxcsr.raise(f, flags);
        }
        return (int) result;
    }
}
