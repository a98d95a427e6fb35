package org.javisor.image;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.bouncycastle.bcpg.HashAlgorithmTags;
import org.bouncycastle.bcpg.sig.KeyFlags;
import org.bouncycastle.openpgp.PGPException;
import org.bouncycastle.openpgp.PGPPublicKey;
import org.bouncycastle.openpgp.PGPPublicKeyRing;
import org.bouncycastle.openpgp.PGPPublicKeyRingCollection;
import org.bouncycastle.openpgp.PGPSignature;
import org.bouncycastle.openpgp.PGPSignatureList;
import org.bouncycastle.openpgp.PGPUtil;
import org.bouncycastle.openpgp.bc.BcPGPObjectFactory;
import org.bouncycastle.openpgp.bc.BcPGPPublicKeyRingCollection;
import org.bouncycastle.openpgp.operator.bc.BcPGPContentVerifierBuilderProvider;

/**
 * The public keys that a Debian archive is signed with. The file is trusted as it is; within it,
 * keys that have expired or were revoked, subkeys that their primary key does not vouch for, and
 * keys that may not sign, do not count.
 */
final class ArchiveKeyring {

    /** The environment variable that names a keyring file. */
    static final String VARIABLE = "JAVISOR_KEYRING";

    private static final List<String> USUAL =
            List.of(
                    "/usr/share/keyrings/debian-archive-keyring.pgp",
                    "/usr/share/keyrings/debian-archive-keyring.gpg");

    private static final long MAX_FILE_SIZE = 16 << 20;
    private static final Duration CLOCK_SKEW = Duration.ofHours(24);

    private final Path file;
    private final PGPPublicKeyRingCollection keys;

    private ArchiveKeyring(Path file, PGPPublicKeyRingCollection keys) {
        this.file = file;
        this.keys = keys;
    }

    /**
     * The keyring to use: the option, else {@value #VARIABLE}, else Debian's.
     *
     * @throws ImageException {@code KEYRING}
     */
    static ArchiveKeyring find(Optional<Path> option, Map<String, String> environment) {
        Optional<Path> named =
                option.or(
                        () ->
                                Optional.ofNullable(environment.get(VARIABLE))
                                        .filter(value -> !value.isBlank())
                                        .map(Path::of));
        if (named.isPresent()) {
            return read(named.get());
        }
        for (String usual : USUAL) {
            if (Files.isReadable(Path.of(usual))) {
                return read(Path.of(usual));
            }
        }
        throw new ImageException(
                ImageException.Code.KEYRING,
                "Debian's public keys are not on this host: install debian-archive-keyring, or"
                        + " give a keyring file with --keyring FILE or "
                        + VARIABLE);
    }

    /**
     * Reads a keyring, binary or armored.
     *
     * @throws ImageException {@code KEYRING}
     */
    static ArchiveKeyring read(Path file) {
        try {
            if (Files.size(file) > MAX_FILE_SIZE) {
                throw new IOException("larger than any keyring is");
            }
            byte[] bytes = Files.readAllBytes(file);
            try (InputStream in = PGPUtil.getDecoderStream(new ByteArrayInputStream(bytes))) {
                PGPPublicKeyRingCollection keys = new BcPGPPublicKeyRingCollection(in);
                if (keys.size() == 0) {
                    throw new IOException("no public keys in it");
                }
                return new ArchiveKeyring(file, keys);
            }
        } catch (java.nio.file.NoSuchFileException e) {
            throw new ImageException(
                    ImageException.Code.KEYRING,
                    "There is no keyring file " + file + "; check --keyring or " + VARIABLE,
                    e);
        } catch (IOException | PGPException | RuntimeException e) {
            throw new ImageException(
                    ImageException.Code.KEYRING,
                    "Cannot read the keyring " + file + ": " + Text.reason(e),
                    e);
        }
    }

    /**
     * Requires a good signature by one of the keys.
     *
     * @param name the message's name, for errors
     * @return the signing key's fingerprint, lower-case hexadecimal
     * @throws ImageException {@code SIGNATURE}
     */
    String verify(CleartextMessage message, String name, Instant now) {
        List<String> reasons = new ArrayList<>();
        for (PGPSignature signature : signatures(message, name)) {
            try {
                PGPPublicKey key = keys.getPublicKey(signature.getKeyID());
                if (key == null) {
                    reasons.add("key " + id(signature.getKeyID()) + " is not in the keyring");
                    continue;
                }
                Optional<String> objection = objection(signature, key, now);
                if (objection.isPresent()) {
                    reasons.add("key " + id(key.getKeyID()) + " " + objection.get());
                    continue;
                }
                signature.init(new BcPGPContentVerifierBuilderProvider(), key);
                signature.update(message.signed());
                if (signature.verify()) {
                    return java.util.HexFormat.of().formatHex(key.getFingerprint());
                }
                reasons.add("the signature by key " + id(key.getKeyID()) + " is bad");
            } catch (PGPException | RuntimeException e) {
                reasons.add("unreadable signature: " + Text.reason(e));
            }
        }
        throw new ImageException(
                ImageException.Code.SIGNATURE,
                name
                        + " has no good signature by a key in "
                        + file
                        + " ("
                        + String.join(", ", reasons.subList(0, Math.min(4, reasons.size())))
                        + "); use another mirror, or update debian-archive-keyring");
    }

    private static List<PGPSignature> signatures(CleartextMessage message, String name) {
        List<PGPSignature> signatures = new ArrayList<>();
        try (InputStream in = PGPUtil.getDecoderStream(new ByteArrayInputStream(message.armor()))) {
            Object object = new BcPGPObjectFactory(in).nextObject();
            if (object instanceof PGPSignatureList list) {
                list.forEach(signatures::add);
            }
        } catch (IOException | RuntimeException e) {
            throw new ImageException(
                    ImageException.Code.SIGNATURE,
                    name + " has an unreadable signature; use another mirror",
                    e);
        }
        return signatures;
    }

    private Optional<String> objection(PGPSignature signature, PGPPublicKey key, Instant now)
            throws PGPException {
        int type = signature.getSignatureType();
        if (type != PGPSignature.CANONICAL_TEXT_DOCUMENT && type != PGPSignature.BINARY_DOCUMENT) {
            return Optional.of("signed something else than a document");
        }
        boolean strong =
                switch (signature.getHashAlgorithm()) {
                    case HashAlgorithmTags.SHA256,
                            HashAlgorithmTags.SHA384,
                            HashAlgorithmTags.SHA512,
                            HashAlgorithmTags.SHA3_256,
                            HashAlgorithmTags.SHA3_512 ->
                            true;
                    default -> false;
                };
        if (!strong) {
            return Optional.of("signed with a weak hash");
        }
        Instant made = signature.getCreationTime().toInstant();
        if (made.isAfter(now.plus(CLOCK_SKEW))) {
            return Optional.of("signed in the future (check this host's clock)");
        }
        if (signature.getHashedSubPackets() != null) {
            long lifetime = signature.getHashedSubPackets().getSignatureExpirationTime();
            if (lifetime != 0 && now.isAfter(made.plusSeconds(lifetime))) {
                return Optional.of("made a signature that has expired");
            }
        }
        return keyObjection(key, now);
    }

    private Optional<String> keyObjection(PGPPublicKey key, Instant now) throws PGPException {
        if (key.hasRevocation()) {
            return Optional.of("was revoked");
        }
        if (expired(key, now)) {
            return Optional.of("has expired");
        }
        if (key.isMasterKey()) {
            return Optional.empty();
        }
        PGPPublicKeyRing ring = keys.getPublicKeyRing(key.getKeyID());
        PGPPublicKey primary = ring.getPublicKey();
        if (primary.hasRevocation()) {
            return Optional.of("belongs to a revoked key");
        }
        if (expired(primary, now)) {
            return Optional.of("belongs to an expired key");
        }
        return boundForSigning(primary, key)
                ? Optional.empty()
                : Optional.of("is not its owner's for signing");
    }

    private static boolean expired(PGPPublicKey key, Instant now) {
        long seconds = key.getValidSeconds();
        return seconds != 0 && now.isAfter(key.getCreationTime().toInstant().plusSeconds(seconds));
    }

    private static boolean boundForSigning(PGPPublicKey primary, PGPPublicKey subkey)
            throws PGPException {
        Iterator<PGPSignature> bindings = subkey.getSignaturesOfType(PGPSignature.SUBKEY_BINDING);
        while (bindings.hasNext()) {
            PGPSignature binding = bindings.next();
            if (binding.getKeyID() != primary.getKeyID()
                    || binding.getHashedSubPackets() == null
                    || (binding.getHashedSubPackets().getKeyFlags() & KeyFlags.SIGN_DATA) == 0) {
                continue;
            }
            binding.init(new BcPGPContentVerifierBuilderProvider(), primary);
            if (binding.verifyCertification(primary, subkey)) {
                return true;
            }
        }
        return false;
    }

    private static String id(long keyId) {
        return String.format("%016X", keyId);
    }
}
