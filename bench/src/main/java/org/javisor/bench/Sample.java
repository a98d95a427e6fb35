package org.javisor.bench;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * One measurement.
 *
 * @param iterations how often the work was done, at least 1
 * @param nanos what that took
 * @param checksum of the results, the same wherever the program ran
 */
record Sample(long iterations, long nanos, String checksum) {
    private static final Pattern LINE =
            Pattern.compile("([a-z0-9]+) ([0-9]{1,18}) ([0-9]{1,18}) ([0-9a-f]{16})");

    /**
     * What a program printed: {@code name iterations nanoseconds checksum}.
     *
     * @throws SampleException if the line is nothing of the kind
     */
    static Sample parse(String program, String line) throws SampleException {
        Matcher matcher = LINE.matcher(line);
        if (!matcher.matches()
                || !matcher.group(1).equals(program)
                || Long.parseLong(matcher.group(2)) == 0) {
            throw new SampleException("not a result: " + Text.printable(line));
        }
        return new Sample(
                Long.parseLong(matcher.group(2)),
                Long.parseLong(matcher.group(3)),
                matcher.group(4));
    }

    /** Something that was done once. */
    static Sample once(long nanos) {
        return new Sample(1, nanos, "");
    }

    double nanosPerIteration() {
        return (double) nanos / iterations;
    }
}
