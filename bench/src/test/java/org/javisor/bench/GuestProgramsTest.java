package org.javisor.bench;

import static java.nio.ByteOrder.LITTLE_ENDIAN;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

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
            GuestSources.Binary binary = GuestSources.compile(workplace);
            HostCommand names =
                    HostCommand.run(workplace, 20, List.of(binary.file().toString())).orElseThrow();
            List<GuestProgram> programs = binary.programs();
            assertThat(names.output().lines())
                    .containsExactlyElementsOf(programs.stream().map(GuestProgram::name).toList());
            assertThat(GuestProgram.all())
                    .containsAll(programs)
                    .hasSizeLessThanOrEqualTo(programs.size() + 1);
            NativeRunner runner = new NativeRunner(binary.file(), workplace);
            for (GuestProgram program : programs) {
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
            GuestSources.Binary binary = GuestSources.compile(workplace);
            NativeRunner runner = new NativeRunner(binary.file(), workplace);
            assertThat(checksum(runner, "crc")).isEqualTo("%016x".formatted(Expected.crc()));
            assertThat(checksum(runner, "sha256")).isEqualTo(Expected.sha256());
            if (binary.programs().stream().anyMatch(p -> p.name().equals("aes"))) {
                assertThat(checksum(runner, "aes")).isEqualTo(Expected.aes());
            }
            assertThat(checksum(runner, "work1")).isEqualTo(checksum(runner, "work2"));
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

        static String aes() throws Exception {
            byte[] data = new byte[16 << 10];
            for (int i = 0; i < data.length; i++) {
                data[i] = (byte) (i * 31);
            }
            var cipher = javax.crypto.Cipher.getInstance("AES/CBC/NoPadding");
            byte[] key = "0123456789abcdef".getBytes(java.nio.charset.StandardCharsets.US_ASCII);
            cipher.init(
                    javax.crypto.Cipher.ENCRYPT_MODE,
                    new javax.crypto.spec.SecretKeySpec(key, "AES"),
                    new javax.crypto.spec.IvParameterSpec(new byte[16]));
            byte[] encrypted = cipher.doFinal(data);
            byte[] digest = java.security.MessageDigest.getInstance("SHA-256").digest(encrypted);
            long sum = java.nio.ByteBuffer.wrap(digest).order(LITTLE_ENDIAN).getLong();
            return "%016x".formatted(sum);
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
