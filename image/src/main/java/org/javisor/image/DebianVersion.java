package org.javisor.image;

import java.util.Comparator;

/** Orders version numbers as deb-version(7) says: epoch, upstream version, revision. */
final class DebianVersion {
    static final Comparator<String> ORDER = DebianVersion::compare;

    private DebianVersion() {}

    private static int compare(String left, String right) {
        int epochs = compareText(epoch(left), epoch(right));
        if (epochs != 0) {
            return epochs;
        }
        int upstream = compareText(upstream(left), upstream(right));
        return upstream != 0 ? upstream : compareText(revision(left), revision(right));
    }

    private static String epoch(String version) {
        int colon = version.indexOf(':');
        return colon < 0 ? "0" : version.substring(0, colon);
    }

    private static String upstream(String version) {
        String rest = version.substring(version.indexOf(':') + 1);
        int dash = rest.lastIndexOf('-');
        return dash < 0 ? rest : rest.substring(0, dash);
    }

    private static String revision(String version) {
        int dash = version.lastIndexOf('-');
        return dash < 0 ? "" : version.substring(dash + 1);
    }

    /** Runs of other characters and runs of digits alternate; digits compare as numbers. */
    private static int compareText(String left, String right) {
        int l = 0;
        int r = 0;
        while (l < left.length() || r < right.length()) {
            while (isOther(left, l) || isOther(right, r)) {
                int difference = weight(left, l) - weight(right, r);
                if (difference != 0) {
                    return difference;
                }
                l++;
                r++;
            }
            int leftEnd = digitsEnd(left, l);
            int rightEnd = digitsEnd(right, r);
            int difference =
                    compareDigits(left.substring(l, leftEnd), right.substring(r, rightEnd));
            if (difference != 0) {
                return difference;
            }
            l = leftEnd;
            r = rightEnd;
        }
        return 0;
    }

    private static boolean isOther(String text, int at) {
        return at < text.length() && !isDigit(text.charAt(at));
    }

    private static boolean isDigit(char c) {
        return c >= '0' && c <= '9';
    }

    private static int digitsEnd(String text, int from) {
        int end = Math.min(from, text.length());
        while (end < text.length() && isDigit(text.charAt(end))) {
            end++;
        }
        return end;
    }

    /** A tilde sorts before the end, the end (or a digit) before letters, those before the rest. */
    private static int weight(String text, int at) {
        if (at >= text.length() || isDigit(text.charAt(at))) {
            return 0;
        }
        char c = text.charAt(at);
        if (c == '~') {
            return -1;
        }
        return Character.isLetter(c) ? c : c + 256;
    }

    private static int compareDigits(String left, String right) {
        String l = left.replaceFirst("^0+", "");
        String r = right.replaceFirst("^0+", "");
        return l.length() != r.length() ? l.length() - r.length() : l.compareTo(r);
    }
}
