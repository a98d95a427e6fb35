package org.javisor.storage;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Sizes as the user writes them: {@code 512}, {@code 64k}, {@code 10G}, {@code 1.5TiB}. */
public final class ByteSize {
    private static final Pattern FORM =
            Pattern.compile(
                    "([0-9]{1,19})(?:\\.([0-9]{1,6}))?(?:([bkmgtpe])(?:i?b)?)?",
                    Pattern.CASE_INSENSITIVE);
    private static final String UNITS = "bkmgtpe";

    private ByteSize() {}

    /**
     * Bytes; without a unit the number is bytes. Units are powers of 1024.
     *
     * @throws StorageException {@code BAD_ARGUMENT}
     */
    public static long parse(String text) {
        Matcher matcher = FORM.matcher(text);
        if (!matcher.matches()) {
            throw DiskSpec.wrong("'" + text + "' is not a size such as 512M or 10G");
        }
        String unit = matcher.group(3) == null ? "b" : matcher.group(3).toLowerCase();
        long factor = 1L << (10 * UNITS.indexOf(unit));
        try {
            long whole = Math.multiplyExact(Long.parseLong(matcher.group(1)), factor);
            if (matcher.group(2) == null) {
                return whole;
            }
            double fraction = Double.parseDouble("0." + matcher.group(2));
            return Math.addExact(whole, (long) (fraction * factor));
        } catch (ArithmeticException | NumberFormatException e) {
            throw DiskSpec.wrong("'" + text + "' is more than any disk has");
        }
    }

    /** Bytes in the largest unit that keeps at most one digit after the point: {@code 1.5 GiB}. */
    public static String show(long bytes) {
        if (bytes < 1024) {
            return bytes + " B";
        }
        int unit = Math.min((63 - Long.numberOfLeadingZeros(bytes)) / 10, UNITS.length() - 1);
        double value = bytes / (double) (1L << (10 * unit));
        String digits =
                value == Math.rint(value) ? "%.0f".formatted(value) : "%.1f".formatted(value);
        return digits + " " + "BKMGTPE".charAt(unit) + "iB";
    }
}
