package org.javisor.storage;

import java.util.Optional;

/** How a disk's contents lie in its file. */
public enum DiskFormat {
    /** Byte for byte. */
    RAW("raw"),
    /** QEMU's copy-on-write format, versions 2 and 3. */
    QCOW2("qcow2");

    private final String word;

    DiskFormat(String word) {
        this.word = word;
    }

    /** As the user and other programs write it. */
    public String word() {
        return word;
    }

    /** The format of this name. */
    public static Optional<DiskFormat> named(String word) {
        for (DiskFormat format : values()) {
            if (format.word.equals(word)) {
                return Optional.of(format);
            }
        }
        return Optional.empty();
    }
}
