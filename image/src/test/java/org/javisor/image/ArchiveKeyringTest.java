package org.javisor.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import org.bouncycastle.bcpg.HashAlgorithmTags;
import org.bouncycastle.bcpg.sig.KeyFlags;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ArchiveKeyringTest {

    private static final Instant NOW = MiniatureMirror.NOW;
    private static final Instant MADE = NOW.minus(Duration.ofDays(10));
    private static final String TEXT = "Origin: Debian\nTrailing: space  \n- dash\n-dash\n\nlast\n";

    @TempDir private Path directory;

    private ArchiveKeyring keyring(SigningKey key) throws IOException {
        Path file = directory.resolve("keyring.gpg");
        key.writeKeyring(file);
        return ArchiveKeyring.read(file);
    }

    private static String verify(ArchiveKeyring keyring, byte[] message) {
        return keyring.verify(CleartextMessage.parse(message, "InRelease"), "InRelease", NOW);
    }

    private static void refused(ArchiveKeyring keyring, byte[] message, String reason) {
        assertThatThrownBy(() -> verify(keyring, message))
                .isInstanceOfSatisfying(
                        ImageException.class,
                        e -> assertThat(e.code()).isEqualTo(ImageException.Code.SIGNATURE))
                .hasMessageContaining(reason);
    }

    @Test
    void signerIsNamed_whenSignatureIsGood() throws IOException {
        SigningKey key = SigningKey.made(MADE, 0);
        byte[] message = key.clearSigned(TEXT, MADE);
        assertThat(verify(keyring(key), message)).isEqualTo(key.signingFingerprint());
        assertThat(CleartextMessage.parse(message, "x").text()).isEqualTo(TEXT);
    }

    @Test
    void oneGoodSignatureSuffices_whenAnotherKeyIsUnknown() throws IOException {
        SigningKey key = SigningKey.made(MADE, 0);
        byte[] message = key.clearSignedAfter(SigningKey.made(MADE, 0), TEXT, MADE);
        assertThat(verify(keyring(key), message)).isEqualTo(key.signingFingerprint());
    }

    @Test
    void keyringIsRead_whenItIsArmored() throws IOException {
        SigningKey key = SigningKey.made(MADE, 0);
        Path file = directory.resolve("keyring.asc");
        key.writeArmoredKeyring(file);
        Map<String, String> environment = Map.of(ArchiveKeyring.VARIABLE, file.toString());
        ArchiveKeyring keyring = ArchiveKeyring.find(Optional.empty(), environment);
        assertThat(verify(keyring, key.clearSigned(TEXT, MADE))).isNotEmpty();
    }

    @Test
    void keyIsRefused_whenExpired() throws IOException {
        SigningKey key = SigningKey.made(MADE, Duration.ofDays(9).toSeconds());
        refused(keyring(key), key.clearSigned(TEXT, MADE), "expired");
    }

    @Test
    void keyIsRefused_whenRevoked() throws IOException {
        SigningKey key = SigningKey.made(MADE, 0);
        refused(keyring(key.revoked()), key.clearSigned(TEXT, MADE), "revoked");
    }

    @Test
    void keyIsRefused_whenItIsNotForSigning() throws IOException {
        SigningKey key = SigningKey.made(MADE, 0, KeyFlags.ENCRYPT_COMMS);
        refused(keyring(key), key.clearSigned(TEXT, MADE), "not its owner's for signing");
    }

    @Test
    void signatureIsRefused_whenItsHashIsWeak() throws IOException {
        SigningKey key = SigningKey.made(MADE, 0);
        byte[] message = key.clearSigned(TEXT, MADE, HashAlgorithmTags.SHA1);
        refused(keyring(key), message, "weak hash");
    }

    @Test
    void signatureIsRefused_whenMadeInTheFuture() throws IOException {
        SigningKey key = SigningKey.made(MADE, 0);
        byte[] message = key.clearSigned(TEXT, NOW.plus(Duration.ofDays(2)));
        refused(keyring(key), message, "clock");
    }

    @Test
    void everyChangedByteIsNoticed_whenTextIsTamperedWith() throws IOException {
        SigningKey key = SigningKey.made(MADE, 0);
        ArchiveKeyring keyring = keyring(key);
        byte[] message = key.clearSigned("Codename: trixie\nDate: x\n", MADE);
        int start = new String(message, StandardCharsets.ISO_8859_1).indexOf("Codename");
        int end = new String(message, StandardCharsets.ISO_8859_1).indexOf("-----BEGIN PGP SIG");
        for (int i = start; i < end; i++) {
            byte[] tampered = message.clone();
            tampered[i] ^= 4;
            assertThatThrownBy(() -> verify(keyring, tampered))
                    .as("byte %d", i)
                    .isInstanceOf(ImageException.class);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "Origin: Debian\n",
                "x\n-----BEGIN PGP SIGNED MESSAGE-----\n",
                "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\ntext\n",
                "-----BEGIN PGP SIGNED MESSAGE-----\nComment: x\n\ntext\n",
                "-----BEGIN PGP SIGNED MESSAGE-----\n\n-text\n-----BEGIN PGP SIGNATURE-----\n\n"
                        + "-----END PGP SIGNATURE-----\n",
                "-----BEGIN PGP SIGNED MESSAGE-----\n\ntext\n-----BEGIN PGP SIGNATURE-----\n\nabc",
                "-----BEGIN PGP SIGNED MESSAGE-----\n\ntext\n-----BEGIN PGP SIGNATURE-----\n\n"
                        + "-----END PGP SIGNATURE-----\nmore\n",
                "-----BEGIN PGP SIGNED MESSAGE-----\n\ntext\n-----BEGIN PGP SIGNATURE-----\n\n"
                        + "!!!!\n-----END PGP SIGNATURE-----\n",
                "-----BEGIN PGP SIGNED MESSAGE-----\n\ntext\n-----BEGIN PGP SIGNATURE-----\n\n"
                        + "-----END PGP SIGNATURE-----\n"
            })
    void messageIsRefused_whenItIsNotASignedOne(String text) throws IOException {
        ArchiveKeyring keyring = keyring(SigningKey.made(MADE, 0));
        assertThatThrownBy(() -> verify(keyring, text.getBytes(StandardCharsets.US_ASCII)))
                .isInstanceOfSatisfying(
                        ImageException.class,
                        e -> assertThat(e.code()).isEqualTo(ImageException.Code.SIGNATURE));
    }

    @Test
    void keyringIsRefused_whenFileIsNone() throws IOException {
        Path file = Files.writeString(directory.resolve("keyring"), "not a keyring");
        assertThatThrownBy(() -> ArchiveKeyring.read(file))
                .isInstanceOfSatisfying(
                        ImageException.class,
                        e -> assertThat(e.code()).isEqualTo(ImageException.Code.KEYRING));
    }
}
