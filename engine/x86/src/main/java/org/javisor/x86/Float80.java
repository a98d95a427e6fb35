package org.javisor.x86;

/**
 * The x87 unit's 80-bit arithmetic (Intel SDM vol. 1, chapters 4 and 8): an accumulator that takes
 * operands as sign and exponent (16 bits) and significand (64 bits), and leaves the result in
 * {@link #signExponent} and {@link #significand} and the exceptions in {@link #flags}. Reusable,
 * allocates nothing, for one thread.
 *
 * <p>What the control word masks decides the result: for an unmasked overflow or underflow the
 * exponent is the wrapped one, and for an unmasked invalid operation, denormal operand or division
 * by zero there is none ({@link #aborted}).
 */
final class Float80 {
    // Exceptions, in the places that the status and control words have them
    static final int IE = 1;
    static final int DE = 2;
    static final int ZE = 4;
    static final int OE = 8;
    static final int UE = 0x10;
    static final int PE = 0x20;

    /** In {@link #flags}: C1, the magnitude was rounded up. */
    static final int ROUNDED_UP = 0x200;

    static final int SIGN = 0x8000;
    static final int MAX_EXPONENT = 0x7fff;
    static final int BIAS = 0x3fff;
    static final long INTEGER_BIT = Long.MIN_VALUE;
    static final long QUIET_BIT = 1L << 62;
    static final int INDEFINITE_SIGN_EXPONENT = 0xffff;
    static final long INDEFINITE_SIGNIFICAND = INTEGER_BIT | QUIET_BIT;

    /** What an unmasked overflow takes from the exponent and an unmasked underflow adds to it. */
    private static final int WRAP = 0x6000;

    private static final int BEFORE_COMPUTATION = IE | DE | ZE;

    int signExponent;
    long significand;
    int flags;

    /** The control word: masks, precision, rounding. */
    private int control;

    /**
     * Bits of the significand that add, subtract, multiply, divide and square root keep: 24, 53 or
     * 64.
     */
    private int precision;

    /** A memory operand was denormal in its own format and no longer is in ours. */
    private boolean denormalSource;

    /** Second word of a 128-bit intermediate or of a division: the low half or the remainder. */
    private long low;

    void begin(int control) {
        this.control = control;
        flags = 0;
        denormalSource = false;
        int field = control >>> 8 & 3;
        precision = field == 0 ? 24 : field == 2 ? 53 : 64;
    }

    /** Operations that disregard the precision control. */
    void useFullPrecision() {
        precision = 64;
    }

    void markDenormalSource() {
        denormalSource = true;
    }

    /** Whether an unmasked exception prevented a result. */
    boolean aborted() {
        return (flags & ~control & BEFORE_COMPUTATION) != 0;
    }

    boolean unmasked(int exceptions) {
        return (exceptions & ~control) != 0;
    }

    int rounding() {
        return control >>> 10 & 3;
    }

    void set(int signExponent, long significand) {
        this.signExponent = signExponent;
        this.significand = significand;
    }

    static boolean zero(int se, long sig) {
        return (se & MAX_EXPONENT) == 0 && sig == 0;
    }

    static boolean infinite(int se, long sig) {
        return (se & MAX_EXPONENT) == MAX_EXPONENT && sig == INTEGER_BIT;
    }

    static boolean nan(int se, long sig) {
        return (se & MAX_EXPONENT) == MAX_EXPONENT && sig < 0 && sig != INTEGER_BIT;
    }

    static boolean signalling(int se, long sig) {
        return nan(se, sig) && (sig & QUIET_BIT) == 0;
    }

    /** Pseudo-denormals included. */
    static boolean denormal(int se, long sig) {
        return (se & MAX_EXPONENT) == 0 && sig != 0;
    }

    /** Unnormals, pseudo-infinities and pseudo-NaNs: formats that the 387 and later refuse. */
    static boolean unsupported(int se, long sig) {
        return (se & MAX_EXPONENT) != 0 && sig >= 0;
    }

    private static boolean normal(int se, long sig) {
        int e = se & MAX_EXPONENT;
        return sig < 0 && e != 0 && e != MAX_EXPONENT;
    }

    /** The exponent that belongs to the significand shifted left until its integer bit is set. */
    static int normalExponent(int se, long sig) {
        int e = se & MAX_EXPONENT;
        return e != 0 ? e : 1 - Long.numberOfLeadingZeros(sig);
    }

    static long normalSignificand(long sig) {
        return sig << Long.numberOfLeadingZeros(sig);
    }

    void invalid() {
        flags |= IE;
        set(INDEFINITE_SIGN_EXPONENT, INDEFINITE_SIGNIFICAND);
    }

    /** Raises DE for a denormal operand; false if that ends the operation. */
    boolean acceptDenormals(int aSe, long aSig, int bSe, long bSig) {
        if (denormalSource || denormal(aSe, aSig) || denormal(bSe, bSig)) {
            flags |= DE;
            return !unmasked(DE);
        }
        return true;
    }

    boolean acceptDenormal(int se, long sig) {
        return acceptDenormals(se, sig, 0, 0);
    }

    /** Unsupported formats and NaNs of one operand: true if that settled the result. */
    boolean settleSpecial(int se, long sig) {
        if (unsupported(se, sig)) {
            invalid();
            return true;
        }
        if (nan(se, sig)) {
            if ((sig & QUIET_BIT) == 0) {
                flags |= IE;
            }
            set(se, sig | QUIET_BIT);
            return true;
        }
        return false;
    }

    /**
     * Unsupported formats and NaNs: true if they settled the result. Of two NaNs the one with the
     * larger significand is passed on, but a quiet one before a signalling one (SDM vol. 1, table
     * 4-7).
     */
    boolean settleSpecials(int aSe, long aSig, int bSe, long bSig) {
        if (unsupported(aSe, aSig) || unsupported(bSe, bSig)) {
            invalid();
            return true;
        }
        boolean aNan = nan(aSe, aSig);
        boolean bNan = nan(bSe, bSig);
        if (!aNan && !bNan) {
            return false;
        }
        boolean aSignals = aNan && (aSig & QUIET_BIT) == 0;
        boolean bSignals = bNan && (bSig & QUIET_BIT) == 0;
        if (aSignals || bSignals) {
            flags |= IE;
        }
        boolean first;
        if (!aNan || !bNan) {
            first = aNan;
        } else if (aSignals != bSignals) {
            first = bSignals;
        } else if (aSig != bSig) {
            first = Long.compareUnsigned(aSig, bSig) > 0;
        } else {
            first = (aSe & SIGN) == 0;
        }
        if (first) {
            set(aSe, aSig | QUIET_BIT);
        } else {
            set(bSe, bSig | QUIET_BIT);
        }
        return true;
    }

    void add(int aSe, long aSig, int bSe, long bSig) {
        if (!normal(aSe, aSig) || !normal(bSe, bSig)) {
            if (settleSpecials(aSe, aSig, bSe, bSig)) {
                return;
            }
            if (addsInfinityOrZero(aSe, aSig, bSe, bSig)) {
                return;
            }
        } else if (denormalSource && !acceptDenormals(aSe, aSig, bSe, bSig)) {
            return;
        }
        int aExp = normalExponent(aSe, aSig);
        int bExp = normalExponent(bSe, bSig);
        long a = normalSignificand(aSig);
        long b = normalSignificand(bSig);
        if (aExp < bExp || aExp == bExp && Long.compareUnsigned(a, b) < 0) {
            addOrdered(bSe & SIGN, bExp, b, aSe & SIGN, aExp, a);
        } else {
            addOrdered(aSe & SIGN, aExp, a, bSe & SIGN, bExp, b);
        }
    }

    /** a - b; a NaN keeps its own sign. */
    void subtract(int aSe, long aSig, int bSe, long bSig) {
        add(aSe, aSig, nan(bSe, bSig) ? bSe : bSe ^ SIGN, bSig);
    }

    /** Infinities and zeros of an addition, and denormal operands that end it: true if settled. */
    private boolean addsInfinityOrZero(int aSe, long aSig, int bSe, long bSig) {
        boolean aInfinite = infinite(aSe, aSig);
        boolean bInfinite = infinite(bSe, bSig);
        if (aInfinite && bInfinite && ((aSe ^ bSe) & SIGN) != 0) {
            invalid();
            return true;
        }
        if (!acceptDenormals(aSe, aSig, bSe, bSig)) {
            return true;
        }
        if (aInfinite || bInfinite) {
            set(aInfinite ? aSe : bSe, INTEGER_BIT);
            return true;
        }
        boolean aZero = zero(aSe, aSig);
        boolean bZero = zero(bSe, bSig);
        if (aZero && bZero) {
            int sign = ((aSe ^ bSe) & SIGN) == 0 ? aSe & SIGN : zeroSign();
            set(sign, 0);
            return true;
        }
        if (aZero) {
            roundNormal(bSe & SIGN, normalExponent(bSe, bSig), normalSignificand(bSig), 0);
            return true;
        }
        if (bZero) {
            roundNormal(aSe & SIGN, normalExponent(aSe, aSig), normalSignificand(aSig), 0);
            return true;
        }
        return false;
    }

    /** The sign of an exact zero difference. */
    private int zeroSign() {
        return rounding() == 1 ? SIGN : 0;
    }

    /** Adds two normalised numbers, |a| >= |b|. */
    private void addOrdered(int aSign, int aExp, long a, int bSign, int bExp, long b) {
        int distance = aExp - bExp;
        long bHigh = shiftRightJam(b, 0, distance);
        long bLow = low;
        if (aSign == bSign) {
            long sum = a + bHigh;
            if (Long.compareUnsigned(sum, a) < 0) {
                long rest = bLow >>> 1 | bLow & 1 | sum << 63;
                roundNormal(aSign, aExp + 1, sum >>> 1 | INTEGER_BIT, rest);
            } else {
                roundNormal(aSign, aExp, sum, bLow);
            }
            return;
        }
        long high = a - bHigh - (bLow != 0 ? 1 : 0);
        long rest = -bLow;
        if ((high | rest) == 0) {
            set(zeroSign(), 0);
            return;
        }
        normaliseAndRound(aSign, aExp, high, rest);
    }

    /** Rounds a 128-bit significand, not zero, whose leading bit need not be set. */
    void normaliseAndRound(int sign, int exp, long high, long rest) {
        if (high == 0) {
            high = rest;
            rest = 0;
            exp -= 64;
        }
        int shift = Long.numberOfLeadingZeros(high);
        if (shift != 0) {
            high = high << shift | rest >>> -shift;
            rest <<= shift;
            exp -= shift;
        }
        roundNormal(sign, exp, high, rest);
    }

    /**
     * Shifts right what is 128 bits wide, or-ing what falls out into the last bit; the low half
     * goes to {@link #low}.
     */
    private long shiftRightJam(long high, long rest, int distance) {
        if (distance == 0) {
            low = rest;
            return high;
        }
        if (distance < 64) {
            long lost = rest << -distance;
            low = high << -distance | rest >>> distance | (lost != 0 ? 1 : 0);
            return high >>> distance;
        }
        if (distance < 128) {
            int d = distance - 64;
            long lost = d == 0 ? rest : high << -d | rest;
            low = high >>> d | (lost != 0 ? 1 : 0);
            return 0;
        }
        low = (high | rest) != 0 ? 1 : 0;
        return 0;
    }

    void multiply(int aSe, long aSig, int bSe, long bSig) {
        int sign = (aSe ^ bSe) & SIGN;
        if (!normal(aSe, aSig) || !normal(bSe, bSig)) {
            if (settleSpecials(aSe, aSig, bSe, bSig)) {
                return;
            }
            boolean infinite = infinite(aSe, aSig) || infinite(bSe, bSig);
            boolean zero = zero(aSe, aSig) || zero(bSe, bSig);
            if (infinite && zero) {
                invalid();
                return;
            }
            if (!acceptDenormals(aSe, aSig, bSe, bSig)) {
                return;
            }
            if (infinite || zero) {
                set(infinite ? sign | MAX_EXPONENT : sign, infinite ? INTEGER_BIT : 0);
                return;
            }
        } else if (denormalSource && !acceptDenormals(aSe, aSig, bSe, bSig)) {
            return;
        }
        int exp = normalExponent(aSe, aSig) + normalExponent(bSe, bSig) - BIAS + 1;
        long a = normalSignificand(aSig);
        long b = normalSignificand(bSig);
        normaliseAndRound(sign, exp, Math.unsignedMultiplyHigh(a, b), a * b);
    }

    /** a / b. */
    void divide(int aSe, long aSig, int bSe, long bSig) {
        int sign = (aSe ^ bSe) & SIGN;
        if (!normal(aSe, aSig) || !normal(bSe, bSig)) {
            if (settleSpecials(aSe, aSig, bSe, bSig)
                    || dividesInfinityOrZero(aSe, aSig, bSe, bSig, sign)) {
                return;
            }
        } else if (denormalSource && !acceptDenormals(aSe, aSig, bSe, bSig)) {
            return;
        }
        int exp = normalExponent(aSe, aSig) - normalExponent(bSe, bSig) + BIAS;
        long a = normalSignificand(aSig);
        long b = normalSignificand(bSig);
        long quotient;
        if (Long.compareUnsigned(a, b) < 0) {
            exp--;
            quotient = divideWide(a, 0, b);
        } else {
            quotient = divideWide(a >>> 1, a << 63, b);
        }
        roundNormal(sign, exp, quotient, fractionOfRemainder(low, b));
    }

    private boolean dividesInfinityOrZero(int aSe, long aSig, int bSe, long bSig, int sign) {
        boolean aInfinite = infinite(aSe, aSig);
        boolean bInfinite = infinite(bSe, bSig);
        boolean aZero = zero(aSe, aSig);
        boolean bZero = zero(bSe, bSig);
        if (aInfinite && bInfinite || aZero && bZero) {
            invalid();
            return true;
        }
        if (bZero && !aInfinite) {
            flags |= ZE;
            set(sign | MAX_EXPONENT, INTEGER_BIT);
            return true;
        }
        if (!acceptDenormals(aSe, aSig, bSe, bSig)) {
            return true;
        }
        if (aInfinite) {
            set(sign | MAX_EXPONENT, INTEGER_BIT);
            return true;
        }
        if (bInfinite || aZero) {
            set(sign, 0);
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
     * {@link #low}.
     */
    long divideWide(long high, long rest, long divisor) {
        // Knuth's algorithm D with two 32-bit digits.
        long d1 = divisor >>> 32;
        long d0 = divisor & 0xffffffffL;
        long q1 = quotientDigit(high, rest >>> 32, d1, d0);
        long partial = (high << 32 | rest >>> 32) - q1 * divisor;
        long q0 = quotientDigit(partial, rest & 0xffffffffL, d1, d0);
        low = (partial << 32 | rest & 0xffffffffL) - q0 * divisor;
        return (q1 << 32) + q0;
    }

    long remainder() {
        return low;
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

    void squareRoot(int se, long sig) {
        if (!normal(se, sig)) {
            if (settleSpecial(se, sig)) {
                return;
            }
            if (zero(se, sig)) {
                set(se, sig);
                return;
            }
        }
        if ((se & SIGN) != 0) {
            invalid();
            return;
        }
        if (infinite(se, sig)) {
            set(se, sig);
            return;
        }
        if (!acceptDenormal(se, sig)) {
            return;
        }
        int exp = normalExponent(se, sig) - BIAS;
        long a = normalSignificand(sig);
        boolean odd = (exp & 1) != 0;
        long high = odd ? a : a >>> 1;
        long rest = odd ? 0 : a << 63;
        long root = integerRoot(high, rest);
        roundNormal(0, (exp >> 1) + BIAS, root, low);
    }

    /**
     * The root of a 128-bit number of at least 2^126, rounded down; what the rounding needs of the
     * rest in {@link #low}.
     */
    private long integerRoot(long high, long rest) {
        double estimate = Math.sqrt(toDouble(high)) * 0x1p32;
        long q = estimate >= 0x1p64 ? -1L : (long) (estimate / 2) << 1;
        // One Newton step brings 50 good bits to 64; the loops make the last unit exact.
        long dHigh =
                high
                        - Math.unsignedMultiplyHigh(q, q)
                        - (Long.compareUnsigned(rest, q * q) < 0 ? 1 : 0);
        double difference = dHigh * 0x1p64 + toDouble(rest - q * q);
        long corrected = q + (long) (difference / (2 * toDouble(q)));
        q = corrected < 0 ? corrected : corrected < QUIET_BIT ? -1L : INTEGER_BIT;
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
            low = 0;
        } else if (remainderHigh != 0 || Long.compareUnsigned(remainderLow, q) > 0) {
            low = INTEGER_BIT | 1;
        } else {
            low = 1;
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

    /** Rounds to the precision in force. */
    void roundNormal(int sign, int exp, long high, long rest) {
        if (exp <= 0) {
            roundTiny(sign, exp, high, rest);
            return;
        }
        int drop = 64 - precision;
        long kept = high >>> drop << drop;
        long fraction = drop == 0 ? rest : high << precision | (rest != 0 ? 1 : 0);
        if (fraction != 0) {
            flags |= PE;
            if (roundsUp(sign, fraction, (kept >>> drop & 1) != 0)) {
                flags |= ROUNDED_UP;
                kept += 1L << drop;
                if (kept == 0) {
                    kept = INTEGER_BIT;
                    exp++;
                }
            }
        }
        if (exp >= MAX_EXPONENT) {
            overflow(sign, exp, kept);
        } else {
            set(sign | exp, kept);
        }
    }

    /** Whether to add one unit for a discarded fraction (of 2^64), not zero. */
    boolean roundsUp(int sign, long fraction, boolean odd) {
        return switch (rounding()) {
            case 0 -> fraction < 0 && (fraction != INTEGER_BIT || odd);
            case 1 -> sign != 0;
            case 2 -> sign == 0;
            default -> false;
        };
    }

    private void overflow(int sign, int exp, long kept) {
        flags |= OE;
        if (unmasked(OE)) {
            int wrapped = exp - WRAP;
            if (wrapped < MAX_EXPONENT) {
                set(sign | wrapped, kept);
            } else {
                flags |= PE | ROUNDED_UP;
                set(sign | MAX_EXPONENT, INTEGER_BIT);
            }
            return;
        }
        flags |= PE;
        if (roundsUp(sign, -1L, true)) {
            flags |= ROUNDED_UP;
            set(sign | MAX_EXPONENT, INTEGER_BIT);
        } else {
            set(sign | MAX_EXPONENT - 1, -1L << 64 - precision);
        }
    }

    /**
     * Rounds a number whose exponent is below the smallest: denormalised if underflow is masked.
     */
    private void roundTiny(int sign, int exp, long high, long rest) {
        int drop = 64 - precision;
        long fraction = drop == 0 ? rest : high << precision | (rest != 0 ? 1 : 0);
        long kept = high >>> drop << drop;
        boolean up = fraction != 0 && roundsUp(sign, fraction, (kept >>> drop & 1) != 0);
        boolean carries = up && kept + (1L << drop) == 0;
        // Tininess is detected after rounding.
        boolean tiny = exp < 0 || !carries;
        if (unmasked(UE) && tiny) {
            wrapUnderflow(
                    sign,
                    carries ? exp + 1 : exp,
                    carries ? INTEGER_BIT : up ? kept + (1L << drop) : kept);
            flags |= fraction == 0 ? 0 : up ? PE | ROUNDED_UP : PE;
            return;
        }
        high = shiftRightJam(high, rest, 1 - exp);
        rest = low;
        fraction = drop == 0 ? rest : high << precision | (rest != 0 ? 1 : 0);
        kept = high >>> drop << drop;
        if (fraction != 0) {
            flags |= tiny ? PE | UE : PE;
            if (roundsUp(sign, fraction, (kept >>> drop & 1) != 0)) {
                flags |= ROUNDED_UP;
                kept += 1L << drop;
            }
        }
        set(kept < 0 ? sign | 1 : sign, kept);
    }

    private void wrapUnderflow(int sign, int exp, long kept) {
        flags |= UE;
        int wrapped = exp + WRAP;
        if (wrapped > 0) {
            set(sign | wrapped, kept);
        } else {
            flags |= PE;
            set(sign, 0);
        }
    }

    /**
     * -1, 0, 1 for less, equal, greater, or 2 for unordered; quiet NaNs are invalid unless {@code
     * quiet}.
     */
    int compare(int aSe, long aSig, int bSe, long bSig, boolean quiet) {
        if (unsupported(aSe, aSig) || unsupported(bSe, bSig)) {
            flags |= IE;
            return 2;
        }
        if (nan(aSe, aSig) || nan(bSe, bSig)) {
            if (!quiet || signalling(aSe, aSig) || signalling(bSe, bSig)) {
                flags |= IE;
            }
            return 2;
        }
        acceptDenormals(aSe, aSig, bSe, bSig);
        if (zero(aSe, aSig) && zero(bSe, bSig)) {
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
