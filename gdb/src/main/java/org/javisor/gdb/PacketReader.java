package org.javisor.gdb;

import java.util.Arrays;

/**
 * Takes a client's bytes apart into packets (GDB manual, E.1). Holds one packet at most, of {@link
 * #LIMIT} bytes at most.
 */
final class PacketReader {
    /** The longest packet taken, in bytes between {@code $} and {@code #}: what is announced. */
    static final int LIMIT = 0x4000;

    static final int INTERRUPT = 3;

    /** What a byte has brought. */
    enum Outcome {
        /** More bytes are needed. */
        NOTHING,
        /** {@link #packet} holds a packet with a right checksum. */
        PACKET,
        /** A packet with a wrong checksum. */
        DAMAGED,
        /** A packet longer than the limit, now over. */
        OVERSIZED,
        /** The client wants the guest to stop. */
        INTERRUPTED,
        /** The client has not understood the last reply. */
        REFUSED,
        /** A byte that has no business between two packets. */
        STRAY
    }

    private enum Place {
        BETWEEN,
        BODY,
        FIRST_DIGIT,
        SECOND_DIGIT
    }

    private byte[] buffer = new byte[256];
    private int length;
    private boolean oversized;
    private int sum;
    private int announced;
    private Place place = Place.BETWEEN;

    /** Takes one byte, 0 to 255. */
    Outcome accept(int value) {
        return switch (place) {
            case BETWEEN -> between(value);
            case BODY -> body(value);
            case FIRST_DIGIT -> {
                announced = HexText.digit(value) << 4;
                place = Place.SECOND_DIGIT;
                yield Outcome.NOTHING;
            }
            case SECOND_DIGIT -> end(announced | HexText.digit(value));
        };
    }

    /** After {@link Outcome#PACKET}: a copy of what stood between {@code $} and {@code #}. */
    byte[] packet() {
        return Arrays.copyOf(buffer, length);
    }

    private Outcome between(int value) {
        return switch (value) {
            case '$' -> begin();
            case '+' -> Outcome.NOTHING;
            case '-' -> Outcome.REFUSED;
            case INTERRUPT -> Outcome.INTERRUPTED;
            default -> Outcome.STRAY;
        };
    }

    private Outcome begin() {
        length = 0;
        sum = 0;
        oversized = false;
        place = Place.BODY;
        return Outcome.NOTHING;
    }

    private Outcome body(int value) {
        if (value == '#') {
            place = Place.FIRST_DIGIT;
            return Outcome.NOTHING;
        }
        if (value == '$') {
            // Escaped inside a packet: the one before has lost its end.
            return begin();
        }
        sum += value;
        if (length == LIMIT) {
            oversized = true;
            return Outcome.NOTHING;
        }
        if (length == buffer.length) {
            buffer = Arrays.copyOf(buffer, Math.min(LIMIT, 2 * length));
        }
        buffer[length++] = (byte) value;
        return Outcome.NOTHING;
    }

    /**
     * @param checksum negative if one of its digits was none
     */
    private Outcome end(int checksum) {
        place = Place.BETWEEN;
        if (checksum != (sum & 0xff)) {
            return Outcome.DAMAGED;
        }
        return oversized ? Outcome.OVERSIZED : Outcome.PACKET;
    }
}
