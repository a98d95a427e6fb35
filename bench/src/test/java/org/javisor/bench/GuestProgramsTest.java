package org.javisor.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
class GuestProgramsTest {
    @Test
    void compileWithoutAWarningAndMeasureThemselves_whenThereIsACompiler() throws Exception {
        try (Workplace workplace = new Workplace()) {
            assumeThat(HostCommand.run(workplace, 20, List.of("gcc", "--version")))
                    .as("gcc is installed")
                    .isPresent();
            Path binary = GuestSources.compile(workplace);
            HostCommand names =
                    HostCommand.run(workplace, 20, List.of(binary.toString())).orElseThrow();
            assertThat(names.output().lines())
                    .containsExactlyElementsOf(
                            GuestProgram.all().stream().map(GuestProgram::name).toList());
            NativeRunner runner = new NativeRunner(binary, workplace);
            for (GuestProgram program : GuestProgram.all()) {
                Sample sample = runner.run(program, 1);
                assertThat(sample.nanos()).as(program.name()).isGreaterThanOrEqualTo(1_000_000);
            }
        }
    }

    /** The check value of CRC-32 and the first words of known digests, from other programs. */
    @Test
    void computeWhatTheySayTheyDo_whenThereIsACompiler() throws Exception {
        try (Workplace workplace = new Workplace()) {
            assumeThat(HostCommand.run(workplace, 20, List.of("gcc", "--version")))
                    .as("gcc is installed")
                    .isPresent();
            NativeRunner runner = new NativeRunner(GuestSources.compile(workplace), workplace);
            assertThat(checksum(runner, "crc")).isEqualTo("%016x".formatted(Expected.crc()));
            assertThat(checksum(runner, "sha256")).isEqualTo(Expected.sha256());
            assertThat(checksum(runner, "sieve")).isEqualTo("%016x".formatted(Expected.primes()));
        }
    }

    private static String checksum(NativeRunner runner, String program) throws Exception {
        return runner.run(GuestProgram.named(program).orElseThrow(), 1).checksum();
    }

    /** The same results by way of the JDK. */
    private static final class Expected {
        static long crc() {
            byte[] data = new byte[64 << 10];
            long seed = 1;
            for (int i = 0; i < data.length; i++) {
                seed ^= seed << 13;
                seed ^= seed >>> 7;
                seed ^= seed << 17;
                data[i] = (byte) seed;
            }
            java.util.zip.CRC32 crc = new java.util.zip.CRC32();
            crc.update(data);
            return crc.getValue();
        }

        static String sha256() throws Exception {
            byte[] data = new byte[16 << 10];
            for (int i = 0; i < data.length; i++) {
                data[i] = (byte) (i * 31);
            }
            byte[] digest = java.security.MessageDigest.getInstance("SHA-256").digest(data);
            return java.util.HexFormat.of().formatHex(digest, 0, 8);
        }

        static long primes() {
            return java.util.stream.IntStream.range(2, 1 << 17)
                    .filter(
                            n ->
                                    java.util.stream.IntStream.rangeClosed(2, (int) Math.sqrt(n))
                                            .noneMatch(d -> n % d == 0))
                    .count();
        }
    }
}
