package org.javisor.image;

import java.util.List;
import java.util.Optional;
import java.util.Properties;
import java.util.UUID;

/**
 * What a cached image with a disk has besides its manifest: the file {@value #FILE_NAME} beside the
 * disk, one {@code key=value} a line.
 *
 * @param recipe what was asked for
 * @param root the UUID of the disk's file system
 * @param used bytes in use when it was made
 */
record DiskFacts(DebianRecipe recipe, UUID root, long used) {
    static final String FILE_NAME = "disk.properties";
    private static final String FORMAT = "1";

    String text() {
        return "format="
                + FORMAT
                + "\nname="
                + recipe.name()
                + "\nsuite="
                + recipe.suite()
                + "\npackages="
                + String.join(",", recipe.packages())
                + "\nsize="
                + recipe.size()
                + "\nroot="
                + root
                + "\nused="
                + used
                + "\n";
    }

    /** Empty when it is damaged or of another format. */
    static Optional<DiskFacts> parse(String text) {
        Properties values = new Properties();
        try {
            values.load(new java.io.StringReader(text));
            if (!FORMAT.equals(values.getProperty("format"))) {
                return Optional.empty();
            }
            String packages = values.getProperty("packages", "");
            return Optional.of(
                    new DiskFacts(
                            new DebianRecipe(
                                    values.getProperty("name", ""),
                                    values.getProperty("suite", ""),
                                    packages.isEmpty() ? List.of() : List.of(packages.split(",")),
                                    Long.parseLong(values.getProperty("size", ""))),
                            UUID.fromString(values.getProperty("root", "")),
                            Long.parseLong(values.getProperty("used", ""))));
        } catch (java.io.IOException | IllegalArgumentException | ImageException e) {
            return Optional.empty();
        }
    }
}
