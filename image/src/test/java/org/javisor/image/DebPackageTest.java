package org.javisor.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DebPackageTest {

    private static List<String> visit(byte[] deb) throws IOException {
        List<String> seen = new ArrayList<>();
        DebPackage.visit(
                new ByteArrayInputStream(deb),
                "p",
                (path, size, content) -> {
                    byte[] bytes = content.readNBytes(1 << 20);
                    seen.add(path + "=" + new String(bytes, StandardCharsets.US_ASCII));
                    return true;
                });
        return seen;
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    @ParameterizedTest
    @ValueSource(strings = {".xz", ".zst", ".gz", ""})
    void filesAreShown_whenPackageIsCompressed(String suffix) throws IOException {
        Map<String, byte[]> files = new LinkedHashMap<>();
        files.put("./boot/vmlinuz", bytes("kernel"));
        files.put("etc/" + "long/".repeat(40) + "name", bytes("x"));
        assertThat(visit(DebFixture.deb(suffix, files)))
                .containsExactly("boot/vmlinuz=kernel", "etc/" + "long/".repeat(40) + "name=x");
    }

    @Test
    void readingStops_whenVisitorHasEnough() throws IOException {
        Map<String, byte[]> files = new LinkedHashMap<>();
        files.put("a", bytes("1"));
        files.put("b", new byte[1 << 20]);
        byte[] deb = DebFixture.deb("", files);
        byte[] cut = Arrays.copyOf(deb, deb.length - (1 << 20));
        List<String> seen = new ArrayList<>();
        DebPackage.visit(
                new ByteArrayInputStream(cut),
                "p",
                (path, size, content) -> {
                    seen.add(path);
                    return false;
                });
        assertThat(seen).containsExactly("a");
    }

    @ParameterizedTest
    @ValueSource(strings = {"/etc/passwd", "../x", "./a/../../x", "a/..", "./..", "..", "//x"})
    void packageIsRefused_whenPathLeadsOutside(String path) {
        byte[] deb = DebFixture.deb("", Map.of(path, bytes("x")));
        assertThatThrownBy(() -> visit(deb))
                .isInstanceOfSatisfying(
                        ImageException.class,
                        e -> assertThat(e.code()).isEqualTo(ImageException.Code.MALFORMED))
                .hasMessageContaining("outside");
    }

    @Test
    void packageIsRefused_whenPartsAreMissing() throws IOException {
        for (byte[] bad :
                List.of(
                        new byte[0],
                        bytes("<html>"),
                        DebFixture.ar(),
                        DebFixture.ar(Map.entry("x", bytes("2.0\n"))),
                        DebFixture.ar(Map.entry("debian-binary", bytes("3.0\n"))),
                        DebFixture.ar(Map.entry("debian-binary", bytes("2.0\n"))))) {
            assertThatThrownBy(() -> visit(bad)).isInstanceOf(ImageException.class);
        }
    }

    @Test
    void nothingButImageExceptionEscapes_whenPackageIsDamaged() throws IOException {
        Map<String, byte[]> files = new LinkedHashMap<>();
        files.put("./boot/vmlinuz", bytes("kernel ".repeat(500)));
        files.put("./" + "long/".repeat(40) + "name", bytes("x"));
        long seed = Long.getLong("javisor.seed", 20261121L);
        Random random = new Random(seed);
        for (String suffix : List.of(".xz", ".zst", ".gz", "")) {
            byte[] good = DebFixture.deb(suffix, files);
            for (int round = 0; round < 1500; round++) {
                byte[] bad = damaged(good, random);
                try {
                    visit(bad);
                } catch (ImageException expected) {
                    assertThat(expected.getMessage()).doesNotContain("\n");
                } catch (Throwable e) {
                    throw new AssertionError(
                            "seed %d, data.tar%s, round %d".formatted(seed, suffix, round), e);
                }
            }
        }
    }

    private static byte[] damaged(byte[] good, Random random) {
        byte[] bad = good.clone();
        switch (random.nextInt(4)) {
            case 0 -> bad = Arrays.copyOf(bad, random.nextInt(bad.length));
            case 1 -> {
                for (int i = random.nextInt(8); i >= 0; i--) {
                    bad[random.nextInt(bad.length)] ^= (byte) (1 << random.nextInt(8));
                }
            }
            case 2 -> {
                // Headers stand at the start: digits there are sizes.
                for (int i = random.nextInt(8); i >= 0; i--) {
                    bad[random.nextInt(Math.min(1400, bad.length))] = (byte) random.nextInt(256);
                }
            }
            case 3 -> {
                int from = random.nextInt(bad.length);
                int length = Math.min(random.nextInt(64), bad.length - from);
                byte[] noise = new byte[length];
                random.nextBytes(noise);
                System.arraycopy(noise, 0, bad, from, length);
            }
            default -> throw new IllegalStateException();
        }
        return bad;
    }
}
