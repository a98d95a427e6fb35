package org.javisor.image;

/**
 * A terminal's size in characters.
 *
 * @param rows 1 to 9999
 * @param columns 1 to 9999
 */
public record TerminalSize(int rows, int columns) {

    private static final int MAX = 9999;

    /** What a terminal is taken for whose size is not known. */
    public static final TerminalSize USUAL = new TerminalSize(24, 80);

    /** Sizes outside the range, which terminals do report, become the nearest in it. */
    public TerminalSize {
        rows = Math.clamp(rows, 1, MAX);
        columns = Math.clamp(columns, 1, MAX);
    }
}
