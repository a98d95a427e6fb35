package org.javisor.virtio.blk;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ThrottleTest {
    private static final long SECOND = 1_000_000_000;

    @Test
    void rateIsKeptOverTime_whateverTheSizes() {
        Throttle throttle = new Throttle(1000, 0);
        long now = 0;
        long taken = 0;
        for (int i = 0; i < 1000; i++) {
            now += throttle.delay(now);
            assertThat(throttle.delay(now)).isZero();
            throttle.take(i % 300);
            taken += i % 300;
        }
        assertThat((double) now / SECOND).isBetween(taken / 1000.0 - 0.5, taken / 1000.0 + 0.5);
    }

    @Test
    void nothingWaits_withoutALimit() {
        Throttle throttle = new Throttle(0, 0);
        throttle.take(Long.MAX_VALUE);
        assertThat(throttle.delay(0)).isZero();
    }

    @Test
    void idleTimeIsWorthATenthOfASecond() {
        Throttle throttle = new Throttle(1000, 0);
        assertThat(throttle.delay(100 * SECOND)).isZero();
        throttle.take(100);
        assertThat(throttle.delay(100 * SECOND)).isBetween(0L, 2L);
        throttle.take(100);
        assertThat(throttle.delay(100 * SECOND)).isBetween(SECOND / 10, SECOND / 10 + 2);
    }
}
