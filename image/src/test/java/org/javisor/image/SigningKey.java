package org.javisor.image;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Instant;
import java.util.Date;
import org.bouncycastle.bcpg.ArmoredOutputStream;
import org.bouncycastle.bcpg.BCPGOutputStream;
import org.bouncycastle.bcpg.HashAlgorithmTags;
import org.bouncycastle.bcpg.PublicKeyAlgorithmTags;
import org.bouncycastle.bcpg.sig.KeyFlags;
import org.bouncycastle.crypto.generators.Ed25519KeyPairGenerator;
import org.bouncycastle.crypto.params.Ed25519KeyGenerationParameters;
import org.bouncycastle.openpgp.PGPException;
import org.bouncycastle.openpgp.PGPKeyPair;
import org.bouncycastle.openpgp.PGPKeyRingGenerator;
import org.bouncycastle.openpgp.PGPPrivateKey;
import org.bouncycastle.openpgp.PGPPublicKey;
import org.bouncycastle.openpgp.PGPPublicKeyRing;
import org.bouncycastle.openpgp.PGPSignature;
import org.bouncycastle.openpgp.PGPSignatureGenerator;
import org.bouncycastle.openpgp.PGPSignatureSubpacketGenerator;
import org.bouncycastle.openpgp.operator.bc.BcPGPContentSignerBuilder;
import org.bouncycastle.openpgp.operator.bc.BcPGPDigestCalculatorProvider;
import org.bouncycastle.openpgp.operator.bc.BcPGPKeyPair;

/** An archive's key as Debian has them: a primary key that certifies, a subkey that signs. */
final class SigningKey {

    private final PGPPublicKeyRing ring;
    private final PGPKeyPair primary;
    private final PGPKeyPair subkey;

    private SigningKey(PGPPublicKeyRing ring, PGPKeyPair primary, PGPKeyPair subkey) {
        this.ring = ring;
        this.primary = primary;
        this.subkey = subkey;
    }

    /** A key that is valid for so many seconds, 0 for ever. */
    static SigningKey made(Instant when, long validSeconds) {
        return made(when, validSeconds, KeyFlags.SIGN_DATA);
    }

    static SigningKey made(Instant when, long validSeconds, int subkeyFlags) {
        try {
            PGPKeyPair primary = pair(when);
            PGPKeyPair subkey = pair(when);
            PGPSignatureSubpacketGenerator primaryPackets = new PGPSignatureSubpacketGenerator();
            primaryPackets.setKeyFlags(true, KeyFlags.CERTIFY_OTHER);
            primaryPackets.setKeyExpirationTime(true, validSeconds);
            PGPSignatureSubpacketGenerator subkeyPackets = new PGPSignatureSubpacketGenerator();
            subkeyPackets.setKeyFlags(true, subkeyFlags);
            PGPKeyRingGenerator generator =
                    new PGPKeyRingGenerator(
                            PGPSignature.POSITIVE_CERTIFICATION,
                            primary,
                            "Miniature archive",
                            new BcPGPDigestCalculatorProvider().get(HashAlgorithmTags.SHA1),
                            primaryPackets.generate(),
                            null,
                            signer(primary),
                            null);
            generator.addSubKey(subkey, subkeyPackets.generate(), null);
            return new SigningKey(generator.generatePublicKeyRing(), primary, subkey);
        } catch (PGPException e) {
            throw new IllegalStateException(e);
        }
    }

    private static PGPKeyPair pair(Instant when) throws PGPException {
        Ed25519KeyPairGenerator generator = new Ed25519KeyPairGenerator();
        generator.init(new Ed25519KeyGenerationParameters(new SecureRandom()));
        return new BcPGPKeyPair(
                PublicKeyAlgorithmTags.EDDSA_LEGACY, generator.generateKeyPair(), Date.from(when));
    }

    private static BcPGPContentSignerBuilder signer(PGPKeyPair pair) {
        return new BcPGPContentSignerBuilder(
                pair.getPublicKey().getAlgorithm(), HashAlgorithmTags.SHA512);
    }

    /** The key with its revocation by itself. */
    SigningKey revoked() {
        try {
            PGPSignatureGenerator generator =
                    new PGPSignatureGenerator(signer(primary), primary.getPublicKey());
            generator.init(PGPSignature.KEY_REVOCATION, primary.getPrivateKey());
            PGPPublicKey revoked =
                    PGPPublicKey.addCertification(
                            ring.getPublicKey(),
                            generator.generateCertification(ring.getPublicKey()));
            return new SigningKey(PGPPublicKeyRing.insertPublicKey(ring, revoked), primary, subkey);
        } catch (PGPException e) {
            throw new IllegalStateException(e);
        }
    }

    void writeKeyring(Path file) throws IOException {
        Files.write(file, ring.getEncoded());
    }

    void writeArmoredKeyring(Path file) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ArmoredOutputStream armored = new ArmoredOutputStream(bytes)) {
            ring.encode(armored);
        }
        Files.write(file, bytes.toByteArray());
    }

    String signingFingerprint() {
        return java.util.HexFormat.of().formatHex(subkey.getPublicKey().getFingerprint());
    }

    /** The text, clear-signed by the subkey. */
    byte[] clearSigned(String text, Instant when) {
        return clearSigned(text, when, HashAlgorithmTags.SHA256);
    }

    byte[] clearSigned(String text, Instant when, int hash) {
        return message(text, signature(text, when, hash));
    }

    /** The text with a signature by another key before this one's. */
    byte[] clearSignedAfter(SigningKey other, String text, Instant when) {
        return message(
                text,
                other.signature(text, when, HashAlgorithmTags.SHA256),
                signature(text, when, HashAlgorithmTags.SHA256));
    }

    private PGPSignature signature(String text, Instant when, int hash) {
        try {
            PGPPrivateKey secret = subkey.getPrivateKey();
            PGPPublicKey open = subkey.getPublicKey();
            PGPSignatureGenerator generator =
                    new PGPSignatureGenerator(
                            new BcPGPContentSignerBuilder(open.getAlgorithm(), hash), open);
            generator.init(PGPSignature.CANONICAL_TEXT_DOCUMENT, secret);
            PGPSignatureSubpacketGenerator packets = new PGPSignatureSubpacketGenerator();
            packets.setSignatureCreationTime(true, Date.from(when));
            packets.setIssuerFingerprint(true, open);
            generator.setHashedSubpackets(packets.generate());
            generator.update(canonical(text));
            return generator.generate();
        } catch (PGPException e) {
            throw new IllegalStateException(e);
        }
    }

    private static byte[] canonical(String text) {
        StringBuilder canonical = new StringBuilder();
        for (String line : text.stripTrailing().split("\n", -1)) {
            canonical.append(line.replaceAll("[ \t]+$", "")).append("\r\n");
        }
        canonical.setLength(canonical.length() - 2);
        return canonical.toString().getBytes(StandardCharsets.ISO_8859_1);
    }

    private static byte[] message(String text, PGPSignature... signatures) {
        try {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            bytes.writeBytes(ascii("-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n"));
            for (String line : text.stripTrailing().split("\n", -1)) {
                bytes.writeBytes(ascii((line.startsWith("-") ? "- " : "") + line + "\n"));
            }
            ByteArrayOutputStream binary = new ByteArrayOutputStream();
            for (PGPSignature signature : signatures) {
                signature.encode(new BCPGOutputStream(binary));
            }
            ByteArrayOutputStream armor = new ByteArrayOutputStream();
            try (ArmoredOutputStream armored = new ArmoredOutputStream(armor)) {
                armored.write(binary.toByteArray());
            }
            bytes.writeBytes(
                    ascii(
                            armor.toString(StandardCharsets.US_ASCII)
                                    .replace("PGP MESSAGE", "PGP SIGNATURE")));
            return bytes.toByteArray();
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }
}
