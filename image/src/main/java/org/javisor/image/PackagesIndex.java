package org.javisor.image;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/**
 * Picks packages out of an archive's Packages index. The index has some 70,000 stanzas in 55 MB and
 * is read on a user's very first run: bytes are scanned for stanza starts, and only the stanzas
 * asked for become objects. Memory does not grow with the index.
 */
final class PackagesIndex {

    private static final int BUFFER = 1 << 16;
    private static final byte[] FIRST_FIELD = "Package: ".getBytes(StandardCharsets.US_ASCII);

    /** The longest lines in the archive, lists of virtual packages, have some 100 KB. */
    private static final int MAX_STANZA = 4 << 20;

    private static final int MAX_NAME = 1 << 10;
    private static final int MAX_PICKED = 10_000;

    private final InputStream in;
    private final byte[] buffer = new byte[BUFFER];
    private int position;
    private int limit;
    private byte[] line = new byte[512];
    private int lineLength;

    private PackagesIndex(InputStream in) {
        this.in = in;
    }

    /**
     * Picks packages.
     *
     * @param in the uncompressed index
     * @param wanted decides on a package's name
     * @return the packages by name; of several of a name the last, which is the newest in Debian
     * @throws ImageException {@code MALFORMED}
     * @throws IOException when reading or decompressing fails
     */
    static Map<String, PackageRecord> pick(InputStream in, Predicate<String> wanted)
            throws IOException {
        return new PackagesIndex(in).pick(wanted);
    }

    private Map<String, PackageRecord> pick(Predicate<String> wanted) throws IOException {
        Map<String, PackageRecord> picked = new HashMap<>();
        while (nextLine(MAX_NAME)) {
            boolean starts = startsWithField();
            if (lineLength == 0) {
                continue;
            }
            String name =
                    starts
                            ? new String(
                                            line,
                                            FIRST_FIELD.length,
                                            lineLength - FIRST_FIELD.length,
                                            StandardCharsets.UTF_8)
                                    .strip()
                            : "";
            if (starts && wanted.test(name)) {
                if (picked.size() >= MAX_PICKED) {
                    throw malformed("it lists too many packages");
                }
                picked.put(name, record(name, stanza()));
            } else {
                skipStanza();
            }
        }
        return picked;
    }

    private boolean startsWithField() {
        if (lineLength <= FIRST_FIELD.length) {
            return false;
        }
        for (int i = 0; i < FIRST_FIELD.length; i++) {
            if (line[i] != FIRST_FIELD[i]) {
                return false;
            }
        }
        return true;
    }

    private Deb822.Stanza stanza() throws IOException {
        StringBuilder text = new StringBuilder();
        while (nextLine(MAX_STANZA) && lineLength > 0) {
            if (text.length() + lineLength > MAX_STANZA) {
                throw malformed("a stanza is larger than any is");
            }
            text.append(new String(line, 0, lineLength, StandardCharsets.UTF_8)).append('\n');
        }
        List<Deb822.Stanza> stanzas = Deb822.parse(text.toString());
        return stanzas.isEmpty() ? new Deb822.Stanza(Map.of()) : stanzas.getFirst();
    }

    static PackageRecord record(String name, Deb822.Stanza stanza) {
        String sha256 = stanza.field("SHA256").orElse("");
        String size = stanza.field("Size").orElse("");
        String path = stanza.field("Filename").orElse("");
        if (!sha256.matches("[0-9a-f]{64}")
                || !size.matches("[0-9]{1,15}")
                || path.isBlank()
                || path.startsWith("/")
                || List.of(path.split("/")).contains("..")) {
            throw malformed("its entry for " + Text.printable(name) + " is damaged");
        }
        return new PackageRecord(
                name,
                stanza.field("Version").orElse(""),
                path,
                Long.parseLong(size),
                sha256,
                dependencies(stanza.field("Depends").orElse("")));
    }

    /** {@code a (>= 1), b | c, d:any} gives a, b and d. */
    static List<String> dependencies(String field) {
        List<String> names = new ArrayList<>();
        for (String clause : field.split(",")) {
            String name = clause.split("[|(:\\[]", 2)[0].strip();
            if (!name.isEmpty()) {
                names.add(name);
            }
        }
        return List.copyOf(names);
    }

    /** Reads a line without its end; of a line longer than {@code keep} only the start is kept. */
    private boolean nextLine(int keep) throws IOException {
        lineLength = 0;
        boolean any = false;
        while (fill()) {
            any = true;
            int start = position;
            while (position < limit && buffer[position] != '\n') {
                position++;
            }
            append(start, Math.min(position - start, keep - lineLength));
            if (position < limit) {
                position++;
                return true;
            }
        }
        return any;
    }

    private void append(int start, int length) {
        if (lineLength + length > line.length) {
            line = java.util.Arrays.copyOf(line, Math.max(line.length * 2, lineLength + length));
        }
        System.arraycopy(buffer, start, line, lineLength, length);
        lineLength += length;
    }

    /** Leaves the position after the next empty line. */
    private void skipStanza() throws IOException {
        boolean empty = true;
        while (fill()) {
            byte[] bytes = buffer;
            int end = limit;
            for (int i = position; i < end; i++) {
                boolean lineEnd = bytes[i] == '\n';
                if (lineEnd && empty) {
                    position = i + 1;
                    return;
                }
                empty = lineEnd;
            }
            position = limit;
        }
    }

    private boolean fill() throws IOException {
        if (position < limit) {
            return true;
        }
        position = 0;
        limit = Math.max(0, in.read(buffer, 0, BUFFER));
        return limit > 0;
    }

    private static ImageException malformed(String what) {
        return new ImageException(
                ImageException.Code.MALFORMED,
                "The archive's package index is of no use: " + what + "; use another mirror");
    }
}
