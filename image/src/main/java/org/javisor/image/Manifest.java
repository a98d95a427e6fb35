package org.javisor.image;

import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What a cached image was made of: the file {@code manifest.properties} beside its kernel, UTF-8,
 * one {@code key=value} a line:
 *
 * <pre>
 * format=1                       raised when the file can no longer be read by older versions
 * content=2                      raised when more is taken from the packages; an image of an
 *                                older content is made again
 * image=tiny
 * suite=trixie
 * mirror=…                       the base address it was pulled from
 * release.date=2026-09-12T07:55:41Z   of the signed index
 * release.signer=…               fingerprint of the key that signed it
 * pulled=2026-11-21T05:40:00Z
 * package.1.name=linux-image-…   the packages, from 1
 * package.1.version=…
 * package.1.path=pool/…
 * package.1.size=…               bytes
 * package.1.sha256=…
 * </pre>
 *
 * @param image the image's name
 * @param suite the Debian suite
 * @param mirror where it was pulled from
 * @param releaseDate the date of the signed index
 * @param signer the fingerprint of the key that signed it
 * @param pulled when it was pulled
 * @param packages what it was made of; dependencies are not recorded
 */
public record Manifest(
        String image,
        String suite,
        String mirror,
        Instant releaseDate,
        String signer,
        Instant pulled,
        List<PackageRecord> packages) {

    static final String FILE_NAME = "manifest.properties";
    private static final String FORMAT = "1";
    private static final String CONTENT = "2";
    private static final int MAX_PACKAGES = 1000;

    /** The file's text. */
    String text() {
        StringBuilder text = new StringBuilder();
        line(text, "format", FORMAT);
        line(text, "content", CONTENT);
        line(text, "image", image);
        line(text, "suite", suite);
        line(text, "mirror", mirror);
        line(text, "release.date", releaseDate.toString());
        line(text, "release.signer", signer);
        line(text, "pulled", pulled.toString());
        for (int i = 0; i < packages.size(); i++) {
            PackageRecord record = packages.get(i);
            String prefix = "package." + (i + 1) + ".";
            line(text, prefix + "name", record.name());
            line(text, prefix + "version", record.version());
            line(text, prefix + "path", record.path());
            line(text, prefix + "size", Long.toString(record.size()));
            line(text, prefix + "sha256", record.sha256());
        }
        return text.toString();
    }

    private static void line(StringBuilder text, String key, String value) {
        text.append(key).append('=').append(value.replaceAll("[\\r\\n]", " ")).append('\n');
    }

    /**
     * Reads a manifest.
     *
     * @throws IllegalArgumentException when it is damaged, or of another format or content
     */
    static Manifest parse(String text) {
        Map<String, String> values = new LinkedHashMap<>();
        for (String line : text.split("\n")) {
            int equals = line.indexOf('=');
            if (equals > 0) {
                values.put(line.substring(0, equals), line.substring(equals + 1));
            }
        }
        if (!required(values, "format").equals(FORMAT)) {
            throw new IllegalArgumentException("Unknown format");
        }
        if (!values.getOrDefault("content", "1").equals(CONTENT)) {
            throw new IllegalArgumentException("Other content");
        }
        List<PackageRecord> packages = new ArrayList<>();
        for (int i = 1; i <= MAX_PACKAGES; i++) {
            String prefix = "package." + i + ".";
            if (!values.containsKey(prefix + "name")) {
                break;
            }
            packages.add(
                    new PackageRecord(
                            required(values, prefix + "name"),
                            required(values, prefix + "version"),
                            required(values, prefix + "path"),
                            Long.parseLong(required(values, prefix + "size")),
                            required(values, prefix + "sha256"),
                            List.of()));
        }
        try {
            return new Manifest(
                    required(values, "image"),
                    required(values, "suite"),
                    required(values, "mirror"),
                    Instant.parse(required(values, "release.date")),
                    required(values, "release.signer"),
                    Instant.parse(required(values, "pulled")),
                    List.copyOf(packages));
        } catch (DateTimeParseException e) {
            throw new IllegalArgumentException("Unreadable date", e);
        }
    }

    private static String required(Map<String, String> values, String key) {
        String value = values.get(key);
        if (value == null) {
            throw new IllegalArgumentException("No " + key);
        }
        return value;
    }

    /** Whether it was made of exactly these packages. */
    boolean madeOf(List<PackageRecord> others) {
        return packages.stream()
                .map(PackageRecord::sha256)
                .toList()
                .equals(others.stream().map(PackageRecord::sha256).toList());
    }
}
