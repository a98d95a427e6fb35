package org.javisor.firmware;

import java.util.Optional;

/**
 * What a machine starts with.
 *
 * @param kernel a parsed kernel; never changed, so a reset can start it again
 * @param initrd the initial RAM disk, as the kernel wants it (usually a compressed cpio archive)
 * @param commandLine the kernel's command line, without a terminator
 * @param acpi what the tables tell about the machine
 */
public record BootConfig(
        KernelImage kernel, Optional<byte[]> initrd, String commandLine, AcpiConfig acpi) {}
