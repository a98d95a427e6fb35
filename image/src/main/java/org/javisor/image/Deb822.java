package org.javisor.image;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * Stanzas of {@code Field: value} lines as in Release files and apt's {@code .sources} (deb822(5)).
 * Field names are case-insensitive; a line that begins with a space continues the field above it.
 */
final class Deb822 {

    private Deb822() {}

    /** One stanza: fields by lower-case name, continuation lines joined with line feeds. */
    record Stanza(Map<String, String> fields) {

        Optional<String> field(String name) {
            return Optional.ofNullable(fields.get(name.toLowerCase(Locale.ROOT)));
        }

        /** The white-space separated words of a field; none when it is absent. */
        List<String> words(String name) {
            return field(name).map(String::strip).filter(value -> !value.isEmpty()).stream()
                    .flatMap(value -> List.of(value.split("\\s+")).stream())
                    .toList();
        }
    }

    /**
     * All stanzas of the text. Lines that are neither field, continuation nor comment are ignored.
     */
    static List<Stanza> parse(String text) {
        List<Stanza> stanzas = new ArrayList<>();
        Map<String, StringBuilder> fields = new LinkedHashMap<>();
        StringBuilder value = new StringBuilder();
        for (String line : text.split("\n", -1)) {
            if (line.isBlank()) {
                flush(fields, stanzas);
                value = new StringBuilder();
            } else if (line.startsWith("#")) {
                continue;
            } else if (line.charAt(0) == ' ' || line.charAt(0) == '\t') {
                value.append('\n').append(line.strip());
            } else {
                int colon = line.indexOf(':');
                // A value without a name belongs nowhere: collected, never looked at.
                value = new StringBuilder();
                if (colon > 0) {
                    value.append(line.substring(colon + 1).strip());
                    fields.put(line.substring(0, colon).strip().toLowerCase(Locale.ROOT), value);
                }
            }
        }
        flush(fields, stanzas);
        return stanzas;
    }

    private static void flush(Map<String, StringBuilder> fields, List<Stanza> stanzas) {
        if (fields.isEmpty()) {
            return;
        }
        Map<String, String> done = new LinkedHashMap<>();
        fields.forEach((name, value) -> done.put(name, value.toString()));
        stanzas.add(new Stanza(done));
        fields.clear();
    }
}
