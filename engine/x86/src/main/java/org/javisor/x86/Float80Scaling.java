package org.javisor.x86;

import static org.javisor.x86.Float80.BIAS;
import static org.javisor.x86.Float80.INTEGER_BIT;
import static org.javisor.x86.Float80.MAX_EXPONENT;
import static org.javisor.x86.Float80.SIGN;

/** FPREM, FPREM1, FSCALE and FXTRACT (Intel SDM vol. 2): what works on exponents and remainders. */
final class Float80Scaling {
    /** The condition code bits in the status word. */
    static final int C0 = 0x100;

    static final int C1 = 0x200;
    static final int C2 = 0x400;
    static final int C3 = 0x4000;

    static final int UNDECIDED = -1;

    private Float80Scaling() {}

    /**
     * ST0 = a, ST1 = b: the remainder of a / b, the quotient truncated or, if {@code nearest},
     * rounded to even. Where the exponents differ by 64 or more only a part of the reduction is
     * made.
     *
     * @return C0, C3, C1 (bits 2, 1, 0 of the quotient) and C2 (incomplete); {@link #UNDECIDED}
     *     where there is no quotient
     */
    static int remainder(Float80 unit, int aSe, long aSig, int bSe, long bSig, boolean nearest) {
        if (unit.settleSpecials(aSe, aSig, bSe, bSig)) {
            return UNDECIDED;
        }
        if (Float80.infinite(aSe, aSig) || bSig == 0) {
            unit.invalid();
            return UNDECIDED;
        }
        if (!unit.acceptDenormals(aSe, aSig, bSe, bSig)) {
            return UNDECIDED;
        }
        unit.useFullPrecision();
        int sign = aSe & SIGN;
        if (aSig == 0) {
            unit.set(sign, 0);
            return 0;
        }
        int aExp = Float80.normalExponent(aSe, aSig);
        long a = Float80.normalSignificand(aSig);
        if (Float80.infinite(bSe, bSig)) {
            unit.roundNormal(sign, aExp, a, 0);
            return 0;
        }
        int bExp = Float80.normalExponent(bSe, bSig);
        long b = Float80.normalSignificand(bSig);
        int distance = aExp - bExp;
        if (distance < 0) {
            if (nearest && distance == -1 && Long.compareUnsigned(a, b) > 0) {
                unit.normaliseAndRound(sign ^ SIGN, aExp, (b << 1) - a, 0);
                return quotientBits(1);
            }
            unit.roundNormal(sign, aExp, a, 0);
            return 0;
        }
        int steps = distance < 64 ? distance : distance & 31 | 32;
        boolean partial = steps != distance;
        long quotient = 0;
        if (Long.compareUnsigned(a, b) >= 0) {
            a -= b;
            quotient = 1;
        }
        if (steps != 0) {
            quotient =
                    (quotient << steps)
                            + Float80Arithmetic.divideWide(unit, a >>> -steps, a << steps, b);
            a = unit.low;
        }
        if (nearest && !partial && exceedsHalf(a, b, quotient)) {
            a = b - a;
            sign ^= SIGN;
            quotient++;
        }
        if (a == 0) {
            unit.set(aSe & SIGN, 0);
        } else {
            unit.normaliseAndRound(sign, bExp + distance - steps, a, 0);
        }
        return partial ? C2 : quotientBits(quotient);
    }

    private static boolean exceedsHalf(long remainder, long divisor, long quotient) {
        int order = Long.compareUnsigned(remainder, divisor - remainder);
        return order > 0 || order == 0 && (quotient & 1) != 0;
    }

    private static int quotientBits(long quotient) {
        return ((quotient & 4) != 0 ? C0 : 0)
                | ((quotient & 2) != 0 ? C3 : 0)
                | ((quotient & 1) != 0 ? C1 : 0);
    }

    /** a * 2^trunc(b). */
    static void scale(Float80 unit, int aSe, long aSig, int bSe, long bSig) {
        if (unit.settleSpecials(aSe, aSig, bSe, bSig)) {
            return;
        }
        boolean down = (bSe & SIGN) != 0;
        int sign = aSe & SIGN;
        boolean aInfinite = Float80.infinite(aSe, aSig);
        boolean bInfinite = Float80.infinite(bSe, bSig);
        boolean aZero = aSig == 0;
        if (bInfinite && (aInfinite && down || aZero && !down)) {
            unit.invalid();
            return;
        }
        if (!unit.acceptDenormals(aSe, aSig, bSe, bSig)) {
            return;
        }
        if (aInfinite || aZero) {
            unit.set(aSe, aSig);
            return;
        }
        if (bInfinite) {
            unit.set(down ? sign : sign | MAX_EXPONENT, down ? 0 : INTEGER_BIT);
            return;
        }
        int bExp = (bSe & MAX_EXPONENT) - BIAS;
        int distance = bExp < 0 ? 0 : bExp > 16 ? 1 << 17 : (int) (bSig >>> 63 - bExp);
        unit.useFullPrecision();
        int exp = Float80.normalExponent(aSe, aSig) + (down ? -distance : distance);
        unit.roundNormal(sign, exp, Float80.normalSignificand(aSig), 0);
    }

    /** The unbiased exponent as a number; {@link #fraction} gives what FXTRACT pushes over it. */
    static void exponent(Float80 unit, int se, long sig) {
        if (unit.settleSpecial(se, sig)) {
            return;
        }
        if (sig == 0) {
            unit.flags |= Float80.ZE;
            unit.set(SIGN | MAX_EXPONENT, INTEGER_BIT);
            return;
        }
        if (Float80.infinite(se, sig)) {
            unit.set(MAX_EXPONENT, INTEGER_BIT);
            return;
        }
        if (unit.acceptDenormal(se, sig)) {
            Float80Formats.fromInteger(unit, Float80.normalExponent(se, sig) - BIAS);
        }
    }

    /**
     * The significand with its sign as a number of 1 to 2; zero, infinity and what {@link
     * #exponent} settled as they are.
     */
    static void fraction(Float80 unit, int se, long sig) {
        if (unit.settleSpecial(se, sig)) {
            return;
        }
        if (sig == 0 || Float80.infinite(se, sig)) {
            unit.set(se, sig);
        } else {
            unit.set(se & SIGN | BIAS, Float80.normalSignificand(sig));
        }
    }
}
