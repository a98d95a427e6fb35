package org.javisor.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.junit.jupiter.api.Test;

class StatisticsTest {
    @Test
    void takesTheMiddleValue_whateverTheOrder() {
        Series series = new Series(List.of(9.0, 1.0, 4.0));
        assertThat(series.median()).isEqualTo(4);
        assertThat(series.minimum()).isEqualTo(1);
        assertThat(series.maximum()).isEqualTo(9);
        assertThat(new Series(List.of(8.0, 2.0, 4.0, 100.0)).median()).isEqualTo(6);
    }

    @Test
    void averagesRatiosGeometrically() {
        assertThat(Series.geometricMean(List.of(2.0, 8.0)).orElseThrow())
                .isCloseTo(4, within(1e-9));
        assertThat(Series.geometricMean(List.of())).isEmpty();
    }

    @Test
    void comparesMedians_whenBothEnginesHaveSamples() throws SampleException {
        Results results = new Results(Series.Estimate.MEDIAN);
        for (long nanos : new long[] {300, 100, 9000}) {
            results.add("crc", "native", new Sample(10, nanos, "a"));
            results.add("crc", "qemu", new Sample(1, nanos, "a"));
        }
        assertThat(results.ratio("crc", "qemu", "native").orElseThrow())
                .isCloseTo(10, within(1e-9));
        assertThat(results.ratio("crc", "interpreter", "native")).isEmpty();
        assertThat(results.ratio("nothing", "qemu", "native")).isEmpty();
    }

    @Test
    void comparesTheFastest_whenAskedTo() {
        Results results = new Results(Series.Estimate.FASTEST);
        for (long nanos : new long[] {300, 100, 9000}) {
            results.add("crc", "native", new Sample(1, nanos, "a"));
            results.add("crc", "qemu", new Sample(1, nanos * nanos, "a"));
        }
        assertThat(results.figure("crc", "qemu")).hasValue(10_000.0);
        assertThat(results.ratio("crc", "qemu", "native")).hasValue(100.0);
    }

    @Test
    void refusesASample_whenItsChecksumIsNotTheFirstOnes() {
        Results results = new Results(Series.Estimate.MEDIAN);
        results.add("crc", "native", new Sample(1, 5, "0123"));
        results.add("crc", "interpreter", new Sample(1, 5, "4567"));
        assertThat(results.samples("crc", "interpreter")).isEmpty();
        assertThat(results.failures())
                .containsExactly("interpreter: crc: wrong result: 4567 instead of 0123");
    }

    @Test
    void readsWhatAProgramPrints() throws SampleException {
        Sample sample = Sample.parse("crc", "crc 200 5000 00000000bb160892");
        assertThat(sample).isEqualTo(new Sample(200, 5000, "00000000bb160892"));
        assertThat(sample.nanosPerIteration()).isEqualTo(25);
    }

    @Test
    void refusesALine_whenItIsNoResultOfThatProgram() {
        for (String line :
                List.of(
                        "",
                        "crc",
                        "crc 0 5000 00000000bb160892",
                        "sieve 1 5000 00000000bb160892",
                        "crc 1 -5 00000000bb160892",
                        "crc 99999999999999999999 1 00000000bb160892",
                        "crc 1 5 x\u001b[31m")) {
            assertThatThrownBy(() -> Sample.parse("crc", line))
                    .isInstanceOf(SampleException.class)
                    .hasMessageNotContaining("\u001b");
        }
    }

    @Test
    void findsTheSpeed_whenTheCommandPrintedItsFigures() {
        assertThat(
                        BootTimer.figures(
                                List.of(
                                        "javisor: Engine: interpreter",
                                        "  instructions                      2,446,943,537",
                                        "  speed                                 45.7 MIPS")))
                .hasValue("a boot and power-off took 2,446,943,537 instructions at 45.7 MIPS");
        assertThat(BootTimer.figures(List.of("speed"))).isEmpty();
    }
}
