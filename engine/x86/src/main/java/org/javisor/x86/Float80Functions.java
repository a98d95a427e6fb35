package org.javisor.x86;

import static org.javisor.x86.Float80.BIAS;
import static org.javisor.x86.Float80.INTEGER_BIT;
import static org.javisor.x86.Float80.MAX_EXPONENT;
import static org.javisor.x86.Float80.SIGN;

/**
 * F2XM1, FYL2X, FYL2XP1, FSIN, FCOS, FPTAN and FPATAN (Intel SDM vol. 1, 8.3.10 and vol. 2): series
 * in {@link WideFloat}, rounded once, which is well within the unit in the last place that
 * processors promise. Operands of the trigonometric functions are reduced by the 66-bit pi of
 * 8.3.8, as the processors do it.
 */
final class Float80Functions {
    private static final WideFloat PI = new WideFloat(1, 0xc90fdaa22168c234L, 0xc4c6628b80dc1cd1L);
    private static final WideFloat HALF_PI = new WideFloat(0, PI.high, PI.low);
    private static final WideFloat LN_2 =
            new WideFloat(-1, 0xb17217f7d1cf79abL, 0xc9e3b39803f2f6afL);

    /** 2 log2(e): what turns the series of artanh into a binary logarithm. */
    private static final WideFloat TWO_LOG2_E =
            new WideFloat(1, 0xb8aa3b295c17f0bbL, 0xbe87fed0691d3e88L);

    /** Half of the 66-bit pi is this times 2^-65; these are its bits 64-65 and 0-63. */
    private static final long SHORT_PI_HIGH = 3;

    private static final long SHORT_PI_LOW = 0x243f6a8885a308d3L;

    /** 2/pi times 2^64. */
    private static final long TWO_OVER_PI = 0xa2f9836e4e44152aL;

    /** Significand of the square root of 2. */
    private static final long SQRT_2 = 0xb504f333f9de6484L;

    private static final int EXPONENTIAL_TERMS = 26;
    private static final int CIRCULAR_TERMS = 14;
    private static final int LOGARITHM_TERMS = 20;
    private static final int ARCTANGENT_TERMS = 12;

    /** 1 / n!. */
    private static final WideFloat[] INVERSE_FACTORIAL = inverseFactorials();

    /** 1 / (2n + 1). */
    private static final WideFloat[] INVERSE_ODD = inverseOdds();

    /** arctan(n / 16). */
    private static final WideFloat[] ARCTANGENT = arctangents();

    private final Float80 unit;
    private final WideFloat x = new WideFloat();
    private final WideFloat y = new WideFloat();
    private final WideFloat result = new WideFloat();
    private final WideFloat square = new WideFloat();
    private final WideFloat work = new WideFloat();
    private final WideFloat work2 = new WideFloat();
    private final WideFloat work3 = new WideFloat();

    Float80Functions(Float80 unit) {
        this.unit = unit;
    }

    private static WideFloat[] inverseFactorials() {
        WideFloat[] table = new WideFloat[2 * CIRCULAR_TERMS + 2];
        table[0] = WideFloat.ONE;
        for (int n = 1; n < table.length; n++) {
            table[n] = new WideFloat();
            table[n].divide(table[n - 1], n);
        }
        return table;
    }

    private static WideFloat[] inverseOdds() {
        WideFloat[] table = new WideFloat[LOGARITHM_TERMS];
        for (int n = 0; n < table.length; n++) {
            table[n] = new WideFloat();
            table[n].divide(WideFloat.ONE, 2 * n + 1);
        }
        return table;
    }

    private static WideFloat[] arctangents() {
        WideFloat[] table = new WideFloat[17];
        table[0] = new WideFloat();
        WideFloat step = new WideFloat();
        WideFloat divisor = new WideFloat();
        WideFloat square = new WideFloat();
        for (int n = 1; n < table.length; n++) {
            // arctan(n/16) - arctan((n-1)/16) = arctan(16 / (256 + n(n-1)))
            divisor.setInteger(256 + n * (n - 1));
            step.reciprocal(divisor, square);
            step.exponent += 4;
            square.multiply(step, step);
            WideFloat sum = new WideFloat();
            for (int term = LOGARITHM_TERMS - 1; term >= 0; term--) {
                sum.multiply(sum, square);
                sum.subtract(INVERSE_ODD[term], sum);
            }
            sum.multiply(sum, step);
            sum.add(sum, table[n - 1]);
            table[n] = sum;
        }
        return table;
    }

    private static void load(WideFloat to, int se, long sig) {
        to.set(
                (se & SIGN) != 0,
                Float80.normalExponent(se, sig) - BIAS,
                Float80.normalSignificand(sig),
                0);
    }

    /** Rounds a number that is known not to be exact. */
    private void finish(WideFloat value) {
        unit.useFullPrecision();
        unit.normaliseAndRound(
                value.negative ? SIGN : 0, value.exponent + BIAS, value.high, value.low | 1);
    }

    // 2^x - 1

    void exponential(int se, long sig) {
        if (unit.settleSpecial(se, sig)) {
            return;
        }
        boolean negative = (se & SIGN) != 0;
        if (Float80.infinite(se, sig)) {
            unit.set(negative ? SIGN | BIAS : se, sig);
            return;
        }
        if (sig == 0) {
            unit.set(se, sig);
            return;
        }
        if (!unit.acceptDenormal(se, sig)) {
            return;
        }
        if ((se & MAX_EXPONENT) >= BIAS) {
            // At the limits the result is exact, though processors call it inexact; beyond them it
            // is undefined.
            boolean one = (se & MAX_EXPONENT) == BIAS && sig == INTEGER_BIT;
            unit.set(one && negative ? SIGN | BIAS - 1 : se, sig);
            unit.flags |= Float80.PE;
            return;
        }
        load(x, se, sig);
        x.multiply(x, LN_2);
        result.set(INVERSE_FACTORIAL[EXPONENTIAL_TERMS]);
        for (int n = EXPONENTIAL_TERMS - 1; n > 0; n--) {
            result.multiply(result, x);
            result.add(result, INVERSE_FACTORIAL[n]);
        }
        result.multiply(result, x);
        finish(result);
    }

    // y log2(x) and y log2(x + 1)

    /** ST1 = y, ST0 = x. */
    void logarithm(int ySe, long ySig, int xSe, long xSig) {
        if (unit.settleSpecials(xSe, xSig, ySe, ySig)) {
            return;
        }
        boolean yInfinite = Float80.infinite(ySe, ySig);
        boolean yZero = ySig == 0;
        boolean xIsOne = xSe == BIAS && xSig == INTEGER_BIT;
        if (xSig != 0 && (xSe & SIGN) != 0
                || xSig == 0 && yZero
                || Float80.infinite(xSe, xSig) && yZero
                || xIsOne && yInfinite) {
            unit.invalid();
            return;
        }
        if (xSig == 0) {
            if (!yInfinite) {
                unit.flags |= Float80.ZE;
            }
            unit.set((ySe ^ SIGN) & SIGN | MAX_EXPONENT, INTEGER_BIT);
            return;
        }
        if (!unit.acceptDenormals(xSe, xSig, ySe, ySig)) {
            return;
        }
        boolean below = (xSe & MAX_EXPONENT) < BIAS;
        int sign = (below ? ySe ^ SIGN : ySe) & SIGN;
        if (yInfinite || Float80.infinite(xSe, xSig)) {
            unit.set(sign | MAX_EXPONENT, INTEGER_BIT);
            return;
        }
        if (yZero || xIsOne) {
            unit.set(sign, 0);
            return;
        }
        load(x, xSe, xSig);
        boolean powerOfTwo = x.high == INTEGER_BIT;
        log2();
        load(y, ySe, ySig);
        result.multiply(result, y);
        if (powerOfTwo) {
            // The product may be exact, though processors call it inexact too.
            unit.useFullPrecision();
            unit.normaliseAndRound(
                    result.negative ? SIGN : 0, result.exponent + BIAS, result.high, result.low);
            boolean denormal = Float80.denormal(unit.signExponent, unit.significand);
            unit.flags |= denormal ? Float80.PE | Float80.UE : Float80.PE;
        } else {
            finish(result);
        }
    }

    /** The binary logarithm of x, into the result. */
    private void log2() {
        int integer = x.exponent;
        x.exponent = 0;
        if (Long.compareUnsigned(x.high, SQRT_2) > 0) {
            x.exponent = -1;
            integer++;
        }
        work.subtract(x, WideFloat.ONE);
        work2.add(x, WideFloat.ONE);
        artanhQuotient();
        if (integer != 0) {
            work.setInteger(Math.abs(integer));
            work.negative = integer < 0;
            result.add(result, work);
        }
    }

    /** 2 log2(e) artanh(work / work2), into the result, for a quotient of less than 0.18. */
    private void artanhQuotient() {
        if (work.isZero()) {
            result.set(work);
            return;
        }
        work3.reciprocal(work2, square);
        work.multiply(work, work3);
        square.multiply(work, work);
        result.set(INVERSE_ODD[LOGARITHM_TERMS - 1]);
        for (int n = LOGARITHM_TERMS - 2; n >= 0; n--) {
            result.multiply(result, square);
            result.add(result, INVERSE_ODD[n]);
        }
        result.multiply(result, work);
        result.multiply(result, TWO_LOG2_E);
    }

    /** ST1 = y, ST0 = x. */
    void logarithmOfNext(int ySe, long ySig, int xSe, long xSig) {
        if (unit.settleSpecials(xSe, xSig, ySe, ySig)) {
            return;
        }
        boolean yInfinite = Float80.infinite(ySe, ySig);
        boolean xInfinite = Float80.infinite(xSe, xSig);
        boolean xNegative = (xSe & SIGN) != 0;
        int sign = (xSe ^ ySe) & SIGN;
        if (xSig == 0 && yInfinite || xInfinite && (xNegative || ySig == 0)) {
            unit.invalid();
            return;
        }
        if (!unit.acceptDenormals(xSe, xSig, ySe, ySig)) {
            return;
        }
        if (xInfinite || yInfinite) {
            unit.set(sign | MAX_EXPONENT, INTEGER_BIT);
            return;
        }
        if (xSig == 0 || ySig == 0) {
            unit.set(sign, 0);
            return;
        }
        load(x, xSe, xSig);
        if (x.exponent >= -2) {
            if (xNegative && x.exponent >= 0) {
                // Undefined: the operand is not above -1.
                unit.set(xSe, xSig);
                unit.flags |= Float80.PE;
                return;
            }
            x.add(x, WideFloat.ONE);
            log2();
        } else {
            work.set(x);
            work2.setInteger(2);
            work2.add(work2, x);
            artanhQuotient();
        }
        load(y, ySe, ySig);
        result.multiply(result, y);
        finish(result);
    }

    // arctan(y / x)

    /** ST1 = y, ST0 = x: the angle of the point (x, y). */
    void arctangent(int ySe, long ySig, int xSe, long xSig) {
        if (unit.settleSpecials(xSe, xSig, ySe, ySig)) {
            return;
        }
        if (!unit.acceptDenormals(xSe, xSig, ySe, ySig)) {
            return;
        }
        boolean left = (xSe & SIGN) != 0;
        boolean xInfinite = Float80.infinite(xSe, xSig);
        boolean yInfinite = Float80.infinite(ySe, ySig);
        if (ySig == 0 || xInfinite && !yInfinite) {
            if (!left) {
                unit.set(ySe & SIGN, 0);
                return;
            }
            result.set(PI);
        } else if (xSig == 0 || yInfinite && !xInfinite) {
            result.set(HALF_PI);
        } else if (xInfinite) {
            result.set(HALF_PI);
            result.exponent--;
            if (left) {
                result.subtract(PI, result);
            }
        } else {
            angle(ySe, ySig, xSe, xSig);
        }
        result.negative = (ySe & SIGN) != 0;
        finish(result);
    }

    private void angle(int ySe, long ySig, int xSe, long xSig) {
        load(x, xSe & MAX_EXPONENT, xSig);
        load(y, ySe & MAX_EXPONENT, ySig);
        boolean steep = y.compareMagnitude(x) > 0;
        work3.reciprocal(steep ? y : x, square);
        work.multiply(steep ? x : y, work3);
        arctangentOfWork();
        if (steep) {
            result.subtract(HALF_PI, result);
        }
        if ((xSe & SIGN) != 0) {
            result.subtract(PI, result);
        }
    }

    /** arctan(work) for 0 < work <= 1, into the result. */
    private void arctangentOfWork() {
        int n = work.exponent < -5 ? 0 : (int) (work.high >>> 58 - work.exponent);
        // Nearest multiple of 1/16: work lies between 0 and 1, its top 5 to 6 bits decide.
        n = n + 1 >> 1;
        if (n != 0) {
            // (work - c) / (1 + c work) with c = n / 16
            work2.setInteger(n);
            work2.exponent -= 4;
            work3.multiply(work2, work);
            work3.add(work3, WideFloat.ONE);
            work.subtract(work, work2);
            work2.reciprocal(work3, square);
            work.multiply(work, work2);
        }
        square.multiply(work, work);
        result.set(INVERSE_ODD[ARCTANGENT_TERMS - 1]);
        for (int term = ARCTANGENT_TERMS - 2; term >= 0; term--) {
            result.multiply(result, square);
            result.subtract(INVERSE_ODD[term], result);
        }
        result.multiply(result, work);
        if (n != 0) {
            result.add(result, ARCTANGENT[n]);
        }
    }

    // Trigonometric functions

    /** Whether an operand is in the range of FSIN, FCOS, FSINCOS and FPTAN: below 2^63. */
    static boolean inRange(int se, long sig) {
        int exponent = se & MAX_EXPONENT;
        return exponent < BIAS + 63 || exponent == MAX_EXPONENT || Float80.unsupported(se, sig);
    }

    void sine(int se, long sig) {
        if (!settlesCircular(se, sig, true)) {
            circular(reduce(se, sig));
            finish(result);
        }
    }

    void cosine(int se, long sig) {
        if (!settlesCircular(se, sig, false)) {
            circular(reduce(se, sig) + 1);
            finish(result);
        }
    }

    void tangent(int se, long sig) {
        if (settlesCircular(se, sig, true)) {
            return;
        }
        int quadrant = reduce(se, sig);
        circular(quadrant + 1);
        y.set(result);
        circular(quadrant);
        work.reciprocal(y, square);
        result.multiply(result, work);
        finish(result);
    }

    /** Zeros, infinities, NaNs and refused denormals. */
    private boolean settlesCircular(int se, long sig, boolean odd) {
        if (unit.settleSpecial(se, sig)) {
            return true;
        }
        if (Float80.infinite(se, sig)) {
            unit.invalid();
            return true;
        }
        if (sig == 0) {
            unit.set(odd ? se : BIAS, odd ? 0 : INTEGER_BIT);
            return true;
        }
        return !unit.acceptDenormal(se, sig);
    }

    /**
     * Leaves in x what remains of the operand modulo pi/2, within pi/4 of zero; the multiple,
     * modulo 4.
     */
    private int reduce(int se, long sig) {
        load(x, se, sig);
        if (x.exponent < -1) {
            return 0;
        }
        // In units of 2^-65 the operand is an integer of 66 to 128 bits, and so is half of pi.
        int shift = x.exponent + 2;
        long high = shift == 64 ? sig : sig >>> -shift;
        long rest = shift == 64 ? 0 : sig << shift;
        // Quotient, rounded: operand * 2/pi, which is below 2^63, with a half added.
        long scaled = Math.unsignedMultiplyHigh(sig, TWO_OVER_PI);
        int drop = 63 - x.exponent;
        long quotient = drop == 0 ? scaled : (scaled >>> drop - 1) + 1 >>> 1;
        long productLow = quotient * SHORT_PI_LOW;
        long productHigh =
                Math.unsignedMultiplyHigh(quotient, SHORT_PI_LOW) + quotient * SHORT_PI_HIGH;
        long differenceLow = rest - productLow;
        long differenceHigh =
                high - productHigh - (Long.compareUnsigned(rest, productLow) < 0 ? 1 : 0);
        boolean negative = differenceHigh < 0;
        if (negative) {
            differenceLow = -differenceLow;
            differenceHigh = ~differenceHigh + (differenceLow == 0 ? 1 : 0);
        }
        boolean operandNegative = x.negative;
        x.set(false, 0, 0, 0);
        setFixed(x, negative != operandNegative, differenceHigh, differenceLow);
        return (int) (operandNegative ? -quotient : quotient) & 3;
    }

    /** (high:low) times 2^-65. */
    private static void setFixed(WideFloat to, boolean negative, long high, long low) {
        int exponent = 127 - 65;
        if (high == 0) {
            high = low;
            low = 0;
            exponent -= 64;
        }
        if (high == 0) {
            return;
        }
        int shift = Long.numberOfLeadingZeros(high);
        if (shift != 0) {
            high = high << shift | low >>> -shift;
            low <<= shift;
        }
        to.set(negative, exponent - shift, high, low);
    }

    /** The sine of x + quadrant * pi/2, into the result. */
    private void circular(int quadrant) {
        boolean sine = (quadrant & 1) == 0;
        square.multiply(x, x);
        int first = sine ? 1 : 0;
        result.set(INVERSE_FACTORIAL[first + 2 * CIRCULAR_TERMS]);
        for (int n = CIRCULAR_TERMS - 1; n >= 0; n--) {
            result.multiply(result, square);
            result.subtract(INVERSE_FACTORIAL[first + 2 * n], result);
        }
        if (sine) {
            result.multiply(result, x);
        }
        if ((quadrant & 2) != 0) {
            result.negative = !result.negative;
        }
    }
}
