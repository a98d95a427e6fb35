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
    boolean denormalSource;

    /** Second word of a 128-bit intermediate or of a division: the low half or the remainder. */
    long low;

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

    static boolean normal(int se, long sig) {
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
    long shiftRightJam(long high, long rest, int distance) {
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
}
