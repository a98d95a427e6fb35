package org.javisor.image;

import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/**
 * The Debian mirror among the sources that the host's apt is configured for (sources.list(5)), in
 * both notations. Third-party archives often use a Debian code name and {@code main} too, so the
 * candidates are ranked by what tells Debian's own archive apart: its keyring, and a path that ends
 * in {@code debian}. A wrong guess does no harm, since everything is verified.
 */
final class AptSources {

    private static final Set<String> SUITES =
            Set.of(
                    "bullseye",
                    "bookworm",
                    "trixie",
                    "forky",
                    "duke",
                    "sid",
                    "oldoldstable",
                    "oldstable",
                    "stable",
                    "testing",
                    "unstable");

    private static final long MAX_FILE_SIZE = 1 << 20;

    private AptSources() {}

    /** A binary archive that apt knows. */
    record Source(URI uri, List<String> suites, List<String> components, String signedBy) {

        boolean mayBeDebian() {
            return components.contains("main")
                    && suites.stream().anyMatch(SUITES::contains)
                    && (signedBy.isEmpty() || signedByDebian())
                    && Mirror.supports(uri);
        }

        int rank() {
            String path = Optional.ofNullable(uri.getPath()).orElse("");
            return (signedByDebian() ? 2 : 0) + (path.matches(".*/debian/?") ? 1 : 0);
        }

        /** Debian's archive of security updates, which lies beside the main one. */
        boolean isDebianSecurity() {
            String path = Optional.ofNullable(uri.getPath()).orElse("");
            return path.matches(".*/debian-security/?")
                    && components.contains("main")
                    && (signedBy.isEmpty() || signedByDebian())
                    && Optional.ofNullable(uri.getScheme()).orElse("").startsWith("http");
        }

        private boolean signedByDebian() {
            return signedBy.contains("debian-archive");
        }
    }

    /**
     * The address of Debian's archive according to apt.
     *
     * @param apt the directory of apt's configuration, such as {@code /etc/apt}
     */
    static Optional<URI> debianMirror(Path apt) {
        return sources(apt).stream()
                .filter(Source::mayBeDebian)
                .max(Comparator.comparingInt(Source::rank))
                .map(Source::uri);
    }

    static List<Source> sources(Path apt) {
        List<Source> found = new ArrayList<>();
        read(apt.resolve("sources.list")).ifPresent(text -> parseOneLine(text, found));
        for (Path file : parts(apt.resolve("sources.list.d"))) {
            boolean deb822 = file.getFileName().toString().endsWith(".sources");
            read(file)
                    .ifPresent(
                            text -> {
                                if (deb822) {
                                    parseDeb822(text, found);
                                } else {
                                    parseOneLine(text, found);
                                }
                            });
        }
        return found;
    }

    private static List<Path> parts(Path directory) {
        List<Path> files = new ArrayList<>();
        try (DirectoryStream<Path> entries =
                Files.newDirectoryStream(directory, "*.{list,sources}")) {
            entries.forEach(files::add);
        } catch (IOException | java.nio.file.DirectoryIteratorException e) {
            return List.of();
        }
        files.sort(Comparator.naturalOrder());
        return files;
    }

    private static Optional<String> read(Path file) {
        try {
            if (!Files.isRegularFile(file) || Files.size(file) > MAX_FILE_SIZE) {
                return Optional.empty();
            }
            return Optional.of(Files.readString(file, StandardCharsets.ISO_8859_1));
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    /** {@code deb [option=value …] uri suite component…}. */
    static void parseOneLine(String text, List<Source> found) {
        for (String raw : text.split("\n")) {
            String line = raw.strip();
            int comment = line.indexOf('#');
            if (comment >= 0) {
                line = line.substring(0, comment).strip();
            }
            if (!line.matches("deb\\s.*")) {
                continue;
            }
            line = line.substring(3).strip();
            String options = "";
            if (line.startsWith("[")) {
                int end = line.indexOf(']');
                if (end < 0) {
                    continue;
                }
                options = line.substring(1, end);
                line = line.substring(end + 1).strip();
            }
            String[] words = line.split("\\s+");
            if (words.length < 3) {
                continue;
            }
            String signedBy = signedBy(options);
            List<String> components = List.of(words).subList(2, words.length);
            uri(words[0])
                    .ifPresent(
                            uri ->
                                    found.add(
                                            new Source(
                                                    uri, List.of(words[1]), components, signedBy)));
        }
    }

    private static String signedBy(String options) {
        for (String option : options.split("\\s+")) {
            if (option.toLowerCase(Locale.ROOT).startsWith("signed-by=")) {
                return option.substring("signed-by=".length());
            }
        }
        return "";
    }

    static void parseDeb822(String text, List<Source> found) {
        for (Deb822.Stanza stanza : Deb822.parse(text)) {
            boolean disabled =
                    stanza.field("Enabled").map(v -> v.strip().equals("no")).orElse(false);
            if (disabled || !stanza.words("Types").contains("deb")) {
                continue;
            }
            for (String word : stanza.words("URIs")) {
                uri(word)
                        .ifPresent(
                                uri ->
                                        found.add(
                                                new Source(
                                                        uri,
                                                        stanza.words("Suites"),
                                                        stanza.words("Components"),
                                                        stanza.field("Signed-By").orElse(""))));
            }
        }
    }

    private static Optional<URI> uri(String word) {
        try {
            return Optional.of(new URI(word));
        } catch (java.net.URISyntaxException e) {
            return Optional.empty();
        }
    }
}
