package org.javisor.x86;

import static org.javisor.x86.Float80.INTEGER_BIT;
import static org.javisor.x86.Float80.MAX_EXPONENT;
import static org.javisor.x86.Float80.QUIET_BIT;
import static org.javisor.x86.Float80.SIGN;

/**
 * Conversions between the 80-bit format and those of the x87's memory operands (Intel SDM vol. 1,
 * 4.2, 4.8.3, 8.1).
 */
final class Float80Formats {
    private static final long BCD_LIMIT = 999_999_999_999_999_999L;
    private static final long BCD_INDEFINITE_LOW = 0xc000_0000_0000_0000L;
    private static final int BCD_INDEFINITE_HIGH = 0xffff;

    private Float80Formats() {}

    /**
     * Widens without raising anything: signalling NaNs stay so, a denormal is remembered as the
     * source's nature.
     */
    static void fromFloat32(Float80 to, int bits) {
        int sign = bits >>> 16 & SIGN;
        int exp = bits >>> 23 & 0xff;
        widen(to, sign, exp, 0xff, 127, (long) bits << 41 >>> 1);
    }

    static void fromFloat64(Float80 to, long bits) {
        int sign = (int) (bits >>> 48) & SIGN;
        int exp = (int) (bits >>> 52) & 0x7ff;
        widen(to, sign, exp, 0x7ff, 1023, bits << 12 >>> 1);
    }

    private static void widen(Float80 to, int sign, int exp, int maxExp, int bias, long fraction) {
        if (exp == maxExp) {
            to.set(sign | MAX_EXPONENT, INTEGER_BIT | fraction);
        } else if (exp != 0) {
            to.set(sign | exp - bias + Float80.BIAS, INTEGER_BIT | fraction);
        } else if (fraction == 0) {
            to.set(sign, 0);
        } else {
            to.markDenormalSource();
            int shift = Long.numberOfLeadingZeros(fraction);
            to.set(sign | 1 - bias + Float80.BIAS - shift, fraction << shift);
        }
    }

    /** Exact. */
    static void fromInteger(Float80 to, long value) {
        if (value == 0) {
            to.set(0, 0);
            return;
        }
        long magnitude = Math.abs(value);
        int shift = Long.numberOfLeadingZeros(magnitude);
        to.set((value < 0 ? SIGN : 0) | Float80.BIAS + 63 - shift, magnitude << shift);
    }

    /**
     * Packed decimal: 16 digits in {@code low}, two more and the sign (bit 15) in {@code high}.
     * Exact.
     */
    static void fromBcd(Float80 to, long low, int high) {
        long magnitude = (high >>> 4 & 15) * 10L + (high & 15);
        for (int digit = 60; digit >= 0; digit -= 4) {
            magnitude = magnitude * 10 + (low >>> digit & 15);
        }
        fromInteger(to, magnitude);
        to.signExponent |= high & SIGN;
    }

    /** Rounds to a real of 24 or 53 significant bits; the value's bits. */
    static long toFloat(Float80 unit, int se, long sig, int bits) {
        boolean single = bits == 24;
        int maxExp = single ? 0xff : 0x7ff;
        int bias = single ? 127 : 1023;
        long sign = (se & SIGN) != 0 ? 1L << (single ? 31 : 63) : 0;
        if (unit.settleSpecial(se, sig)) {
            long payload = unit.significand << 1 >>> 65 - bits;
            return ((unit.signExponent & SIGN) != 0 ? 1L << (single ? 31 : 63) : 0)
                    | (long) maxExp << bits - 1
                    | payload;
        }
        if (Float80.infinite(se, sig)) {
            return sign | (long) maxExp << bits - 1;
        }
        if (sig == 0) {
            return sign;
        }
        int exp = Float80.normalExponent(se, sig) - Float80.BIAS + bias;
        long normal = Float80.normalSignificand(sig);
        return sign | roundToFloat(unit, se & SIGN, exp, normal, bits, maxExp);
    }

    private static long roundToFloat(
            Float80 unit, int sign, int exp, long sig, int bits, int maxExp) {
        int drop = 64 - bits;
        long kept = sig >>> drop;
        long fraction = sig << bits;
        boolean up = fraction != 0 && unit.roundsUp(sign, fraction, (kept & 1) != 0);
        boolean carries = up && kept + 1 == 1L << bits;
        if (exp <= 0 && (exp < 0 || !carries)) {
            return roundToDenormal(unit, sign, exp, sig, bits);
        }
        // The integer bit of the significand adds one to the exponent field.
        long result = ((long) (exp - 1) << bits - 1) + kept + (up ? 1 : 0);
        int finalExp = carries ? exp + 1 : exp;
        if (finalExp >= maxExp) {
            return overflow(unit, sign, bits, maxExp);
        }
        if (exp <= 0) {
            // Not tiny after all, but the denormalised number is what is rounded.
            return roundDenormalised(unit, sign, exp, sig, bits, false);
        }
        if (fraction != 0) {
            unit.flags |= up ? Float80.PE | Float80.ROUNDED_UP : Float80.PE;
        }
        return result;
    }

    private static long roundToDenormal(Float80 unit, int sign, int exp, long sig, int bits) {
        if (unit.unmasked(Float80.UE)) {
            unit.flags |= Float80.UE;
            return 0;
        }
        return roundDenormalised(unit, sign, exp, sig, bits, true);
    }

    private static long roundDenormalised(
            Float80 unit, int sign, int exp, long sig, int bits, boolean tiny) {
        int drop = 64 - bits + 1 - exp;
        long kept = drop < 64 ? sig >>> drop : 0;
        long fraction = drop < 64 ? sig << -drop : drop == 64 ? sig : 1;
        if (fraction != 0) {
            unit.flags |= tiny ? Float80.PE | Float80.UE : Float80.PE;
            if (unit.roundsUp(sign, fraction, (kept & 1) != 0)) {
                unit.flags |= Float80.ROUNDED_UP;
                kept++;
            }
        }
        return kept;
    }

    private static long overflow(Float80 unit, int sign, int bits, int maxExp) {
        unit.flags |= Float80.OE;
        if (unit.unmasked(Float80.OE)) {
            return 0;
        }
        unit.flags |= Float80.PE;
        long infinity = (long) maxExp << bits - 1;
        if (unit.roundsUp(sign, -1L, true)) {
            unit.flags |= Float80.ROUNDED_UP;
            return infinity;
        }
        return infinity - 1;
    }

    /**
     * Rounds to a signed integer of 16, 32 or 64 bits; the integer indefinite with IE where it does
     * not fit.
     */
    static long toInteger(Float80 unit, int se, long sig, int bits, boolean truncate) {
        long indefinite = -1L << bits - 1;
        int exp = (se & MAX_EXPONENT) - Float80.BIAS;
        boolean negative = (se & SIGN) != 0;
        if (Float80.unsupported(se, sig) || exp >= 63) {
            if (exp == 63 && negative && sig == INTEGER_BIT && bits == 64) {
                return sig;
            }
            unit.flags |= Float80.IE;
            return indefinite;
        }
        long magnitude = magnitude(unit, se, exp, sig, truncate);
        long limit = negative ? -indefinite : -(indefinite + 1);
        if (Long.compareUnsigned(magnitude, limit) > 0) {
            unit.flags = unit.flags & ~(Float80.PE | Float80.ROUNDED_UP) | Float80.IE;
            return indefinite;
        }
        return negative ? -magnitude : magnitude;
    }

    /** The integer part, rounded, of a number below 2^63. */
    private static long magnitude(Float80 unit, int se, int exp, long sig, boolean truncate) {
        int shift = 63 - exp;
        long kept = shift < 64 ? sig >>> shift : 0;
        long fraction = shift < 64 ? sig << -shift : shift == 64 ? sig : sig == 0 ? 0 : 1;
        if (fraction != 0) {
            unit.flags |= Float80.PE;
            if (!truncate && unit.roundsUp(se & SIGN, fraction, (kept & 1) != 0)) {
                unit.flags |= Float80.ROUNDED_UP;
                kept++;
            }
        }
        return kept;
    }

    /** FRNDINT. */
    static void roundToIntegral(Float80 unit, int se, long sig) {
        if (unit.settleSpecial(se, sig)) {
            return;
        }
        int exp = (se & MAX_EXPONENT) - Float80.BIAS;
        if (sig == 0 || exp >= 63) {
            unit.set(se, sig);
            return;
        }
        if (!unit.acceptDenormal(se, sig)) {
            return;
        }
        long magnitude = magnitude(unit, se, exp, sig, false);
        if (magnitude == 0) {
            unit.set(se & SIGN, 0);
            return;
        }
        int shift = Long.numberOfLeadingZeros(magnitude);
        unit.set(se & SIGN | Float80.BIAS + 63 - shift, magnitude << shift);
    }

    /**
     * Rounds to packed decimal: 16 digits into the significand, two more and the sign into the sign
     * and exponent.
     */
    static void toBcd(Float80 unit, int se, long sig) {
        int exp = (se & MAX_EXPONENT) - Float80.BIAS;
        boolean valid = !Float80.unsupported(se, sig) && exp < 63;
        long magnitude = valid ? magnitude(unit, se, exp, sig, false) : 0;
        if (!valid || Long.compareUnsigned(magnitude, BCD_LIMIT) > 0) {
            unit.flags = unit.flags & ~(Float80.PE | Float80.ROUNDED_UP) | Float80.IE;
            unit.set(BCD_INDEFINITE_HIGH, BCD_INDEFINITE_LOW);
            return;
        }
        long low = 0;
        for (int digit = 0; digit < 64; digit += 4) {
            low |= magnitude % 10 << digit;
            magnitude /= 10;
        }
        unit.set(se & SIGN | (int) (magnitude / 10) << 4 | (int) (magnitude % 10), low);
    }

    /**
     * Quiets a signalling NaN that has been loaded, and raises what the source's format calls for.
     */
    static void finishLoad(Float80 unit) {
        if (Float80.signalling(unit.signExponent, unit.significand)) {
            unit.flags |= Float80.IE;
            unit.significand |= QUIET_BIT;
        } else {
            unit.acceptDenormal(0, 0);
        }
    }
}
