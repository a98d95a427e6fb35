package org.javisor.image;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DebianVersionTest {

    /** The order is dpkg --compare-versions'. */
    @ParameterizedTest
    @CsvSource({
        "1.0, 1.1",
        "1.9, 1.10",
        "1.0~rc1, 1.0",
        "1.0~~, 1.0~",
        "1.0, 1.0a",
        "1.0a, 1.0+b",
        "9.9, 1:0.1",
        "1.0-1, 1.0-2",
        "1.0-1, 1.0-1+b1",
        "1.0-9, 1.0.1-1",
        "2.41-12, 2.41-12+deb13u4",
        "1.0-1~bpo1, 1.0-1",
        "1.2.3, 1.2.3-1"
    })
    void orders_whenTheFirstIsOlder(String older, String newer) {
        assertThat(DebianVersion.ORDER.compare(older, newer)).isNegative();
        assertThat(DebianVersion.ORDER.compare(newer, older)).isPositive();
    }

    @ParameterizedTest
    @CsvSource({"1.0, 1.0", "0:1.0, 1.0", "1.00, 1.0", "1.0-0, 1.0", "1.01, 1.1"})
    void areEqual_whenOnlyTheSpellingDiffers(String one, String other) {
        assertThat(DebianVersion.ORDER.compare(one, other)).isZero();
        assertThat(DebianVersion.ORDER.compare(other, one)).isZero();
    }
}
