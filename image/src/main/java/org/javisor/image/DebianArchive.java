package org.javisor.image;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * One suite of a Debian archive, read so that nothing is believed that the archive's owners did not
 * sign: InRelease by its OpenPGP signature, the package index by the SHA-256 in InRelease, a
 * package by the SHA-256 in the index (Debian Repository Format).
 */
final class DebianArchive {

    private static final int MAX_RELEASE = 16 << 20;

    private final Download download;
    private final ArchiveKeyring keyring;
    private final Clock clock;
    private final ProgressListener listener;

    DebianArchive(
            Download download, ArchiveKeyring keyring, Clock clock, ProgressListener listener) {
        this.download = download;
        this.keyring = keyring;
        this.clock = clock;
        this.listener = listener;
    }

    /**
     * A verified Release file.
     *
     * @param signer the fingerprint of the key that signed it
     */
    record SignedRelease(ReleaseFile release, String signer) {}

    /**
     * Fetches and verifies a suite's InRelease.
     *
     * @throws ImageException {@code SIGNATURE}, {@code EXPIRED}, {@code MALFORMED} and what {@link
     *     Download} throws
     */
    SignedRelease release(String suite) {
        String path = "dists/" + suite + "/InRelease";
        String name = "The file " + path + " of " + download.mirror();
        listener.on(new ProgressEvent.Step("Fetching the index of Debian " + suite));
        CleartextMessage message = CleartextMessage.parse(releaseFile(path, suite), name);
        Instant now = clock.instant();
        String signer = keyring.verify(message, name, now);
        ReleaseFile release = ReleaseFile.parse(message.text(), name);
        release.check(suite, name, now);
        return new SignedRelease(release, signer);
    }

    private byte[] releaseFile(String path, String suite) {
        try {
            return download.bytes(path, MAX_RELEASE);
        } catch (ImageException e) {
            if (e.code() != ImageException.Code.NOT_FOUND) {
                throw e;
            }
            throw new ImageException(
                    ImageException.Code.NOT_FOUND,
                    "The mirror "
                            + download.mirror()
                            + " has no suite "
                            + Text.printable(suite)
                            + " (no file "
                            + path
                            + "); check the suite's name, and that it is a Debian mirror",
                    e);
        }
    }

    /**
     * Finds an image's packages: the kernel that its metapackage depends on, and busybox.
     *
     * @param scratch a directory for the index
     * @throws ImageException {@code PACKAGE_MISSING} and what {@link Download} throws
     */
    List<PackageRecord> resolve(ImageDefinition definition, ReleaseFile release, Path scratch) {
        Map<String, PackageRecord> found =
                pick(
                        index(definition.suite(), release, scratch),
                        name ->
                                name.equals(ImageDefinition.BUSYBOX_PACKAGE)
                                        || name.startsWith("linux-image-"));
        PackageRecord meta = required(found, definition.kernelPackage(), definition);
        List<PackageRecord> packages = new ArrayList<>();
        for (String dependency : meta.depends()) {
            if (dependency.startsWith("linux-image-")) {
                packages.add(required(found, dependency, definition));
                break;
            }
        }
        if (packages.isEmpty()) {
            throw new ImageException(
                    ImageException.Code.PACKAGE_MISSING,
                    "The package "
                            + meta.name()
                            + " of "
                            + download.mirror()
                            + " names no kernel; use another mirror");
        }
        packages.add(required(found, ImageDefinition.BUSYBOX_PACKAGE, definition));
        return packages;
    }

    /**
     * Fetches and verifies a package.
     *
     * @return the package's file in the scratch directory
     * @throws ImageException what {@link Download} throws
     */
    Path fetch(PackageRecord record, Path scratch) {
        listener.on(
                new ProgressEvent.Step(
                        "Fetching " + record.name() + " (" + Text.megabytes(record.size()) + ")"));
        Path target = scratch.resolve(record.name() + ".deb");
        download.file(record.path(), record.expectation(), target);
        return target;
    }

    private PackageRecord required(
            Map<String, PackageRecord> found, String name, ImageDefinition definition) {
        PackageRecord record = found.get(name);
        if (record == null) {
            throw new ImageException(
                    ImageException.Code.PACKAGE_MISSING,
                    "Debian "
                            + definition.suite()
                            + " at "
                            + download.mirror()
                            + " has no package "
                            + Text.printable(name)
                            + " for amd64; use another mirror");
        }
        return record;
    }

    /** The index as the best compressed file that the mirror has. */
    Path index(String suite, ReleaseFile release, Path scratch) {
        listener.on(new ProgressEvent.Step("Fetching the package list of Debian " + suite));
        ImageException missing = null;
        for (String suffix : List.of(".xz", ".gz", "")) {
            String path = "main/binary-amd64/Packages" + suffix;
            Download.Expectation expected = release.files().get(path);
            if (expected == null) {
                continue;
            }
            Path target = scratch.resolve("Packages" + suffix);
            try {
                fetchIndex("dists/" + suite + "/", path, expected, release.byHash(), target);
                return target;
            } catch (ImageException e) {
                if (e.code() != ImageException.Code.NOT_FOUND) {
                    throw e;
                }
                missing = missing == null ? e : missing;
            }
        }
        throw missing != null
                ? missing
                : new ImageException(
                        ImageException.Code.PACKAGE_MISSING,
                        "Debian "
                                + suite
                                + " at "
                                + download.mirror()
                                + " has no packages for amd64; use another mirror");
    }

    private void fetchIndex(
            String base, String path, Download.Expectation expected, boolean byHash, Path target) {
        if (byHash) {
            String directory = path.substring(0, path.lastIndexOf('/'));
            try {
                download.file(
                        base + directory + "/by-hash/SHA256/" + expected.sha256(),
                        expected,
                        target);
                return;
            } catch (ImageException e) {
                // A partial mirror may lack the by-hash names even where its Release offers them.
                if (e.code() != ImageException.Code.NOT_FOUND) {
                    throw e;
                }
            }
        }
        download.file(base + path, expected, target);
    }

    private Map<String, PackageRecord> pick(
            Path index, java.util.function.Predicate<String> wanted) {
        listener.on(new ProgressEvent.Step("Reading the package list"));
        try (InputStream file = Files.newInputStream(index);
                InputStream in = Compression.uncompressed(index.getFileName().toString(), file)) {
            return PackagesIndex.pick(in, wanted);
        } catch (IOException | RuntimeException e) {
            if (e instanceof ImageException known) {
                throw known;
            }
            throw new ImageException(
                    ImageException.Code.MALFORMED,
                    "The package list of "
                            + download.mirror()
                            + " cannot be read: "
                            + Text.reason(e)
                            + "; use another mirror",
                    e);
        }
    }
}
