package org.javisor.image;

import java.util.Locale;

/** Makes text from outside fit to be shown in one line of a message. */
final class Text {

    private static final int MAX_SHOWN = 200;

    private Text() {}

    /** The text without control characters, cut to a length that fits a line. */
    static String printable(String text) {
        StringBuilder shown = new StringBuilder();
        for (int i = 0; i < text.length() && shown.length() < MAX_SHOWN; i++) {
            char c = text.charAt(i);
            shown.append(Character.isISOControl(c) ? '?' : c);
        }
        return shown.toString();
    }

    /** What an exception says, or its kind when it says nothing. */
    static String reason(Throwable failure) {
        // Their messages are bare file names.
        if (failure instanceof java.nio.file.AccessDeniedException denied) {
            return "no permission for " + printable(denied.getFile());
        }
        if (failure instanceof java.nio.file.NoSuchFileException missing) {
            return "there is no " + printable(missing.getFile());
        }
        String message = failure.getMessage();
        return printable(
                message == null || message.isBlank()
                        ? failure.getClass().getSimpleName()
                        : message);
    }

    /** A size for people: {@code 12.3 MB}. */
    static String megabytes(long bytes) {
        return String.format(Locale.ROOT, "%.1f MB", bytes / 1e6);
    }
}
