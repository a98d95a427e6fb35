package org.javisor.machine;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/**
 * The last lines of a guest's console, and whether its kernel has panicked. Bounded: {@value
 * #LINES} lines of {@value #LINE_LENGTH} characters. What is kept is safe to print: escape
 * sequences and control characters are left out.
 *
 * <p>The kernel's report of a panic is text like any other, which a guest's user may print too. So
 * a panic counts only once something follows that a mere text does not cause: a reset before the
 * kernel says that it restarts in an orderly way, or silence after the line that ends the report.
 */
final class ConsoleTail {
    static final int LINES = 100;
    static final int LINE_LENGTH = 400;
    private static final String PANIC = "Kernel panic - not syncing";

    private enum Escape {
        NONE,
        STARTED,
        CONTROL_SEQUENCE,
        STRING
    }

    private final Deque<String> lines = new ArrayDeque<>();
    private final StringBuilder current = new StringBuilder();
    private Escape escape = Escape.NONE;
    private String panic = "";
    private boolean panicComplete;
    private boolean restartAnnounced;
    private boolean carriageReturn;

    /** What {@link #add} noticed. */
    enum Event {
        NOTHING,
        /** A line that reports a panic has been completed. */
        PANIC_REPORTED,
        /** The kernel has nothing more to say about its panic and hangs, if this was the kernel. */
        PANIC_COMPLETE
    }

    synchronized Event add(byte value) {
        panicComplete = false;
        int c = value & 0xff;
        switch (escape) {
            case NONE -> {
                return addPlain(c);
            }
            case STARTED ->
                    escape =
                            switch (c) {
                                case '[' -> Escape.CONTROL_SEQUENCE;
                                case ']', 'P', '^', '_' -> Escape.STRING;
                                default -> Escape.NONE;
                            };
            case CONTROL_SEQUENCE -> {
                if (c >= 0x40) {
                    escape = Escape.NONE;
                }
            }
            case STRING -> {
                if (c == 0x07 || c == 0x1b || c == '\n') {
                    escape = c == 0x1b ? Escape.STARTED : Escape.NONE;
                }
            }
        }
        return Event.NOTHING;
    }

    private Event addPlain(int c) {
        if (c == '\n') {
            carriageReturn = false;
            return endLine();
        }
        if (carriageReturn) {
            // A carriage return alone starts the line over, as progress displays do.
            current.setLength(0);
            carriageReturn = false;
        }
        if (c == 0x1b) {
            escape = Escape.STARTED;
        } else if (c == '\r') {
            carriageReturn = true;
        } else if (c == '\b') {
            current.setLength(Math.max(0, current.length() - 1));
        } else if ((c == '\t' || c >= 0x20 && c < 0x7f) && current.length() < LINE_LENGTH) {
            current.append((char) (c == '\t' ? ' ' : c));
        } else if (c >= 0x80 && current.length() < LINE_LENGTH) {
            current.append('?');
        }
        return Event.NOTHING;
    }

    private Event endLine() {
        String line = current.toString().stripTrailing();
        current.setLength(0);
        lines.addLast(line);
        if (lines.size() > LINES) {
            lines.removeFirst();
        }
        if (line.contains("---[ end " + PANIC)) {
            panicComplete = !panic.isEmpty();
            return panicComplete ? Event.PANIC_COMPLETE : Event.NOTHING;
        }
        int at = line.indexOf(PANIC);
        if (at >= 0) {
            panic = line.substring(at);
            return Event.PANIC_REPORTED;
        }
        if (line.contains("reboot: ")) {
            panic = "";
            restartAnnounced = true;
        }
        return Event.NOTHING;
    }

    /** The panic's line without its time stamp, or empty. */
    synchronized String panic() {
        return panic;
    }

    /** Whether the last thing on the console is the end of a panic's report. */
    synchronized boolean silentSincePanic() {
        return panicComplete;
    }

    /** The last lines, oldest first, the unfinished one included. */
    synchronized List<String> lines() {
        List<String> result = new ArrayList<>(lines);
        if (!current.isEmpty()) {
            result.add(current.toString().stripTrailing());
        }
        return result;
    }

    /** Whether the kernel has said that it restarts the machine. */
    synchronized boolean restartAnnounced() {
        return restartAnnounced;
    }

    /** The guest starts over: what it said before no longer counts. */
    synchronized void newBoot() {
        panic = "";
        panicComplete = false;
        restartAnnounced = false;
    }
}
