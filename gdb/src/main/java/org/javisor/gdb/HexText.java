package org.javisor.gdb;

import java.nio.charset.StandardCharsets;

/** Bytes as the protocol writes them: two lower-case hexadecimal digits each. */
final class HexText {
    private static final char[] DIGITS = "0123456789abcdef".toCharArray();

    private HexText() {}

    static String of(byte[] bytes) {
        return of(bytes, 0, bytes.length);
    }

    static String of(byte[] bytes, int offset, int length) {
        StringBuilder text = new StringBuilder(2 * length);
        for (int n = offset; n < offset + length; n++) {
            text.append(DIGITS[bytes[n] >> 4 & 0xf]).append(DIGITS[bytes[n] & 0xf]);
        }
        return text.toString();
    }

    /** A text's UTF-8 bytes. */
    static String of(String text) {
        return of(text.getBytes(StandardCharsets.UTF_8));
    }

    /** The value of a digit, or -1. */
    static int digit(int character) {
        if (character >= '0' && character <= '9') {
            return character - '0';
        }
        int lower = character | 0x20;
        return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
    }
}
