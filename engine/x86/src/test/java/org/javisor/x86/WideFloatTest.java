package org.javisor.x86;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.MathContext;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class WideFloatTest {
    private static final long SEED = Long.getLong("javisor.seed", 20260101L);
    private static final MathContext PRECISE = new MathContext(60);
    private static final BigDecimal ALLOWED =
            new BigDecimal(BigInteger.ONE).divide(new BigDecimal(BigInteger.TWO.pow(122)), PRECISE);

    private final SplittableRandom random = new SplittableRandom(SEED);

    private WideFloat any() {
        WideFloat w = new WideFloat();
        long low = random.nextInt(3) == 0 ? 0 : random.nextLong();
        w.set(
                random.nextBoolean(),
                random.nextInt(-70, 70),
                random.nextLong() | Long.MIN_VALUE,
                low);
        return w;
    }

    private static BigDecimal exact(WideFloat w) {
        BigInteger significand =
                new BigInteger(Long.toUnsignedString(w.high))
                        .shiftLeft(64)
                        .add(new BigInteger(Long.toUnsignedString(w.low)));
        BigDecimal value = new BigDecimal(w.negative ? significand.negate() : significand);
        BigDecimal scale = new BigDecimal(BigInteger.TWO.pow(Math.abs(w.exponent - 127)));
        return w.exponent < 127 ? value.divide(scale, PRECISE) : value.multiply(scale);
    }

    private static void assertClose(WideFloat actual, BigDecimal expected, BigDecimal scale) {
        assertThat(exact(actual).subtract(expected).abs())
                .as("%s for %s, seed %d", exact(actual), expected, SEED)
                .isLessThanOrEqualTo(scale.abs().multiply(ALLOWED));
    }

    @Test
    void sumAndDifference_agreeWithExactArithmetic() {
        WideFloat r = new WideFloat();
        for (int n = 0; n < 5000; n++) {
            WideFloat a = any();
            WideFloat b = any();
            BigDecimal largest = exact(a).abs().max(exact(b).abs());
            r.add(a, b);
            assertClose(r, exact(a).add(exact(b)), largest);
            r.subtract(a, b);
            assertClose(r, exact(a).subtract(exact(b)), largest);
        }
    }

    @Test
    void productAndQuotients_agreeWithExactArithmetic() {
        WideFloat r = new WideFloat();
        WideFloat inverse = new WideFloat();
        WideFloat scratch = new WideFloat();
        for (int n = 0; n < 5000; n++) {
            WideFloat a = any();
            WideFloat b = any();
            r.multiply(a, b);
            assertClose(r, exact(a).multiply(exact(b)), exact(a).multiply(exact(b)));
            inverse.reciprocal(b, scratch);
            r.multiply(a, inverse);
            BigDecimal quotient = exact(a).divide(exact(b), PRECISE);
            assertClose(r, quotient, quotient);
            int small = 1 + random.nextInt(60);
            r.divide(a, small);
            assertClose(r, exact(a).divide(BigDecimal.valueOf(small), PRECISE), exact(a));
        }
    }

    @Test
    void equalNumbers_cancelToZero() {
        WideFloat a = any();
        WideFloat r = new WideFloat();
        r.subtract(a, a);
        assertThat(r.isZero()).isTrue();
    }

    @Test
    void result_mayBeAnOperand() {
        WideFloat a = any();
        WideFloat expected = new WideFloat();
        expected.multiply(a, a);
        a.multiply(a, a);
        assertThat(a).usingRecursiveComparison().isEqualTo(expected);
    }
}
