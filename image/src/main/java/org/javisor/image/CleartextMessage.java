package org.javisor.image;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * A message of OpenPGP's Cleartext Signature Framework (RFC 9580, section 7), taken apart strictly:
 * it begins with the header line, ends with the signature, and nothing stands before, between or
 * after. What follows from it is only ever read from {@link #text}, never from the raw message.
 *
 * @param text the signed lines, dash-unescaped, each ended by a line feed
 * @param signed the bytes that the signature covers: trailing white space removed from each line,
 *     lines separated by CR LF, no line end after the last
 * @param armor the armored signatures, both delimiter lines included
 */
record CleartextMessage(String text, byte[] signed, byte[] armor) {

    private static final String HEADER = "-----BEGIN PGP SIGNED MESSAGE-----";
    private static final String BEGIN = "-----BEGIN PGP SIGNATURE-----";
    private static final String END = "-----END PGP SIGNATURE-----";

    /**
     * Takes a message apart.
     *
     * @throws ImageException {@code SIGNATURE} when it does not follow the format
     */
    static CleartextMessage parse(byte[] message, String name) {
        List<String> lines = lines(message);
        int count = lines.size();
        while (count > 0 && lines.get(count - 1).isEmpty()) {
            count--;
        }
        if (count == 0 || !lines.getFirst().stripTrailing().equals(HEADER)) {
            throw bad(name, "it is not a signed message");
        }
        int line = 1;
        while (line < count && !lines.get(line).isBlank()) {
            // The only armor header that RFC 9580 allows here.
            if (!lines.get(line++).startsWith("Hash: ")) {
                throw bad(name, "it has an unknown armor header");
            }
        }
        int first = ++line;
        while (line < count && !lines.get(line).stripTrailing().equals(BEGIN)) {
            line++;
        }
        if (line >= count || !lines.get(count - 1).stripTrailing().equals(END)) {
            throw bad(name, "its signature is missing or cut off");
        }
        List<String> text = unescaped(lines.subList(first, line), name);
        List<String> armor = lines.subList(line, count);
        for (String armored : armor.subList(1, armor.size() - 1)) {
            if (armored.startsWith("-")) {
                throw bad(name, "something follows its signature");
            }
        }
        return new CleartextMessage(
                String.join("\n", text) + "\n",
                bytes(text.stream().map(CleartextMessage::withoutTrailingSpace).toList(), "\r\n"),
                bytes(armor, "\n"));
    }

    /** ISO-8859-1 keeps every byte as it is. */
    private static List<String> lines(byte[] message) {
        String all = new String(message, StandardCharsets.ISO_8859_1);
        List<String> lines = new ArrayList<>();
        for (String line : all.split("\n", -1)) {
            lines.add(line.endsWith("\r") ? line.substring(0, line.length() - 1) : line);
        }
        return lines;
    }

    private static List<String> unescaped(List<String> lines, String name) {
        List<String> text = new ArrayList<>(lines.size());
        for (String line : lines) {
            if (line.startsWith("- ")) {
                text.add(line.substring(2));
            } else if (line.startsWith("-")) {
                throw bad(name, "it has a line that should have been dash-escaped");
            } else {
                text.add(line);
            }
        }
        return text;
    }

    private static String withoutTrailingSpace(String line) {
        int end = line.length();
        while (end > 0 && " \t\r".indexOf(line.charAt(end - 1)) >= 0) {
            end--;
        }
        return line.substring(0, end);
    }

    private static byte[] bytes(List<String> lines, String separator) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        bytes.writeBytes(String.join(separator, lines).getBytes(StandardCharsets.ISO_8859_1));
        return bytes.toByteArray();
    }

    private static ImageException bad(String name, String what) {
        return new ImageException(
                ImageException.Code.SIGNATURE,
                name + " cannot be trusted: " + what + "; use another mirror");
    }
}
