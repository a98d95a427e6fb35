package org.javisor.cli;

import java.io.PrintStream;
import java.util.regex.Pattern;

/**
 * Javisor's own words, one line each, on the standard error stream. Thread-safe. Text that came
 * from outside is made harmless first: no control characters, no escape sequences.
 */
final class Messages {
    private static final Pattern CONTROL = Pattern.compile("[\\p{Cntrl}&&[^\\t]]");

    private final PrintStream err;
    private volatile boolean raw;

    Messages(PrintStream err) {
        this.err = err;
    }

    /** A raw terminal needs a carriage return as well to begin a line. */
    void rawTerminal(boolean isRaw) {
        raw = isRaw;
    }

    /** A line that starts with the program's name. */
    void say(String text) {
        line("javisor: " + text);
    }

    /** A line as it is. */
    void line(String text) {
        String clean = CONTROL.matcher(text).replaceAll("?");
        synchronized (err) {
            err.print(raw ? "\r" + clean + "\r\n" : clean + "\n");
            err.flush();
        }
    }

    /** Several lines as they are. */
    void lines(String text) {
        text.lines().forEach(this::line);
    }
}
