package org.javisor.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import org.junit.jupiter.api.Test;

class BenchTest {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();

    private int run(String... arguments) {
        return Bench.execute(new PrintStream(out, true), new PrintStream(err, true), arguments);
    }

    @Test
    void listsThePrograms() {
        assertThat(run("--list")).isZero();
        assertThat(out.toString().lines()).startsWith("boot", "crc").contains("threads");
    }

    @Test
    void saysOneLine_whenAnOptionMakesNoSense() {
        assertThat(run("--runs", "0")).isEqualTo(2);
        assertThat(err.toString().lines())
                .containsExactly("javisor: --runs is 1 to 1000; see 'javisor bench --help'");
        assertThat(run("--runs", "x")).isEqualTo(2);
        assertThat(run("extra")).isEqualTo(2);
        assertThat(err.toString().lines()).hasSize(3);
    }

    @Test
    void saysOneLine_whenThereIsNothingToProfile() {
        System.setProperty("javisor.launcher", "/bin/false");
        try {
            assertThat(run("--profile", "crc")).isEqualTo(2);
            assertThat(run("--profile", "crc", "--engine", "native")).isEqualTo(2);
            assertThat(run("--profile", "boot", "--engine", "interpreter")).isEqualTo(2);
            assertThat(run("--while", "true")).isEqualTo(2);
        } finally {
            System.clearProperty("javisor.launcher");
        }
        assertThat(err.toString().lines()).hasSize(4).allMatch(line -> line.contains("--"));
    }

    @Test
    void saysOneLine_whenItWasNotStartedByTheLauncher() {
        assertThat(run()).isEqualTo(7);
        assertThat(err.toString().lines())
                .containsExactly("javisor: Start the benchmarks with './javisor bench'");
    }
}
