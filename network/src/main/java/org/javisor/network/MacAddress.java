package org.javisor.network;

import java.nio.ByteBuffer;
import java.util.HexFormat;
import java.util.concurrent.ThreadLocalRandom;
import java.util.regex.Pattern;

/**
 * An Ethernet address.
 *
 * @param value the six bytes, first byte highest
 */
public record MacAddress(long value) {
    public static final MacAddress BROADCAST = new MacAddress(0xffff_ffff_ffffL);

    private static final Pattern FORM = Pattern.compile("[0-9a-fA-F]{2}([:-][0-9a-fA-F]{2}){5}");

    /**
     * @param text six bytes in hexadecimal with {@code :} or {@code -} between
     * @throws NetworkException BAD_OPTION if it is not that
     */
    public static MacAddress parse(String text) {
        if (!FORM.matcher(text).matches()) {
            throw NetworkException.badOption(
                    "'%s' is not an Ethernet address like 52:54:00:12:34:56", text);
        }
        return new MacAddress(Long.parseLong(text.replaceAll("[:-]", ""), 16));
    }

    /**
     * An address that hardly anybody else has, with the prefix that virtual machines use.
     *
     * @param last what its last byte is modulo 4, so that one machine's cards differ for sure
     */
    public static MacAddress random(int last) {
        int low = ThreadLocalRandom.current().nextInt(1 << 22) << 2 | last & 3;
        return new MacAddress(0x525400L << 24 | low);
    }

    static long read(ByteBuffer buffer, int offset) {
        return (buffer.getInt(offset) & 0xffff_ffffL) << 16 | buffer.getShort(offset + 4) & 0xffff;
    }

    static void write(ByteBuffer buffer, int offset, long value) {
        buffer.putInt(offset, (int) (value >>> 16));
        buffer.putShort(offset + 4, (short) value);
    }

    /** Whether it names several receivers. */
    public boolean isGroup() {
        return isGroup(value);
    }

    static boolean isGroup(long value) {
        return (value >>> 40 & 1) != 0;
    }

    /** The six bytes in the order of transmission. */
    public byte[] bytes() {
        byte[] bytes = new byte[6];
        for (int i = 0; i < 6; i++) {
            bytes[i] = (byte) (value >>> 40 - 8 * i);
        }
        return bytes;
    }

    @Override
    public String toString() {
        return HexFormat.ofDelimiter(":").formatHex(bytes());
    }
}
