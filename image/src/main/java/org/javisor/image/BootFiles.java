package org.javisor.image;

import java.nio.file.Path;

/**
 * What a guest is booted with.
 *
 * @param kernel a bzImage
 * @param initrd the initial RAM disk's bytes
 * @param commandLine the kernel's command line
 */
public record BootFiles(Path kernel, byte[] initrd, String commandLine) {}
