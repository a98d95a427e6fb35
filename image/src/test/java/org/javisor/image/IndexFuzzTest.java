package org.javisor.image;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Text formats from the network and from /etc: nothing but an ImageException may come out. */
class IndexFuzzTest {

    private static final long SEED = Long.getLong("javisor.seed", 20261121L);
    private static final String[] PIECES = {
        "Package: ",
        "p",
        "\n",
        "\n\n",
        " ",
        "\t",
        ":",
        "SHA256:",
        "Size: ",
        "12",
        "Filename: ",
        "pool/x",
        "Date: ",
        "Sat, 12 Sep 2026 07:55:41 UTC",
        "Codename: trixie",
        "Depends: ",
        "(",
        "|",
        ",",
        "#",
        "deb ",
        "[",
        "]",
        "http://x/debian",
        "trixie",
        "main",
        "Types: deb",
        "URIs: ",
        "Suites: trixie",
        "Components: main",
        "\r",
        "\0",
        "\u00ff",
        "-",
        "- ",
        "-----BEGIN PGP SIGNED MESSAGE-----\n",
        "-----BEGIN PGP SIGNATURE-----\n",
        "-----END PGP SIGNATURE-----\n",
        "Hash: SHA256\n",
        "format=1",
        "=",
        "image=tiny",
        "package.1.size=x",
        "exit 7",
        "\u001e",
        "0123456789abcdef".repeat(4)
    };

    @TempDir private Path directory;

    private static String text(Random random) {
        StringBuilder text = new StringBuilder();
        for (int i = random.nextInt(40); i >= 0; i--) {
            text.append(
                    random.nextInt(8) == 0
                            ? String.valueOf((char) random.nextInt(256))
                            : PIECES[random.nextInt(PIECES.length)]);
        }
        return text.toString();
    }

    private interface Target {
        void take(String text) throws IOException;
    }

    private static void fuzz(String name, Target target) {
        Random random = new Random(SEED);
        for (int round = 0; round < 20_000; round++) {
            String text = text(random);
            try {
                target.take(text);
            } catch (ImageException expected) {
                // The one kind of answer to nonsense.
            } catch (Throwable e) {
                throw new AssertionError(
                        "%s, seed %d, round %d: %s".formatted(name, SEED, round, text), e);
            }
        }
    }

    @Test
    void onlyImageExceptionsEscape_whenIndexesAreNonsense() {
        fuzz("Deb822", Deb822::parse);
        fuzz("Release", text -> ReleaseFile.parse(text, "x").check("trixie", "x", NOW));
        fuzz(
                "Packages",
                text ->
                        PackagesIndex.pick(
                                new ByteArrayInputStream(
                                        text.getBytes(StandardCharsets.ISO_8859_1)),
                                name -> true));
        fuzz("sources.list", text -> AptSources.parseOneLine(text, new ArrayList<>()));
        fuzz(
                ".sources",
                text -> {
                    List<AptSources.Source> found = new ArrayList<>();
                    AptSources.parseDeb822(text, found);
                    found.forEach(AptSources.Source::mayBeDebian);
                });
        fuzz("mirror", text -> Mirror.at(text, "x"));
    }

    private static final java.time.Instant NOW = MiniatureMirror.NOW;

    @Test
    void onlyImageExceptionsEscape_whenSignedMessageIsNonsense() throws IOException {
        SigningKey key = SigningKey.made(NOW.minus(Duration.ofDays(9)), 0);
        Path file = directory.resolve("keyring");
        key.writeKeyring(file);
        ArchiveKeyring keyring = ArchiveKeyring.read(file);
        fuzz("cleartext", text -> CleartextMessage.parse(bytes(text), "x"));
        Random random = new Random(SEED);
        byte[] good = key.clearSigned("Codename: trixie\n", NOW.minus(Duration.ofDays(1)));
        int armor = new String(good, StandardCharsets.US_ASCII).indexOf("-----BEGIN PGP SIGNATURE");
        for (int round = 0; round < 3000; round++) {
            byte[] bad = good.clone();
            for (int i = random.nextInt(4); i >= 0; i--) {
                bad[armor + random.nextInt(bad.length - armor)] = (byte) random.nextInt(256);
            }
            try {
                keyring.verify(CleartextMessage.parse(bad, "x"), "x", NOW);
            } catch (ImageException expected) {
                // A damaged signature is refused; damage that armor does not notice is accepted.
            } catch (Throwable e) {
                throw new AssertionError("seed %d, round %d".formatted(SEED, round), e);
            }
        }
    }

    @Test
    void onlyIllegalArgumentEscapes_whenManifestIsNonsense() {
        fuzz(
                "manifest",
                text -> {
                    try {
                        Manifest.parse(text);
                    } catch (IllegalArgumentException expected) {
                        // The store takes such an image as absent.
                    }
                });
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }
}
