package org.javisor.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PackagesIndexTest {

    private static final String HASH = "0123456789abcdef".repeat(4);

    private static String stanza(String name, String extra) {
        return "Package: "
                + name
                + "\nVersion: 1.0\n"
                + extra
                + "Filename: pool/x.deb\nSize: 12\nSHA256: "
                + HASH
                + "\n\n";
    }

    private static Map<String, PackageRecord> pick(String text, Predicate<String> wanted)
            throws IOException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        return PackagesIndex.pick(new ByteArrayInputStream(bytes), wanted);
    }

    @Test
    void onlyWantedOnesAreTaken_whenIndexHasMany() throws IOException {
        String text =
                stanza("a", "")
                        + stanza("want", "Depends: b (>= 2) | c, d:any [amd64], e\n")
                        + stanza("wanted-not", "");
        Map<String, PackageRecord> picked = pick(text, "want"::equals);
        assertThat(picked).containsOnlyKeys("want");
        assertThat(picked.get("want"))
                .isEqualTo(
                        new PackageRecord(
                                "want",
                                "1.0",
                                "pool/x.deb",
                                12,
                                HASH,
                                java.util.List.of("b", "d", "e")));
    }

    @Test
    void everyStanzaIsFound_whenBuffersSplitThemAnywhere() throws IOException {
        StringBuilder text = new StringBuilder("\n\n");
        for (int i = 0; i < 2000; i++) {
            text.append(stanza("p" + i, "Description: " + "x".repeat(i % 700) + "\n more\n"));
            text.append("\n".repeat(i % 3));
        }
        assertThat(pick(text.toString(), name -> true)).hasSize(2000);
        assertThat(pick(text.toString(), "p1999"::equals)).hasSize(1);
        assertThat(pick(text.toString().strip(), "p1999"::equals)).hasSize(1);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Package: p\n",
                "Package: p\nFilename: /etc/passwd\nSize: 1\nSHA256: %s\n",
                "Package: p\nFilename: pool/../../x\nSize: 1\nSHA256: %s\n",
                "Package: p\nFilename: pool/x\nSize: -1\nSHA256: %s\n",
                "Package: p\nFilename: pool/x\nSize: 99999999999999999999\nSHA256: %s\n",
                "Package: p\nFilename: pool/x\nSize: 1\nSHA256: abc\n"
            })
    void entryIsRefused_whenDamaged(String text) {
        assertThatThrownBy(() -> pick(text.formatted(HASH), "p"::equals))
                .isInstanceOfSatisfying(
                        ImageException.class,
                        e -> assertThat(e.code()).isEqualTo(ImageException.Code.MALFORMED));
    }

    /** Endless input in the form of one line, one field or one name. */
    @ParameterizedTest
    @ValueSource(strings = {"Package: p\nDepends: ", "Package: p\nA: b\n c\n", "Package: "})
    void memoryIsBounded_whenIndexIsHuge(String start) throws IOException {
        long size = 64L << 20;
        byte[] head = start.getBytes(StandardCharsets.US_ASCII);
        InputStream in =
                new InputStream() {
                    private long position;

                    @Override
                    public int read() {
                        return position < head.length
                                ? head[(int) position++]
                                : position++ < size ? 'x' : -1;
                    }
                };
        assertThatThrownBy(() -> PackagesIndex.pick(in, name -> true))
                .isInstanceOf(ImageException.class);
    }
}
