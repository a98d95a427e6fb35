package org.javisor.x86;

/**
 * The scalar floating-point operations of SSE, exact to the bit with their effect on MXCSR (Intel
 * SDM vol. 1, chapters 10 and 11). Values are the formats' bits: a double in a long, a float in an
 * int; a method ending in {@code ps} works on the two floats in a long.
 *
 * <p>With all exceptions masked and rounding to nearest, which is how nearly all programs run,
 * ordinary operands take Java's own arithmetic, which is IEEE 754's; whether the result was inexact
 * is calculated only until the sticky flag PE is set. Everything else goes to {@link SoftFloat}.
 * Exceptions while one is unmasked collect in {@link FpuState#raised}; the caller ends the
 * instruction with {@link Mxcsr#settle} before it writes a result.
 */
public final class SseFloat {
    private static final int FAST_MASK = Mxcsr.MASKS | Mxcsr.RC;
    private static final int FAST = Mxcsr.MASKS;
    private static final int S = SoftFloat.SINGLE;
    private static final int D = SoftFloat.DOUBLE;
    private static final long LOW = 0xffffffffL;

    private SseFloat() {}

    // What the fast way takes: exponents so far from the limits that no error term over- or
    // underflows

    static boolean ordinary(long bits) {
        return ((int) (bits >>> 52) & 0x7ff) - 2 >>> 1 < 1021;
    }

    static boolean ordinary(int bits) {
        return (bits >>> 23 & 0xff) - 2 >>> 1 < 125;
    }

    private static boolean ordinaryOrZero(long bits) {
        return ordinary(bits) || bits << 1 == 0;
    }

    private static boolean ordinaryOrZero(int bits) {
        return ordinary(bits) || bits << 1 == 0;
    }

    static boolean fast(FpuState f) {
        return (f.mxcsr & FAST_MASK) == FAST;
    }

    static void precision(FpuState f, boolean exact) {
        if (!exact) {
            f.mxcsr |= Mxcsr.PE;
        }
    }

    // Exactness

    /** Whether {@code r = x + y} is exact: the error term of Knuth's two-sum. */
    private static boolean exactSum(double x, double y, double r) {
        double yy = r - x;
        return x - (r - yy) + (y - yy) == 0;
    }

    private static boolean exactSum(float x, float y, float r) {
        float yy = r - x;
        return x - (r - yy) + (y - yy) == 0;
    }

    /**
     * Whether the product of two ordinary numbers, which rounds to {@code r}, has at most 53
     * significant bits.
     */
    private static boolean exactProduct(long a, long b, long r) {
        int zeros =
                Long.numberOfTrailingZeros(a | 1L << 52) + Long.numberOfTrailingZeros(b | 1L << 52);
        int carry = exponentField(r) - exponentField(a) - exponentField(b) + 1023;
        return 105 + carry - zeros <= 53;
    }

    private static int exponentField(long bits) {
        return (int) (bits >>> 52) & 0x7ff;
    }

    // Addition and subtraction

    public static long addsd(FpuState f, long a, long b) {
        if (fast(f) && ordinaryOrZero(a) && ordinaryOrZero(b)) {
            double x = Double.longBitsToDouble(a);
            double y = Double.longBitsToDouble(b);
            double r = x + y;
            long bits = Double.doubleToRawLongBits(r);
            if (ordinaryOrZero(bits)) {
                if ((f.mxcsr & Mxcsr.PE) == 0) {
                    precision(f, exactSum(x, y, r));
                }
                return bits;
            }
        }
        return SoftFloat.add(f, D, a, b);
    }

    public static int addss(FpuState f, int a, int b) {
        if (fast(f) && ordinaryOrZero(a) && ordinaryOrZero(b)) {
            float x = Float.intBitsToFloat(a);
            float y = Float.intBitsToFloat(b);
            float r = x + y;
            int bits = Float.floatToRawIntBits(r);
            if (ordinaryOrZero(bits)) {
                if ((f.mxcsr & Mxcsr.PE) == 0) {
                    precision(f, exactSum(x, y, r));
                }
                return bits;
            }
        }
        return (int) SoftFloat.add(f, S, a & LOW, b & LOW);
    }

    public static long subsd(FpuState f, long a, long b) {
        if (fast(f) && ordinaryOrZero(a) && ordinaryOrZero(b)) {
            double x = Double.longBitsToDouble(a);
            double y = Double.longBitsToDouble(b);
            double r = x - y;
            long bits = Double.doubleToRawLongBits(r);
            if (ordinaryOrZero(bits)) {
                if ((f.mxcsr & Mxcsr.PE) == 0) {
                    precision(f, exactSum(x, -y, r));
                }
                return bits;
            }
        }
        return SoftFloat.subtract(f, D, a, b);
    }

    public static int subss(FpuState f, int a, int b) {
        if (fast(f) && ordinaryOrZero(a) && ordinaryOrZero(b)) {
            float x = Float.intBitsToFloat(a);
            float y = Float.intBitsToFloat(b);
            float r = x - y;
            int bits = Float.floatToRawIntBits(r);
            if (ordinaryOrZero(bits)) {
                if ((f.mxcsr & Mxcsr.PE) == 0) {
                    precision(f, exactSum(x, -y, r));
                }
                return bits;
            }
        }
        return (int) SoftFloat.subtract(f, S, a & LOW, b & LOW);
    }

    // Multiplication, division, square root

    public static long mulsd(FpuState f, long a, long b) {
        if (fast(f) && ordinary(a) && ordinary(b)) {
            long bits =
                    Double.doubleToRawLongBits(
                            Double.longBitsToDouble(a) * Double.longBitsToDouble(b));
            if (ordinary(bits)) {
                if ((f.mxcsr & Mxcsr.PE) == 0) {
                    precision(f, exactProduct(a, b, bits));
                }
                return bits;
            }
        }
        return SoftFloat.multiply(f, D, a, b);
    }

    public static int mulss(FpuState f, int a, int b) {
        if (fast(f) && ordinary(a) && ordinary(b)) {
            double product = (double) Float.intBitsToFloat(a) * Float.intBitsToFloat(b);
            float r = (float) product;
            int bits = Float.floatToRawIntBits(r);
            if (ordinary(bits)) {
                precision(f, r == product);
                return bits;
            }
        }
        return (int) SoftFloat.multiply(f, S, a & LOW, b & LOW);
    }

    public static long divsd(FpuState f, long a, long b) {
        if (fast(f) && ordinary(a) && ordinary(b)) {
            double x = Double.longBitsToDouble(a);
            double y = Double.longBitsToDouble(b);
            double r = x / y;
            long bits = Double.doubleToRawLongBits(r);
            if (ordinary(bits)) {
                if ((f.mxcsr & Mxcsr.PE) == 0) {
                    precision(f, r * y == x && exactProduct(bits, b, a));
                }
                return bits;
            }
        }
        return SoftFloat.divide(f, D, a, b);
    }

    public static int divss(FpuState f, int a, int b) {
        if (fast(f) && ordinary(a) && ordinary(b)) {
            float x = Float.intBitsToFloat(a);
            float y = Float.intBitsToFloat(b);
            float r = x / y;
            int bits = Float.floatToRawIntBits(r);
            if (ordinary(bits)) {
                precision(f, (double) r * y == x);
                return bits;
            }
        }
        return (int) SoftFloat.divide(f, S, a & LOW, b & LOW);
    }

    public static long sqrtsd(FpuState f, long b) {
        if (fast(f) && b > 0 && ordinary(b)) {
            double y = Double.longBitsToDouble(b);
            double r = Math.sqrt(y);
            long bits = Double.doubleToRawLongBits(r);
            if ((f.mxcsr & Mxcsr.PE) == 0) {
                precision(f, r * r == y && exactProduct(bits, bits, b));
            }
            return bits;
        }
        return SoftFloat.squareRoot(f, D, b);
    }

    public static int sqrtss(FpuState f, int b) {
        if (fast(f) && b > 0 && ordinary(b)) {
            float y = Float.intBitsToFloat(b);
            float r = (float) Math.sqrt(y);
            precision(f, (double) r * r == y);
            return Float.floatToRawIntBits(r);
        }
        return (int) SoftFloat.squareRoot(f, S, b & LOW);
    }

    // Minimum, maximum, comparison

    public static long minsd(FpuState f, long a, long b) {
        if (ordinary(a) && ordinary(b)) {
            return Double.longBitsToDouble(a) < Double.longBitsToDouble(b) ? a : b;
        }
        return minMax(f, D, a, b, false);
    }

    public static int minss(FpuState f, int a, int b) {
        if (ordinary(a) && ordinary(b)) {
            return Float.intBitsToFloat(a) < Float.intBitsToFloat(b) ? a : b;
        }
        return (int) minMax(f, S, a & LOW, b & LOW, false);
    }

    public static long maxsd(FpuState f, long a, long b) {
        if (ordinary(a) && ordinary(b)) {
            return Double.longBitsToDouble(a) > Double.longBitsToDouble(b) ? a : b;
        }
        return minMax(f, D, a, b, true);
    }

    public static int maxss(FpuState f, int a, int b) {
        if (ordinary(a) && ordinary(b)) {
            return Float.intBitsToFloat(a) > Float.intBitsToFloat(b) ? a : b;
        }
        return (int) minMax(f, S, a & LOW, b & LOW, true);
    }

    /**
     * The second operand unless the first is really smaller (greater): for NaNs and for zeros of
     * either sign too.
     */
    private static long minMax(FpuState f, int p, long a, long b, boolean max) {
        if (SoftFloat.isNan(p, a) || SoftFloat.isNan(p, b)) {
            Mxcsr.raise(f, Mxcsr.IE);
            return SoftFloat.operand(f, p, b);
        }
        a = SoftFloat.operand(f, p, a);
        b = SoftFloat.operand(f, p, b);
        SoftFloat.noteDenormal(f, p, a, b);
        return (max ? less(p, b, a) : less(p, a, b)) ? a : b;
    }

    /** {@code a < b} of numbers. */
    private static boolean less(int p, long a, long b) {
        long ma = SoftFloat.magnitude(p, a);
        long mb = SoftFloat.magnitude(p, b);
        return (SoftFloat.negative(p, a) ? -ma : ma) < (SoftFloat.negative(p, b) ? -mb : mb);
    }

    /** Outcomes of {@link #compareDouble}. */
    public static final int EQUAL = 0;

    public static final int LESS = 1;
    public static final int GREATER = 2;
    public static final int UNORDERED = 3;

    /**
     * Compares.
     *
     * @param signalling whether a quiet NaN is invalid too
     */
    public static int compareDouble(FpuState f, long a, long b, boolean signalling) {
        if (ordinary(a) && ordinary(b)) {
            double x = Double.longBitsToDouble(a);
            double y = Double.longBitsToDouble(b);
            return x == y ? EQUAL : x < y ? LESS : GREATER;
        }
        return compare(f, D, a, b, signalling);
    }

    public static int compareSingle(FpuState f, int a, int b, boolean signalling) {
        if (ordinary(a) && ordinary(b)) {
            float x = Float.intBitsToFloat(a);
            float y = Float.intBitsToFloat(b);
            return x == y ? EQUAL : x < y ? LESS : GREATER;
        }
        return compare(f, S, a & LOW, b & LOW, signalling);
    }

    private static int compare(FpuState f, int p, long a, long b, boolean signalling) {
        if (SoftFloat.isNan(p, a) || SoftFloat.isNan(p, b)) {
            if (signalling || SoftFloat.isSignalling(p, a) || SoftFloat.isSignalling(p, b)) {
                Mxcsr.raise(f, Mxcsr.IE);
            }
            return UNORDERED;
        }
        a = SoftFloat.operand(f, p, a);
        b = SoftFloat.operand(f, p, b);
        SoftFloat.noteDenormal(f, p, a, b);
        return less(p, a, b) ? LESS : less(p, b, a) ? GREATER : EQUAL;
    }

    /**
     * CMPSD: all ones or zero by the predicate 0-7 (EQ, LT, LE, UNORD, NEQ, NLT, NLE, ORD), of VEX
     * encodings 0-31 (Intel SDM vol. 2A, CMPPD, table "Comparison Predicate").
     */
    public static long cmpsd(FpuState f, long a, long b, int predicate) {
        return holds(compareDouble(f, a, b, signals(predicate)), predicate) ? -1 : 0;
    }

    public static int cmpss(FpuState f, int a, int b, int predicate) {
        return holds(compareSingle(f, a, b, signals(predicate)), predicate) ? -1 : 0;
    }

    /** The upper 16 predicates are the lower ones with the other behaviour for quiet NaNs. */
    private static boolean signals(int predicate) {
        boolean ordering = (predicate & 3) == 1 || (predicate & 3) == 2;
        return ordering != ((predicate & 16) != 0);
    }

    private static boolean holds(int outcome, int predicate) {
        boolean below = outcome == LESS;
        boolean same = outcome == EQUAL;
        boolean unordered = outcome == UNORDERED;
        boolean base =
                switch (predicate & 11) {
                    case 0 -> same;
                    case 1 -> below;
                    case 2 -> below || same;
                    case 3 -> unordered;
                    case 8 -> same || unordered;
                    case 9 -> below || unordered;
                    case 10 -> below || same || unordered;
                    default -> false;
                };
        return base != ((predicate & 4) != 0);
    }

    // Two floats in a long

    public static long addps(FpuState f, long a, long b) {
        return pair(addss(f, (int) a, (int) b), addss(f, (int) (a >>> 32), (int) (b >>> 32)));
    }

    public static long subps(FpuState f, long a, long b) {
        return pair(subss(f, (int) a, (int) b), subss(f, (int) (a >>> 32), (int) (b >>> 32)));
    }

    public static long mulps(FpuState f, long a, long b) {
        return pair(mulss(f, (int) a, (int) b), mulss(f, (int) (a >>> 32), (int) (b >>> 32)));
    }

    public static long divps(FpuState f, long a, long b) {
        return pair(divss(f, (int) a, (int) b), divss(f, (int) (a >>> 32), (int) (b >>> 32)));
    }

    public static long minps(FpuState f, long a, long b) {
        return pair(minss(f, (int) a, (int) b), minss(f, (int) (a >>> 32), (int) (b >>> 32)));
    }

    public static long maxps(FpuState f, long a, long b) {
        return pair(maxss(f, (int) a, (int) b), maxss(f, (int) (a >>> 32), (int) (b >>> 32)));
    }

    public static long sqrtps(FpuState f, long b) {
        return pair(sqrtss(f, (int) b), sqrtss(f, (int) (b >>> 32)));
    }

    public static long cmpps(FpuState f, long a, long b, int predicate) {
        return pair(
                cmpss(f, (int) a, (int) b, predicate),
                cmpss(f, (int) (a >>> 32), (int) (b >>> 32), predicate));
    }

    /** ADDSUBPS: the lower float is subtracted, the upper added. */
    public static long addsubps(FpuState f, long a, long b) {
        return pair(subss(f, (int) a, (int) b), addss(f, (int) (a >>> 32), (int) (b >>> 32)));
    }

    /** HADDPS: the sum of each operand's two floats. */
    public static long haddps(FpuState f, long low, long high) {
        return pair(
                addss(f, (int) low, (int) (low >>> 32)), addss(f, (int) high, (int) (high >>> 32)));
    }

    public static long hsubps(FpuState f, long low, long high) {
        return pair(
                subss(f, (int) low, (int) (low >>> 32)), subss(f, (int) high, (int) (high >>> 32)));
    }

    static long pair(int low, int high) {
        return low & LOW | (long) high << 32;
    }
}
