package org.javisor.image;

import java.util.List;
import java.util.Optional;

/**
 * A Debian system with a disk of its own, as a user asks for it.
 *
 * @param name the image's, such as {@code debian}
 * @param suite the Debian suite, such as {@code trixie}
 * @param packages what is installed besides the usual
 * @param size of the disk in bytes
 */
public record DebianRecipe(String name, String suite, List<String> packages, long size) {
    /** The default size of the disk; it takes less of the host's. */
    public static final long DEFAULT_SIZE = 4L << 30;

    /** The smallest that holds the usual packages. */
    public static final long MINIMUM_SIZE = 1L << 30;

    /** The largest that a file system is made in. */
    public static final long MAXIMUM_SIZE = 8L << 40;

    /** The suite of an image that says no other. */
    public static final String DEFAULT_SUITE = "trixie";

    private static final String DEFAULT_NAME = "debian";

    /**
     * @throws ImageException {@code BAD_RECIPE}
     */
    public DebianRecipe {
        packages = List.copyOf(packages);
        check(name.matches("[a-z0-9][a-z0-9._:-]{0,63}"), "'%s' is no name for an image", name);
        check(suite.matches("[a-z][a-z0-9-]{0,31}"), "'%s' is no Debian suite", suite);
        for (String each : packages) {
            check(each.matches("[a-z0-9][a-z0-9+.-]+"), "'%s' is no package's name", each);
        }
        check(
                size >= MINIMUM_SIZE,
                "A disk of %s MiB is too small for Debian; take at least 1G",
                Long.toString(size >> 20));
        check(
                size <= MAXIMUM_SIZE,
                "A disk of %s GiB is too large; take at most 8192G",
                Long.toString(size >> 30));
        String plain = name;
        check(
                Catalog.all().stream().noneMatch(definition -> definition.name().equals(plain)),
                "'%s' is an image of another kind; take another name",
                name);
    }

    private static void check(boolean good, String message, String what) {
        if (!good) {
            throw new ImageException(
                    ImageException.Code.BAD_RECIPE, message.formatted(Text.printable(what)));
        }
    }

    /** What {@code debian} and {@code debian:SUITE} stand for. */
    public static Optional<DebianRecipe> named(String name) {
        if (name.equals(DEFAULT_NAME)) {
            return Optional.of(new DebianRecipe(name, DEFAULT_SUITE, List.of(), DEFAULT_SIZE));
        }
        String prefix = DEFAULT_NAME + ":";
        return name.startsWith(prefix)
                ? Optional.of(
                        new DebianRecipe(
                                name, name.substring(prefix.length()), List.of(), DEFAULT_SIZE))
                : Optional.empty();
    }

    /** The name as a directory's: a colon is not allowed everywhere. */
    String directoryName() {
        return name.replace(':', '@');
    }
}
