package org.javisor.cli;

import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/**
 * The key that leaves the guest's console for Javisor.
 *
 * @param code its byte, or -1 for none
 */
record EscapeKey(int code) {
    static final EscapeKey NONE = new EscapeKey(-1);

    /** As users know it: {@code Ctrl-]}. */
    String label() {
        return code < 0 ? "none" : "Ctrl-" + (char) (code ^ 0x40);
    }

    /** {@code ^]}, {@code Ctrl-]} or {@code none}. */
    static final class Converter implements ITypeConverter<EscapeKey> {
        private static final Pattern FORM =
                Pattern.compile("(?:\\^|ctrl-)([a-z\\[\\\\\\]^_@])", Pattern.CASE_INSENSITIVE);

        @Override
        public EscapeKey convert(String text) {
            if (text.equals("none")) {
                return NONE;
            }
            Matcher matcher = FORM.matcher(text);
            if (!matcher.matches()) {
                throw new TypeConversionException(
                        "'" + text + "' is not a control key such as ^] or Ctrl-a, nor 'none'");
            }
            return new EscapeKey(matcher.group(1).toUpperCase(Locale.ROOT).charAt(0) ^ 0x40);
        }
    }
}
