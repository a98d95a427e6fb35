package org.javisor.x86;

import static org.javisor.x86.Float80.BIAS;
import static org.javisor.x86.Float80.INTEGER_BIT;
import static org.javisor.x86.Float80.MAX_EXPONENT;
import static org.javisor.x86.Float80.SIGN;

/** Addition, multiplication, division, square root and comparison in a {@link Float80}. */
final class Float80Arithmetic {
    private Float80Arithmetic() {}

    static void add(Float80 unit, int aSe, long aSig, int bSe, long bSig) {
        if (!Float80.normal(aSe, aSig) || !Float80.normal(bSe, bSig)) {
            if (unit.settleSpecials(aSe, aSig, bSe, bSig)) {
                return;
            }
            if (addsInfinityOrZero(unit, aSe, aSig, bSe, bSig)) {
                return;
            }
        } else if (unit.denormalSource && !unit.acceptDenormals(aSe, aSig, bSe, bSig)) {
            return;
        }
        int aExp = Float80.normalExponent(aSe, aSig);
        int bExp = Float80.normalExponent(bSe, bSig);
        long a = Float80.normalSignificand(aSig);
        long b = Float80.normalSignificand(bSig);
        if (aExp < bExp || aExp == bExp && Long.compareUnsigned(a, b) < 0) {
            addOrdered(unit, bSe & SIGN, bExp, b, aSe & SIGN, aExp, a);
        } else {
            addOrdered(unit, aSe & SIGN, aExp, a, bSe & SIGN, bExp, b);
        }
    }

    /** a - b; a NaN keeps its own sign. */
    static void subtract(Float80 unit, int aSe, long aSig, int bSe, long bSig) {
        add(unit, aSe, aSig, Float80.nan(bSe, bSig) ? bSe : bSe ^ SIGN, bSig);
    }

    /** Infinities and zeros of an addition, and denormal operands that end it: true if settled. */
    private static boolean addsInfinityOrZero(
            Float80 unit, int aSe, long aSig, int bSe, long bSig) {
        boolean aInfinite = Float80.infinite(aSe, aSig);
        boolean bInfinite = Float80.infinite(bSe, bSig);
        if (aInfinite && bInfinite && ((aSe ^ bSe) & SIGN) != 0) {
            unit.invalid();
            return true;
        }
        if (!unit.acceptDenormals(aSe, aSig, bSe, bSig)) {
            return true;
        }
        if (aInfinite || bInfinite) {
            unit.set(aInfinite ? aSe : bSe, INTEGER_BIT);
            return true;
        }
        boolean aZero = Float80.zero(aSe, aSig);
        boolean bZero = Float80.zero(bSe, bSig);
        if (aZero && bZero) {
            int sign = ((aSe ^ bSe) & SIGN) == 0 ? aSe & SIGN : zeroSign(unit);
            unit.set(sign, 0);
            return true;
        }
        if (aZero) {
            unit.roundNormal(
                    bSe & SIGN,
                    Float80.normalExponent(bSe, bSig),
                    Float80.normalSignificand(bSig),
                    0);
            return true;
        }
        if (bZero) {
            unit.roundNormal(
                    aSe & SIGN,
                    Float80.normalExponent(aSe, aSig),
                    Float80.normalSignificand(aSig),
                    0);
            return true;
        }
        return false;
    }

    /** The sign of an exact zero difference. */
    private static int zeroSign(Float80 unit) {
        return unit.rounding() == 1 ? SIGN : 0;
    }

    /** Adds two normalised numbers, |a| >= |b|. */
    private static void addOrdered(
            Float80 unit, int aSign, int aExp, long a, int bSign, int bExp, long b) {
        int distance = aExp - bExp;
        long bHigh = unit.shiftRightJam(b, 0, distance);
        long bLow = unit.low;
        if (aSign == bSign) {
            long sum = a + bHigh;
            if (Long.compareUnsigned(sum, a) < 0) {
                long rest = bLow >>> 1 | bLow & 1 | sum << 63;
                unit.roundNormal(aSign, aExp + 1, sum >>> 1 | INTEGER_BIT, rest);
            } else {
                unit.roundNormal(aSign, aExp, sum, bLow);
            }
            return;
        }
        long high = a - bHigh - (bLow != 0 ? 1 : 0);
        long rest = -bLow;
        if ((high | rest) == 0) {
            unit.set(zeroSign(unit), 0);
            return;
        }
        unit.normaliseAndRound(aSign, aExp, high, rest);
    }

    static void multiply(Float80 unit, int aSe, long aSig, int bSe, long bSig) {
        int sign = (aSe ^ bSe) & SIGN;
        if (!Float80.normal(aSe, aSig) || !Float80.normal(bSe, bSig)) {
            if (unit.settleSpecials(aSe, aSig, bSe, bSig)) {
                return;
            }
            boolean infinite = Float80.infinite(aSe, aSig) || Float80.infinite(bSe, bSig);
            boolean zero = Float80.zero(aSe, aSig) || Float80.zero(bSe, bSig);
            if (infinite && zero) {
                unit.invalid();
                return;
            }
            if (!unit.acceptDenormals(aSe, aSig, bSe, bSig)) {
                return;
            }
            if (infinite || zero) {
                unit.set(infinite ? sign | MAX_EXPONENT : sign, infinite ? INTEGER_BIT : 0);
                return;
            }
        } else if (unit.denormalSource && !unit.acceptDenormals(aSe, aSig, bSe, bSig)) {
            return;
        }
        int exp = Float80.normalExponent(aSe, aSig) + Float80.normalExponent(bSe, bSig) - BIAS + 1;
        long a = Float80.normalSignificand(aSig);
        long b = Float80.normalSignificand(bSig);
        unit.normaliseAndRound(sign, exp, Math.unsignedMultiplyHigh(a, b), a * b);
    }

    /** a / b. */
    static void divide(Float80 unit, int aSe, long aSig, int bSe, long bSig) {
        int sign = (aSe ^ bSe) & SIGN;
        if (!Float80.normal(aSe, aSig) || !Float80.normal(bSe, bSig)) {
            if (unit.settleSpecials(aSe, aSig, bSe, bSig)
                    || dividesInfinityOrZero(unit, aSe, aSig, bSe, bSig, sign)) {
                return;
            }
        } else if (unit.denormalSource && !unit.acceptDenormals(aSe, aSig, bSe, bSig)) {
            return;
        }
        int exp = Float80.normalExponent(aSe, aSig) - Float80.normalExponent(bSe, bSig) + BIAS;
        long a = Float80.normalSignificand(aSig);
        long b = Float80.normalSignificand(bSig);
        long quotient;
        if (Long.compareUnsigned(a, b) < 0) {
            exp--;
            quotient = divideWide(unit, a, 0, b);
        } else {
            quotient = divideWide(unit, a >>> 1, a << 63, b);
        }
        unit.roundNormal(sign, exp, quotient, fractionOfRemainder(unit.low, b));
    }

    private static boolean dividesInfinityOrZero(
            Float80 unit, int aSe, long aSig, int bSe, long bSig, int sign) {
        boolean aInfinite = Float80.infinite(aSe, aSig);
        boolean bInfinite = Float80.infinite(bSe, bSig);
        boolean aZero = Float80.zero(aSe, aSig);
        boolean bZero = Float80.zero(bSe, bSig);
        if (aInfinite && bInfinite || aZero && bZero) {
            unit.invalid();
            return true;
        }
        if (bZero && !aInfinite) {
            unit.flags |= Float80.ZE;
            unit.set(sign | MAX_EXPONENT, INTEGER_BIT);
            return true;
        }
        if (!unit.acceptDenormals(aSe, aSig, bSe, bSig)) {
            return true;
        }
        if (aInfinite) {
            unit.set(sign | MAX_EXPONENT, INTEGER_BIT);
            return true;
        }
        if (bInfinite || aZero) {
            unit.set(sign, 0);
            return true;
        }
        return false;
    }

    /**
     * What rounding needs to know of remainder / divisor: nothing, less than half, half, or more.
     */
    private static long fractionOfRemainder(long remainder, long divisor) {
        if (remainder == 0) {
            return 0;
        }
        int order = Long.compareUnsigned(remainder, divisor - remainder);
        return order < 0 ? 1 : order == 0 ? INTEGER_BIT : INTEGER_BIT | 1;
    }

    /**
     * (high:rest) / divisor for high < divisor and a divisor with its top bit set; remainder in
     * {@link Float80#low}.
     */
    static long divideWide(Float80 unit, long high, long rest, long divisor) {
        // Knuth's algorithm D with two 32-bit digits.
        long d1 = divisor >>> 32;
        long d0 = divisor & 0xffffffffL;
        long q1 = quotientDigit(high, rest >>> 32, d1, d0);
        long partial = (high << 32 | rest >>> 32) - q1 * divisor;
        long q0 = quotientDigit(partial, rest & 0xffffffffL, d1, d0);
        unit.low = (partial << 32 | rest & 0xffffffffL) - q0 * divisor;
        return (q1 << 32) + q0;
    }

    private static long quotientDigit(long high, long nextDigit, long d1, long d0) {
        long q = Long.divideUnsigned(high, d1);
        long r = high - q * d1;
        while (q >>> 32 != 0 || Long.compareUnsigned(q * d0, r << 32 | nextDigit) > 0) {
            q--;
            r += d1;
            if (r >>> 32 != 0) {
                break;
            }
        }
        return q;
    }

    static void squareRoot(Float80 unit, int se, long sig) {
        if (!Float80.normal(se, sig)) {
            if (unit.settleSpecial(se, sig)) {
                return;
            }
            if (Float80.zero(se, sig)) {
                unit.set(se, sig);
                return;
            }
        }
        if ((se & SIGN) != 0) {
            unit.invalid();
            return;
        }
        if (Float80.infinite(se, sig)) {
            unit.set(se, sig);
            return;
        }
        if (!unit.acceptDenormal(se, sig)) {
            return;
        }
        int exp = Float80.normalExponent(se, sig) - BIAS;
        long a = Float80.normalSignificand(sig);
        boolean odd = (exp & 1) != 0;
        long high = odd ? a : a >>> 1;
        long rest = odd ? 0 : a << 63;
        long root = integerRoot(unit, high, rest);
        unit.roundNormal(0, (exp >> 1) + BIAS, root, unit.low);
    }

    /**
     * The root of a 128-bit number of at least 2^126, rounded down; what the rounding needs of the
     * rest in {@link Float80#low}.
     */
    private static long integerRoot(Float80 unit, long high, long rest) {
        double estimate = Math.sqrt(toDouble(high)) * 0x1p32;
        long q = estimate >= 0x1p64 ? -1L : (long) (estimate / 2) << 1;
        // One Newton step brings 50 good bits to 64; the loops make the last unit exact.
        long dHigh =
                high
                        - Math.unsignedMultiplyHigh(q, q)
                        - (Long.compareUnsigned(rest, q * q) < 0 ? 1 : 0);
        double difference = dHigh * 0x1p64 + toDouble(rest - q * q);
        long corrected = q + (long) (difference / (2 * toDouble(q)));
        q = corrected < 0 ? corrected : corrected < Float80.QUIET_BIT ? -1L : INTEGER_BIT;
        while (exceeds(q, high, rest)) {
            q--;
        }
        while (q != -1L && !exceeds(q + 1, high, rest)) {
            q++;
        }
        long remainderLow = rest - q * q;
        long remainderHigh =
                high
                        - Math.unsignedMultiplyHigh(q, q)
                        - (Long.compareUnsigned(rest, q * q) < 0 ? 1 : 0);
        if ((remainderHigh | remainderLow) == 0) {
            unit.low = 0;
        } else if (remainderHigh != 0 || Long.compareUnsigned(remainderLow, q) > 0) {
            unit.low = INTEGER_BIT | 1;
        } else {
            unit.low = 1;
        }
        return q;
    }

    private static boolean exceeds(long q, long high, long rest) {
        int order = Long.compareUnsigned(Math.unsignedMultiplyHigh(q, q), high);
        return order > 0 || order == 0 && Long.compareUnsigned(q * q, rest) > 0;
    }

    private static double toDouble(long unsigned) {
        return (unsigned >>> 1) * 2.0 + (unsigned & 1);
    }

    /**
     * -1, 0, 1 for less, equal, greater, or 2 for unordered; quiet NaNs are invalid unless {@code
     * quiet}.
     */
    static int compare(Float80 unit, int aSe, long aSig, int bSe, long bSig, boolean quiet) {
        if (Float80.unsupported(aSe, aSig) || Float80.unsupported(bSe, bSig)) {
            unit.flags |= Float80.IE;
            return 2;
        }
        if (Float80.nan(aSe, aSig) || Float80.nan(bSe, bSig)) {
            if (!quiet || Float80.signalling(aSe, aSig) || Float80.signalling(bSe, bSig)) {
                unit.flags |= Float80.IE;
            }
            return 2;
        }
        unit.acceptDenormals(aSe, aSig, bSe, bSig);
        if (Float80.zero(aSe, aSig) && Float80.zero(bSe, bSig)) {
            return 0;
        }
        boolean aNegative = (aSe & SIGN) != 0;
        if (((aSe ^ bSe) & SIGN) != 0) {
            return aNegative ? -1 : 1;
        }
        // A pseudo-denormal has the exponent of the smallest normal numbers.
        int aExp = Math.max(aSe & MAX_EXPONENT, 1);
        int bExp = Math.max(bSe & MAX_EXPONENT, 1);
        int order = aExp != bExp ? Integer.compare(aExp, bExp) : Long.compareUnsigned(aSig, bSig);
        return aNegative ? -order : order;
    }
}
