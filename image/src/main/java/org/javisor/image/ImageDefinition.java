package org.javisor.image;

/**
 * A guest image that Javisor knows how to make.
 *
 * @param name what the user types, such as {@code tiny} or {@code tiny:bookworm}
 * @param suite the Debian suite, such as {@code trixie}
 * @param kernelPackage the kernel's metapackage, whose dependency names the kernel itself
 * @param description one line for listings
 */
public record ImageDefinition(String name, String suite, String kernelPackage, String description) {

    /** The package that busybox comes from, the same in every suite. */
    public static final String BUSYBOX_PACKAGE = "busybox-static";

    /** The name as a directory's: a colon is not allowed everywhere. */
    String directoryName() {
        return name.replace(':', '@');
    }
}
