package org.javisor.cli;

import java.io.ByteArrayOutputStream;

/** Divides what the user types into what is the guest's and what is Javisor's. */
final class EscapeFilter {
    /** What the user may ask for after the escape key. */
    enum Request {
        /** Nothing: everything was the guest's. */
        NONE,
        /** The escape key itself was pressed; a further key is to come. */
        MENU,
        CONTINUE,
        QUIT,
        POWER_BUTTON,
        RESET,
        STATISTICS,
        HELP
    }

    private final EscapeKey key;
    private final ByteArrayOutputStream forGuest = new ByteArrayOutputStream();
    private boolean escaped;

    EscapeFilter(EscapeKey key) {
        this.key = key;
    }

    /** Takes one byte that was typed. The escape key twice is once for the guest. */
    Request accept(byte typed) {
        if (!escaped) {
            if (key.code() >= 0 && typed == (byte) key.code()) {
                escaped = true;
                return Request.MENU;
            }
            forGuest.write(typed);
            return Request.NONE;
        }
        escaped = false;
        if (typed == (byte) key.code()) {
            forGuest.write(typed);
            return Request.CONTINUE;
        }
        return switch (typed) {
            case 'q', 'x' -> Request.QUIT;
            case 'p' -> Request.POWER_BUTTON;
            case 'r' -> Request.RESET;
            case 's' -> stay(Request.STATISTICS);
            case 'c', '\r', '\n', 0x1b -> Request.CONTINUE;
            default -> stay(Request.HELP);
        };
    }

    /** After these the menu stays open. */
    private Request stay(Request request) {
        escaped = true;
        return request;
    }

    /** What has been collected for the guest since the last call. */
    byte[] takeForGuest() {
        byte[] bytes = forGuest.toByteArray();
        forGuest.reset();
        return bytes;
    }
}
