package org.javisor.image;

import java.util.List;
import java.util.stream.Collectors;

/** The images that can be pulled by name. */
public final class Catalog {

    private static final String CLOUD = "linux-image-cloud-amd64";
    private static final String GENERIC = "linux-image-amd64";

    private static final List<ImageDefinition> ALL =
            List.of(
                    new ImageDefinition(
                            "tiny", "trixie", CLOUD, "Debian 13 cloud kernel and busybox"),
                    new ImageDefinition(
                            "tiny:generic", "trixie", GENERIC, "Debian 13 kernel and busybox"),
                    new ImageDefinition(
                            "tiny:bookworm",
                            "bookworm",
                            CLOUD,
                            "Debian 12 cloud kernel and busybox"),
                    new ImageDefinition(
                            "tiny:bookworm-generic",
                            "bookworm",
                            GENERIC,
                            "Debian 12 kernel and busybox"));

    private Catalog() {}

    /** Every image, the default one first. */
    public static List<ImageDefinition> all() {
        return ALL;
    }

    /**
     * The image of that name.
     *
     * @throws ImageException {@code UNKNOWN_IMAGE}
     */
    public static ImageDefinition named(String name) {
        for (ImageDefinition definition : ALL) {
            if (definition.name().equals(name)) {
                return definition;
            }
        }
        throw new ImageException(
                ImageException.Code.UNKNOWN_IMAGE,
                "No image is called '"
                        + Text.printable(name)
                        + "'; there are: "
                        + ALL.stream()
                                .map(ImageDefinition::name)
                                .collect(Collectors.joining(", ")));
    }
}
