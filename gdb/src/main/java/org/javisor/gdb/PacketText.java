package org.javisor.gdb;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/** A packet's contents and how far they have been read. */
final class PacketText {
    private final byte[] bytes;
    private int at;

    PacketText(byte[] bytes) {
        this.bytes = bytes;
    }

    boolean atEnd() {
        return at == bytes.length;
    }

    /** The next character without taking it, or -1 at the end. */
    int peek() {
        return atEnd() ? -1 : bytes[at] & 0xff;
    }

    /** Takes the next character; -1 at the end. */
    int next() {
        return atEnd() ? -1 : bytes[at++] & 0xff;
    }

    /** Takes a text if it comes next. */
    boolean take(String text) {
        if (bytes.length - at < text.length()) {
            return false;
        }
        for (int n = 0; n < text.length(); n++) {
            if (bytes[at + n] != text.charAt(n)) {
                return false;
            }
        }
        at += text.length();
        return true;
    }

    /**
     * @throws MalformedPacketException if something else comes next
     */
    void expect(char character) {
        if (next() != character) {
            throw new MalformedPacketException("'" + character + "' expected");
        }
    }

    /**
     * @throws MalformedPacketException if there is more
     */
    void expectEnd() {
        if (!atEnd()) {
            throw new MalformedPacketException("Something follows the packet");
        }
    }

    /**
     * Takes a hexadecimal number, big-endian as the protocol writes addresses and lengths.
     *
     * @throws MalformedPacketException if there is none, or it needs more than 64 bits
     */
    long number() {
        int first = at;
        long value = 0;
        while (!atEnd() && HexText.digit(bytes[at]) >= 0) {
            if (value >>> 60 != 0) {
                throw new MalformedPacketException("A number has more than 64 bits");
            }
            value = value << 4 | HexText.digit(bytes[at++]);
        }
        if (at == first) {
            throw new MalformedPacketException("A number expected");
        }
        return value;
    }

    /**
     * As {@link #number}, for counts.
     *
     * @throws MalformedPacketException also if it is above 2^31 - 1
     */
    int count() {
        long value = number();
        if (value < 0 || value > Integer.MAX_VALUE) {
            throw new MalformedPacketException("A length is out of range");
        }
        return (int) value;
    }

    /**
     * The rest, as pairs of hexadecimal digits.
     *
     * @throws MalformedPacketException if it is something else
     */
    byte[] hexBytes() {
        int digits = bytes.length - at;
        if (digits % 2 != 0) {
            throw new MalformedPacketException("An odd number of digits");
        }
        byte[] result = new byte[digits / 2];
        for (int n = 0; n < result.length; n++) {
            int value = HexText.digit(bytes[at]) << 4 | HexText.digit(bytes[at + 1]);
            if (value < 0) {
                throw new MalformedPacketException("A hexadecimal digit expected");
            }
            result[n] = (byte) value;
            at += 2;
        }
        return result;
    }

    /** The rest, as binary data with its escapes undone. */
    byte[] binary() {
        ByteArrayOutputStream result = new ByteArrayOutputStream(bytes.length - at);
        while (!atEnd()) {
            int value = next();
            result.write(value == '}' ? next() ^ 0x20 : value);
        }
        return result.toByteArray();
    }

    /** Everything before a separator, which is taken too; or the rest if there is none. */
    String until(char separator) {
        int first = at;
        while (!atEnd() && bytes[at] != separator) {
            at++;
        }
        String text = new String(bytes, first, at - first, StandardCharsets.ISO_8859_1);
        if (!atEnd()) {
            at++;
        }
        return text;
    }

    String rest() {
        String text = new String(bytes, at, bytes.length - at, StandardCharsets.ISO_8859_1);
        at = bytes.length;
        return text;
    }

    @Override
    public String toString() {
        return new String(bytes, StandardCharsets.ISO_8859_1);
    }
}
