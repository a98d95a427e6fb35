package org.javisor.image;

import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * The archive's index of indexes (Debian Repository Format, "Release files"), from verified text.
 *
 * @param codename such as {@code trixie}
 * @param suite such as {@code stable}
 * @param date when it was made
 * @param validUntil when it ends to be valid; stable releases have none
 * @param byHash whether indexes can be fetched under their hash
 * @param files what each index must be, by path relative to the suite's directory
 */
record ReleaseFile(
        String codename,
        String suite,
        Instant date,
        Optional<Instant> validUntil,
        boolean byHash,
        Map<String, Download.Expectation> files) {

    private static final Duration CLOCK_SKEW = Duration.ofHours(24);

    /** {@code Sat, 12 Sep 2026 07:55:41 UTC}; one-digit days occur. */
    private static final DateTimeFormatter DATE =
            DateTimeFormatter.ofPattern("EEE, d MMM yyyy HH:mm:ss zzz", Locale.ROOT);

    /**
     * Parses verified text.
     *
     * @param name the file's name for messages
     * @throws ImageException {@code MALFORMED}
     */
    static ReleaseFile parse(String text, String name) {
        List<Deb822.Stanza> stanzas = Deb822.parse(text);
        if (stanzas.size() != 1) {
            throw malformed(name, "it is not one stanza");
        }
        Deb822.Stanza stanza = stanzas.getFirst();
        return new ReleaseFile(
                stanza.field("Codename").orElse(""),
                stanza.field("Suite").orElse(""),
                stanza.field("Date")
                        .map(value -> date(value, name))
                        .orElseThrow(() -> malformed(name, "it has no date")),
                stanza.field("Valid-Until").map(value -> date(value, name)),
                stanza.field("Acquire-By-Hash").map(v -> v.equals("yes")).orElse(false),
                files(stanza.field("SHA256").orElse(""), name));
    }

    /**
     * Requires that it is for the suite and valid now.
     *
     * @throws ImageException {@code EXPIRED}, {@code MALFORMED}
     */
    void check(String wantedSuite, String name, Instant now) {
        if (!codename.equals(wantedSuite) && !suite.equals(wantedSuite)) {
            throw malformed(
                    name, "it is for " + Text.printable(codename) + " instead of " + wantedSuite);
        }
        if (date.isAfter(now.plus(CLOCK_SKEW))) {
            throw new ImageException(
                    ImageException.Code.EXPIRED,
                    name + " is dated " + date + ", in the future; check this host's clock");
        }
        if (validUntil.isPresent() && now.isAfter(validUntil.get())) {
            throw new ImageException(
                    ImageException.Code.EXPIRED,
                    name
                            + " was valid until "
                            + validUntil.get()
                            + "; the mirror is out of date, use another one (or check this"
                            + " host's clock)");
        }
    }

    private static Map<String, Download.Expectation> files(String lines, String name) {
        Map<String, Download.Expectation> files = new HashMap<>();
        for (String line : lines.split("\n")) {
            if (line.isBlank()) {
                continue;
            }
            String[] words = line.strip().split("\\s+");
            if (words.length != 3
                    || !words[0].matches("[0-9a-f]{64}")
                    || !words[1].matches("[0-9]{1,15}")) {
                throw malformed(name, "its list of files is damaged");
            }
            files.put(words[2], new Download.Expectation(Long.parseLong(words[1]), words[0]));
        }
        return Map.copyOf(files);
    }

    private static Instant date(String value, String name) {
        try {
            return DATE.parse(value.strip().replaceAll("\\s+", " "), Instant::from);
        } catch (DateTimeParseException e) {
            throw malformed(name, "its date '" + Text.printable(value) + "' is unreadable");
        }
    }

    private static ImageException malformed(String name, String what) {
        return new ImageException(ImageException.Code.MALFORMED, name + " is of no use: " + what);
    }
}
