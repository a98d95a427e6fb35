package org.javisor.bench;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.util.Locale;

/** Figures and foreign words in a form for people. */
final class Text {
    private static final int LONGEST = 120;

    private Text() {}

    /** Text from outside, in one harmless line. */
    static String printable(String text) {
        String clean = text.replaceAll("\\p{Cntrl}", "?");
        return clean.length() <= LONGEST ? clean : clean.substring(0, LONGEST) + "…";
    }

    /** Why a file or process was of no use; some exceptions say no more than its name. */
    static String reason(IOException e) {
        return switch (e) {
            case NoSuchFileException ignored -> "no such file or directory";
            case AccessDeniedException ignored -> "permission denied";
            case FileSystemException file when file.getReason() != null -> file.getReason();
            default -> printable(String.valueOf(e.getMessage()));
        };
    }

    /** A time to three digits, in the unit that suits it. */
    static String time(double nanos) {
        Unit unit = Unit.of(nanos);
        return digits(nanos / unit.nanos) + " " + unit.name;
    }

    /** From one time to another, in the unit that suits the third. */
    static String range(double from, double to, double like) {
        Unit unit = Unit.of(like);
        return digits(from / unit.nanos) + ".." + digits(to / unit.nanos);
    }

    /** A ratio to three digits. */
    static String ratio(double ratio) {
        return digits(ratio) + "x";
    }

    private static String digits(double value) {
        int decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
        return String.format(Locale.ROOT, "%." + decimals + "f", value);
    }

    private enum Unit {
        NS("ns", 1),
        US("us", 1e3),
        MS("ms", 1e6),
        S("s", 1e9);

        private final String name;
        private final double nanos;

        Unit(String name, double nanos) {
            this.name = name;
            this.nanos = nanos;
        }

        /** What three digits show with the fewest decimals but at least one digit before them. */
        static Unit of(double nanos) {
            Unit best = NS;
            for (Unit unit : values()) {
                best = nanos >= unit.nanos * 0.9995 ? unit : best;
            }
            return best;
        }
    }
}
