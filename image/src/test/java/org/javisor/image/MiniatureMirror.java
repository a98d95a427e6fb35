package org.javisor.image;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * A signed Debian archive with one kernel, one busybox and a few packages around them, on the disk.
 * A test changes a part and then {@link #publish}es; what it changes afterwards is tampering.
 */
final class MiniatureMirror {

    static final Instant NOW = Instant.parse("2026-11-21T12:00:00Z");
    static final String KERNEL_PACKAGE = "linux-image-6.12.9-cloud-amd64";

    final Path root;
    final Path keyring;
    SigningKey key = SigningKey.made(NOW.minus(Duration.ofDays(100)), 0);
    Instant date = NOW.minus(Duration.ofDays(1));
    Optional<Instant> validUntil = Optional.empty();
    boolean byHash = true;
    String kernelVersion = "6.12.9-1";
    String kernelContent = "a kernel";
    Map<String, byte[]> debs = new LinkedHashMap<>();

    /** More packages: the text of their control files, and their own files. */
    final Map<String, Map<String, byte[]>> systemPackages = new LinkedHashMap<>();

    MiniatureMirror(Path directory) {
        this.root = directory.resolve("mirror");
        this.keyring = directory.resolve("keyring.gpg");
    }

    static MiniatureMirror published(Path directory) {
        MiniatureMirror mirror = new MiniatureMirror(directory);
        mirror.publish();
        return mirror;
    }

    /** Settings that pull from here. */
    PullSettings settings() {
        return settings(root.toString());
    }

    PullSettings settings(String address) {
        return new PullSettings(
                Optional.of(address),
                Optional.of(keyring),
                Map.of(),
                root.resolve("no-apt"),
                Clock.fixed(NOW, ZoneOffset.UTC),
                Duration.ZERO);
    }

    /** A busybox whose table of applets has that many made-up names. */
    static byte[] busybox() {
        StringBuilder program = new StringBuilder("\u007fELF.....[[\0\1\2");
        program.append("[\0[[\0");
        for (char c = 'a'; c <= 'z'; c++) {
            program.append(c).append("x\0");
        }
        return program.append("\0rest").toString().getBytes(StandardCharsets.ISO_8859_1);
    }

    Path publish() {
        try {
            String control =
                    "Package: "
                            + KERNEL_PACKAGE
                            + "\nVersion: "
                            + kernelVersion
                            + "\nArchitecture: amd64\n";
            debs.put(
                    KERNEL_PACKAGE,
                    DebFixture.deb(Map.of("./control", ascii(control)), kernelFiles()));
            debs.put(
                    ImageDefinition.BUSYBOX_PACKAGE,
                    DebFixture.deb(".xz", Map.of("./usr/bin/busybox", busybox())));
            write();
            return root;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Map<String, byte[]> kernelFiles() throws IOException {
        Map<String, byte[]> files = new LinkedHashMap<>();
        files.put("./boot/System.map-6.12.9", ascii("symbols"));
        files.put("./boot/config-6.12.9", ascii("CONFIG_X=y\n"));
        files.put("./boot/vmlinuz-6.12.9", ascii(kernelContent));
        String modules = "./usr/lib/modules/6.12.9/kernel/drivers/";
        files.put(modules + "acpi/button.ko.xz", DebFixture.compressed(".xz", ascii("button")));
        files.put(modules + "input/evdev.ko", ascii("evdev"));
        files.put(modules + "net/large.ko", new byte[100_000]);
        return files;
    }

    private void write() throws IOException {
        StringBuilder packages = new StringBuilder();
        stanza(packages, "aardvark", "1", "", ascii("never fetched"), false);
        for (Map.Entry<String, byte[]> deb : debs.entrySet()) {
            stanza(packages, deb.getKey(), kernelVersion, "kmod", deb.getValue(), true);
        }
        stanza(
                packages,
                "linux-image-cloud-amd64",
                kernelVersion,
                KERNEL_PACKAGE + " (= " + kernelVersion + ")",
                ascii("never fetched"),
                false);
        for (Map.Entry<String, Map<String, byte[]>> each : systemPackages.entrySet()) {
            systemPackage(packages, each.getKey(), each.getValue());
        }
        stanza(packages, "zebra", "9", "", ascii("never fetched"), false);
        byte[] plain = packages.toString().getBytes(StandardCharsets.UTF_8);
        Map<String, byte[]> indexes = new LinkedHashMap<>();
        indexes.put("main/binary-amd64/Packages.xz", DebFixture.compressed(".xz", plain));
        indexes.put("main/binary-amd64/Packages.gz", DebFixture.compressed(".gz", plain));
        for (Map.Entry<String, byte[]> index : indexes.entrySet()) {
            put("dists/trixie/" + index.getKey(), index.getValue());
            if (byHash) {
                put(
                        "dists/trixie/main/binary-amd64/by-hash/SHA256/" + sha256(index.getValue()),
                        index.getValue());
            }
        }
        put("dists/trixie/InRelease", key.clearSigned(release(indexes), date));
        key.writeKeyring(keyring);
    }

    String release(Map<String, byte[]> indexes) {
        List<String> lines = new ArrayList<>();
        lines.add("Origin: Debian");
        lines.add("Suite: stable");
        lines.add("Codename: trixie");
        lines.add("Date: " + rfc(date));
        validUntil.ifPresent(until -> lines.add("Valid-Until: " + rfc(until)));
        lines.add("Acquire-By-Hash: " + (byHash ? "yes" : "no"));
        lines.add("SHA256:");
        indexes.forEach(
                (path, bytes) -> lines.add(" " + sha256(bytes) + " " + bytes.length + " " + path));
        return String.join("\n", lines) + "\n";
    }

    private void systemPackage(StringBuilder packages, String control, Map<String, byte[]> files)
            throws IOException {
        String name = control.lines().findFirst().orElseThrow().substring("Package: ".length());
        Map<String, byte[]> scripts = new LinkedHashMap<>();
        Map<String, byte[]> data = new LinkedHashMap<>();
        scripts.put("./control", ascii(control));
        files.forEach(
                (path, content) ->
                        (path.startsWith("DEBIAN/") ? scripts : data)
                                .put(path.replaceFirst("^DEBIAN/", "./"), content));
        byte[] deb = DebFixture.deb(scripts, data);
        String path = "pool/main/" + name + ".deb";
        put(path, deb);
        packages.append(control)
                .append("Filename: ")
                .append(path)
                .append("\nSize: ")
                .append(deb.length)
                .append("\nSHA256: ")
                .append(sha256(deb))
                .append("\n\n");
    }

    private void stanza(
            StringBuilder packages,
            String name,
            String version,
            String depends,
            byte[] deb,
            boolean inPool)
            throws IOException {
        String path = "pool/main/" + name + "_" + version + "_amd64.deb";
        if (inPool) {
            put(path, deb);
        }
        packages.append("Package: ").append(name).append('\n');
        packages.append("Version: ").append(version).append('\n');
        packages.append("Depends: ").append(depends).append('\n');
        packages.append("Description: a package\n with two lines\n");
        packages.append("Filename: ").append(path).append('\n');
        packages.append("Size: ").append(deb.length).append('\n');
        packages.append("SHA256: ").append(sha256(deb)).append("\n\n");
    }

    Path kernelDeb() {
        return root.resolve("pool/main/" + KERNEL_PACKAGE + "_" + kernelVersion + "_amd64.deb");
    }

    void put(String path, byte[] content) throws IOException {
        Path file = root.resolve(path);
        Files.createDirectories(file.getParent());
        Files.write(file, content);
    }

    /** Flips one bit in the middle. */
    static void damage(Path file) throws IOException {
        byte[] bytes = Files.readAllBytes(file);
        bytes[bytes.length / 2] ^= 1;
        Files.write(file, bytes);
    }

    private static String rfc(Instant instant) {
        return DateTimeFormatter.ofPattern("EEE, dd MMM yyyy HH:mm:ss 'UTC'", Locale.ROOT)
                .format(instant.atOffset(ZoneOffset.UTC));
    }

    static String sha256(byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }
}
