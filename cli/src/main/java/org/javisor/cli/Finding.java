package org.javisor.cli;

import java.util.Locale;

/**
 * One line of {@code javisor doctor}.
 *
 * @param text what was found and, unless it is fine, what to do
 */
record Finding(Grade grade, String subject, String text) {
    enum Grade {
        OK,
        /** Javisor works, but not as well as it could. */
        WARN,
        /** Javisor does not work. */
        FAIL;

        String label() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    static Finding ok(String subject, String text) {
        return new Finding(Grade.OK, subject, text);
    }

    static Finding warn(String subject, String text) {
        return new Finding(Grade.WARN, subject, text);
    }

    static Finding fail(String subject, String text) {
        return new Finding(Grade.FAIL, subject, text);
    }
}
