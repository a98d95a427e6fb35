package org.javisor.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class ReportTest {
    private final Results results = new Results(Series.Estimate.MEDIAN);

    private void add(String row, String engine, long... nanos) {
        for (long value : nanos) {
            results.add(row, engine, new Sample(1, value, "0"));
        }
    }

    private List<String> report(String... engines) {
        return new Report(List.of("host  x"), List.of(engines), results).lines();
    }

    @Test
    void showsMedianSpreadAndRatios() {
        add("crc", "native", 900, 1000, 1100);
        add("crc", "interpreter", 50_000, 40_000, 60_000);
        add("crc", "qemu", 5000, 5000, 5000);
        assertThat(report("native", "interpreter", "qemu"))
                .containsExactly(
                        "host  x",
                        "",
                        "                native    min..max  interpreter    min..max  /native"
                                + "  /qemu     qemu    min..max  /native",
                        "crc            1.00 us  0.90..1.10      50.0 us  40.0..60.0    50.0x"
                                + "  10.0x  5.00 us  5.00..5.00    5.00x",
                        "mean, integer                                                  50.0x"
                                + "  10.0x                         5.00x");
    }

    @Test
    void leavesCellsEmpty_whenAnEngineHasNoSample() {
        add("fork", "native", 1000);
        add("boot", "interpreter", 2_000_000_000);
        results.note("a note");
        results.fail("fork", "interpreter", "no answer within 60 s");
        assertThat(report("native", "interpreter"))
                .containsExactly(
                        "host  x",
                        "",
                        "       native    min..max  interpreter    min..max  /native",
                        "fork  1.00 us  1.00..1.00            -",
                        "boot        -                   2.00 s  2.00..2.00",
                        "",
                        "a note",
                        "FAILED interpreter: fork: no answer within 60 s");
    }

    @Test
    void saysWhatASecondThreadBrings() {
        add("work1", "native", 2000);
        add("work2", "native", 1000);
        add("work1", "qemu", 9000);
        assertThat(report("native", "qemu"))
                .endsWith("native: two threads are 2.00x as fast as one");
    }

    @Test
    void givesThreeDigitsInTheUnitThatSuits() {
        assertThat(Text.time(0.5)).isEqualTo("0.50 ns");
        assertThat(Text.time(999.9)).isEqualTo("1.00 us");
        assertThat(Text.time(12_345)).isEqualTo("12.3 us");
        assertThat(Text.time(123_456_789)).isEqualTo("123 ms");
        assertThat(Text.time(75e9)).isEqualTo("75.0 s");
        assertThat(Text.range(900, 1_100_000, 1000)).isEqualTo("0.90..1100");
        assertThat(Text.ratio(99.96)).isEqualTo("100x");
    }

    @Test
    void writesJson_withEverySample() {
        add("crc", "native", 5, 7);
        results.note("say \"\\\" \u001b");
        assertThat(
                        new JsonReport(List.of("host"), List.of("native"), results)
                                .text()
                                .replaceAll("\\R", ""))
                .isEqualTo(
                        "{\"header\":[\"host\"],\"samples\":["
                                + "{\"row\":\"crc\",\"engine\":\"native\",\"iterations\":1,"
                                + "\"nanoseconds\":5,\"checksum\":\"0\"},"
                                + "{\"row\":\"crc\",\"engine\":\"native\",\"iterations\":1,"
                                + "\"nanoseconds\":7,\"checksum\":\"0\"}],"
                                + "\"notes\":[\"say \\\"\\\\\\\" \\u001b\"],\"failures\":[]}");
    }
}
