package org.javisor.machine;

import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A folder of the host for a guest.
 *
 * @param directory which
 * @param tag by which the guest mounts it: up to 31 letters, digits, dots, underscores and hyphens
 * @param writable whether the guest may change what is in it
 */
public record ShareSpec(Path directory, String tag, boolean writable) {
    private static final Pattern FORM = Pattern.compile("(.+?)(?::([^:/]*))?(?::(rw|ro))?");
    private static final Pattern TAG = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9._-]{0,30}");

    /**
     * @throws IllegalArgumentException if the tag is none
     */
    public ShareSpec {
        if (!TAG.matcher(tag).matches()) {
            throw new IllegalArgumentException(
                    "'%s' is no name for a shared folder: up to 31 letters, digits, '.', '_', '-'"
                            .formatted(tag.replaceAll("\\p{Cntrl}", "?")));
        }
    }

    /**
     * {@code DIR[:NAME[:rw]]}; without a name the folder's own, read-only without {@code rw}.
     *
     * @throws IllegalArgumentException with one line on what is wrong
     */
    public static ShareSpec parse(String text) {
        Matcher matcher = FORM.matcher(text);
        if (!matcher.matches()) {
            throw new IllegalArgumentException("A shared folder is DIR[:NAME[:rw]]");
        }
        Path directory = Path.of(matcher.group(1));
        String name = matcher.group(2) == null ? ownName(directory) : matcher.group(2);
        return new ShareSpec(directory, name, "rw".equals(matcher.group(3)));
    }

    private static String ownName(Path directory) {
        Path name = directory.toAbsolutePath().normalize().getFileName();
        if (name == null || !TAG.matcher(name.toString()).matches()) {
            throw new IllegalArgumentException(
                    "The folder %s needs a name for the guest: %s:NAME"
                            .formatted(directory, directory));
        }
        return name.toString();
    }
}
