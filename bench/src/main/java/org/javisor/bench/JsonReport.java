package org.javisor.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * Results for programs (RFC 8259): {@code header}, an array of lines; {@code samples}, an array of
 * objects with {@code row}, {@code engine}, {@code iterations}, {@code nanoseconds} and {@code
 * checksum}; {@code notes} and {@code failures}, arrays of lines.
 */
record JsonReport(List<String> header, List<String> engines, Results results) {
    /** Whether a file can be written: better known now than after minutes. */
    static void checkWritable(Path file) {
        Path directory = file.toAbsolutePath().getParent();
        if (directory == null || !Files.isDirectory(directory)) {
            throw new BenchException(
                    BenchException.USAGE, "There is no directory for " + file + "; make it first");
        }
        if (Files.isDirectory(file) || !Files.isWritable(Files.exists(file) ? file : directory)) {
            throw new BenchException(BenchException.FAILURE, "Cannot write " + file);
        }
    }

    void write(Path file) {
        try {
            Files.writeString(file, text());
        } catch (IOException e) {
            throw new BenchException(
                    BenchException.FAILURE, "Cannot write %s: %s".formatted(file, Text.reason(e)));
        }
    }

    String text() {
        return "{\"header\":%s,%n\"samples\":[%s],%n\"notes\":%s,%n\"failures\":%s}%n"
                .formatted(
                        strings(header),
                        samples(),
                        strings(results.notes()),
                        strings(results.failures()));
    }

    private String samples() {
        return results.rows().stream()
                .flatMap(
                        row ->
                                engines.stream()
                                        .flatMap(
                                                engine ->
                                                        results.samples(row, engine).stream()
                                                                .map(s -> object(row, engine, s))))
                .collect(Collectors.joining(",\n", "\n", ""));
    }

    private static String object(String row, String engine, Sample sample) {
        return "{\"row\":%s,\"engine\":%s,\"iterations\":%d,\"nanoseconds\":%d,\"checksum\":%s}"
                .formatted(
                        string(row),
                        string(engine),
                        sample.iterations(),
                        sample.nanos(),
                        string(sample.checksum()));
    }

    private static String strings(List<String> texts) {
        return texts.stream().map(JsonReport::string).collect(Collectors.joining(",", "[", "]"));
    }

    static String string(String text) {
        StringBuilder json = new StringBuilder("\"");
        for (char c : text.toCharArray()) {
            if (c == '"' || c == '\\') {
                json.append('\\').append(c);
            } else if (c < 0x20) {
                json.append(String.format(Locale.ROOT, "\\u%04x", (int) c));
            } else {
                json.append(c);
            }
        }
        return json.append('"').toString();
    }
}
