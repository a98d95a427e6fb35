package org.javisor.image;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * An image in the cache, complete and verified when it was pulled.
 *
 * @param directory its directory
 * @param manifest what it was made of
 */
public record CachedImage(Path directory, Manifest manifest) {

    static final String KERNEL = "vmlinuz";
    static final String UNPACKED_KERNEL = "vmlinux";
    static final String INITRAMFS = "initramfs.cpio";
    static final String SYSTEM_MAP = "System.map";
    static final String CONFIG = "config";
    static final String DISK = "disk.raw";

    /** The name that the user knows it by. */
    public String name() {
        return manifest.image();
    }

    /** The kernel, a bzImage as Debian ships it. */
    public Path kernel() {
        return directory.resolve(KERNEL);
    }

    /**
     * What to boot: the same kernel unpacked, an ELF file, so that no guest spends time on
     * decompressing it; or {@link #kernel()} where its compression is not known here.
     */
    public Path bootKernel() {
        Path unpacked = directory.resolve(UNPACKED_KERNEL);
        return Files.isRegularFile(unpacked) ? unpacked : kernel();
    }

    /**
     * The uncompressed initramfs made of Debian's packages. It has no init yet: that comes from
     * {@link TinyImage#bootFiles}.
     */
    public Path initramfs() {
        return directory.resolve(INITRAMFS);
    }

    /** The kernel's symbols; Debian's recent packages hold only a pointer to the debug package. */
    public Path systemMap() {
        return directory.resolve(SYSTEM_MAP);
    }

    /** The kernel's build configuration. */
    public Path config() {
        return directory.resolve(CONFIG);
    }

    /**
     * Whether the kernel is built with an option, be it as a module; true if that is not known.
     *
     * @param option such as {@code CONFIG_9P_FS}
     */
    public boolean kernelHas(String option) {
        try {
            return Files.readAllLines(config()).stream()
                    .anyMatch(line -> line.startsWith(option + "="));
        } catch (IOException e) {
            return true;
        }
    }

    /** The disk to start copies of, if the image has one: raw, sparse, not to be written. */
    public Optional<Path> disk() {
        Path disk = directory.resolve(DISK);
        return Files.isRegularFile(disk) ? Optional.of(disk) : Optional.empty();
    }

    /** What the disk was made of, if there is one. */
    Optional<DiskFacts> facts() {
        try {
            return DiskFacts.parse(Files.readString(directory.resolve(DiskFacts.FILE_NAME)));
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    /** What a Debian image was asked to be. */
    public Optional<DebianRecipe> recipe() {
        return facts().map(DiskFacts::recipe);
    }

    /** What the image takes on the disk, in bytes. */
    public long size() {
        long size = 0;
        for (String name : new String[] {KERNEL, UNPACKED_KERNEL, INITRAMFS, SYSTEM_MAP, CONFIG}) {
            try {
                size += Files.size(directory.resolve(name));
            } catch (IOException e) {
                // A part that is not there takes nothing.
            }
        }
        return size + facts().map(DiskFacts::used).orElse(0L);
    }
}
