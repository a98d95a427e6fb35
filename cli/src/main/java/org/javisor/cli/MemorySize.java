package org.javisor.cli;

import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** {@code 512M}, {@code 2GiB}, {@code 1024} (MiB): bytes. All units are powers of two. */
final class MemorySize implements ITypeConverter<Long> {
    private static final Pattern FORM =
            Pattern.compile("([0-9]{1,12})(?:([KMGT])(?:I?B)?)?", Pattern.CASE_INSENSITIVE);

    @Override
    public Long convert(String text) {
        Matcher matcher = FORM.matcher(text.strip());
        if (!matcher.matches()) {
            throw new TypeConversionException("'" + text + "' is not a size such as 512M or 2GiB");
        }
        String unit = matcher.group(2) == null ? "M" : matcher.group(2).toUpperCase(Locale.ROOT);
        int shift =
                switch (unit) {
                    case "K" -> 10;
                    case "M" -> 20;
                    case "G" -> 30;
                    default -> 40;
                };
        long count = Long.parseLong(matcher.group(1));
        if (count > Long.MAX_VALUE >> shift) {
            throw new TypeConversionException("'" + text + "' is more than any machine has");
        }
        return count << shift;
    }
}
