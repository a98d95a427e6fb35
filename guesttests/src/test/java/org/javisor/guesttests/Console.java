package org.javisor.guesttests;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.javisor.machine.ByteSink;

/** What a guest has printed, and waiting for more of it. Thread-safe. */
final class Console implements ByteSink {
    /** A guest that prints more than this has not done what a test asked of it. */
    private static final int LIMIT = 1 << 22;

    private final StringBuilder text = new StringBuilder();
    private int seen;
    private boolean ended;

    @Override
    public synchronized void write(byte[] data, int offset, int length) {
        if (text.length() < LIMIT) {
            text.append(new String(data, offset, length, StandardCharsets.ISO_8859_1));
        }
        notifyAll();
    }

    /** Nothing more will come. */
    synchronized void end() {
        ended = true;
        notifyAll();
    }

    /**
     * Waits for output that matches, beginning behind the last match.
     *
     * @throws AssertionError if it does not come within the time, with all that came instead
     */
    synchronized Matcher await(String regex, Duration limit) throws InterruptedException {
        Pattern pattern = Pattern.compile(regex);
        long deadline = System.nanoTime() + limit.toNanos();
        while (true) {
            Matcher matcher = pattern.matcher(text.toString());
            if (matcher.find(seen)) {
                seen = matcher.end();
                return matcher;
            }
            long left = (deadline - System.nanoTime()) / 1_000_000;
            if (left <= 0 || ended) {
                throw new AssertionError(
                        "The guest did not print /%s/ %s; it printed:%n%s"
                                .formatted(
                                        regex,
                                        ended ? "before it ended" : "within " + limit,
                                        text.substring(seen)));
            }
            wait(left);
        }
    }

    /** Everything so far. */
    synchronized String text() {
        return text.toString();
    }
}
