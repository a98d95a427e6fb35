package org.javisor.image;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The applets of a busybox, read from its program file: their names stand in it as one table of
 * zero-ended strings in strictly ascending order, which begins with {@code [} and {@code [[}. So
 * the links to them can be made on any host, without running the program.
 */
final class BusyboxApplets {

    private static final byte[] START = {'[', 0, '[', '[', 0};
    private static final int MAX_NAME = 32;

    /** Even small builds have more; fewer means that something else was found. */
    private static final int FEWEST = 20;

    private BusyboxApplets() {}

    /** The names, without {@code busybox} itself; none when there is no table. */
    static List<String> of(byte[] program) {
        for (int i = 0; i + START.length <= program.length; i++) {
            if (Arrays.equals(program, i, i + START.length, START, 0, START.length)) {
                List<String> names = table(program, i);
                if (names.size() >= FEWEST) {
                    names.remove("busybox");
                    return names;
                }
            }
        }
        return List.of();
    }

    private static List<String> table(byte[] program, int start) {
        List<String> names = new ArrayList<>();
        String last = "";
        int at = start;
        while (true) {
            int end = at;
            while (end < program.length && program[end] != 0 && end - at <= MAX_NAME) {
                end++;
            }
            if (end >= program.length || program[end] != 0) {
                return names;
            }
            String name = new String(program, at, end - at, StandardCharsets.US_ASCII);
            if (!name.matches("[a-z0-9_.\\[-]+") || name.compareTo(last) <= 0) {
                return names;
            }
            names.add(name);
            last = name;
            at = end + 1;
        }
    }
}
