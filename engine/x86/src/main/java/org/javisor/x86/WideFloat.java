package org.javisor.x86;

/**
 * A number with a 128-bit significand and an exponent without limits: the working precision of the
 * transcendental functions. Operations truncate; their error is below 2^-124 of the result.
 * Operands may be the result's own object.
 */
final class WideFloat {
    static final WideFloat ONE = new WideFloat(0, Long.MIN_VALUE, 0);

    boolean negative;

    /** Of the top bit of {@link #high}, which is set unless the number is zero. */
    int exponent;

    long high;
    long low;

    WideFloat() {}

    WideFloat(int exponent, long high, long low) {
        set(false, exponent, high, low);
    }

    void set(boolean negative, int exponent, long high, long low) {
        this.negative = negative;
        this.exponent = exponent;
        this.high = high;
        this.low = low;
    }

    void set(WideFloat other) {
        set(other.negative, other.exponent, other.high, other.low);
    }

    /** A positive integer or zero. */
    void setInteger(long value) {
        int shift = Long.numberOfLeadingZeros(value);
        set(false, 63 - shift, value == 0 ? 0 : value << shift, 0);
    }

    boolean isZero() {
        return high == 0;
    }

    /** |this| compared with |other|. */
    int compareMagnitude(WideFloat other) {
        if (isZero() || other.isZero()) {
            return Boolean.compare(other.isZero(), isZero());
        }
        if (exponent != other.exponent) {
            return Integer.compare(exponent, other.exponent);
        }
        int order = Long.compareUnsigned(high, other.high);
        return order != 0 ? order : Long.compareUnsigned(low, other.low);
    }

    private void normalise(boolean sign, int exp, long h, long l) {
        if (h == 0) {
            h = l;
            l = 0;
            exp -= 64;
            if (h == 0) {
                set(false, 0, 0, 0);
                return;
            }
        }
        int shift = Long.numberOfLeadingZeros(h);
        if (shift != 0) {
            h = h << shift | l >>> -shift;
            l <<= shift;
        }
        set(sign, exp - shift, h, l);
    }

    void add(WideFloat a, WideFloat b) {
        add(a, b, b.negative);
    }

    void subtract(WideFloat a, WideFloat b) {
        add(a, b, !b.negative);
    }

    private void add(WideFloat a, WideFloat b, boolean bNegative) {
        if (b.isZero()) {
            set(a);
        } else if (a.isZero()) {
            set(bNegative, b.exponent, b.high, b.low);
        } else if (a.compareMagnitude(b) >= 0) {
            addOrdered(a, a.negative, b, bNegative);
        } else {
            addOrdered(b, bNegative, a, a.negative);
        }
    }

    /** |a| >= |b|, neither zero. */
    private void addOrdered(WideFloat a, boolean aNegative, WideFloat b, boolean bNegative) {
        int distance = a.exponent - b.exponent;
        long bHigh = 0;
        // What lies below the last bit counts as that bit, so that the sum is on the right side of
        // a.
        long bLow = 1;
        if (distance < 64) {
            bHigh = b.high >>> distance;
            bLow = distance == 0 ? b.low : b.low >>> distance | b.high << -distance;
        } else if (distance < 128) {
            bLow = b.high >>> distance - 64;
        }
        if (aNegative != bNegative) {
            long h = a.high - bHigh - (Long.compareUnsigned(a.low, bLow) < 0 ? 1 : 0);
            normalise(aNegative, a.exponent, h, a.low - bLow);
            return;
        }
        long l = a.low + bLow;
        long carry = Long.compareUnsigned(l, bLow) < 0 ? 1 : 0;
        long h = a.high + bHigh + carry;
        boolean overflow = Long.compareUnsigned(h, a.high) < 0 || carry != 0 && h == a.high;
        if (overflow) {
            set(aNegative, a.exponent + 1, h >>> 1 | Long.MIN_VALUE, l >>> 1 | h << 63);
        } else {
            set(aNegative, a.exponent, h, l);
        }
    }

    void multiply(WideFloat a, WideFloat b) {
        if (a.isZero() || b.isZero()) {
            set(false, 0, 0, 0);
            return;
        }
        long h = Math.unsignedMultiplyHigh(a.high, b.high);
        long l = a.high * b.high;
        if (b.low != 0) {
            long cross = Math.unsignedMultiplyHigh(a.high, b.low);
            l += cross;
            h += Long.compareUnsigned(l, cross) < 0 ? 1 : 0;
        }
        if (a.low != 0) {
            long cross = Math.unsignedMultiplyHigh(a.low, b.high);
            l += cross;
            h += Long.compareUnsigned(l, cross) < 0 ? 1 : 0;
        }
        normalise(a.negative != b.negative, a.exponent + b.exponent + 1, h, l);
    }

    /** a / n for a small positive n. */
    void divide(WideFloat a, int n) {
        long h = Long.divideUnsigned(a.high, n);
        long r = a.high - h * n;
        // Three more digits of 32 bits: the quotient loses its leading zeros when it is normalised.
        long l = 0;
        for (int digit = 32; digit >= 0; digit -= 32) {
            long part = r << 32 | a.low >>> digit & 0xffffffffL;
            l = l << 32 | part / n;
            r = part % n;
        }
        long extra = (r << 32) / n;
        int shift = Long.numberOfLeadingZeros(h);
        if (a.isZero() || shift == 0) {
            normalise(a.negative, a.exponent, h, l);
        } else {
            set(
                    a.negative,
                    a.exponent - shift,
                    h << shift | l >>> -shift,
                    l << shift | extra << 32 >>> -shift);
        }
    }

    /** 1 / b for b not zero, with {@code residue} to work in; the three are different objects. */
    void reciprocal(WideFloat b, WideFloat residue) {
        // 31 good bits, then Newton's x + x(1 - bx).
        long estimate =
                b.high == Long.MIN_VALUE ? -1L : Long.divideUnsigned(-1L, b.high >>> 32) << 31;
        set(b.negative, -b.exponent - 1, estimate, 0);
        for (int step = 0; step < 3; step++) {
            residue.multiply(b, this);
            residue.subtract(ONE, residue);
            residue.multiply(residue, this);
            add(this, residue);
        }
    }
}
