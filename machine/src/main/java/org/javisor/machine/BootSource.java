package org.javisor.machine;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import org.javisor.firmware.AcpiConfig;
import org.javisor.firmware.BootConfig;
import org.javisor.firmware.Firmware;
import org.javisor.firmware.FirmwareException;
import org.javisor.firmware.KernelImage;
import org.javisor.firmware.MemoryLayout;
import org.javisor.hypervisor.VcpuState;
import org.javisor.memory.GuestMemory;

/** What a machine boots, opened once, so that a reset does not look for files any more. */
final class BootSource {
    private final BootConfig config;
    private final List<GuestMemory.Range> ranges;

    private BootSource(BootConfig config, List<GuestMemory.Range> ranges) {
        this.config = config;
        this.ranges = ranges;
    }

    /**
     * @throws MachineException if a file is unreadable or no kernel
     */
    static BootSource read(MachineConfig config) {
        try {
            KernelImage kernel = KernelImage.detect(config.kernel());
            List<GuestMemory.Range> ranges = MemoryLayout.of(config.memory()).ranges();
            AcpiConfig acpi =
                    AcpiConfig.forProcessors(config.cpus())
                            .withDevices(MmioBoard.describe(config.mmioDevices().size()))
                            .withPci(PciBoard.describe(PciBoard.windows(ranges)));
            return new BootSource(
                    new BootConfig(kernel, config.initrd(), config.commandLine(), acpi), ranges);
        } catch (FirmwareException e) {
            throw translate(e);
        }
    }

    /**
     * @throws MachineException if the file cannot be read
     */
    static byte[] readInitrd(Path file) {
        try {
            return Files.readAllBytes(file);
        } catch (NoSuchFileException e) {
            throw unreadable(file, "there is no such file", e);
        } catch (AccessDeniedException e) {
            throw unreadable(file, "permission denied", e);
        } catch (IOException e) {
            throw unreadable(
                    file, Files.isDirectory(file) ? "it is a directory" : e.getMessage(), e);
        } catch (OutOfMemoryError e) {
            throw new MachineException(
                    MachineException.Code.BAD_BOOT_FILE,
                    "The initial RAM disk %s is larger than this process can hold".formatted(file),
                    e);
        }
    }

    private static MachineException unreadable(Path file, String why, IOException cause) {
        return new MachineException(
                MachineException.Code.BAD_BOOT_FILE,
                "Cannot read the initial RAM disk %s: %s".formatted(file, why),
                cause);
    }

    /** Where the machine has its RAM. */
    List<GuestMemory.Range> ranges() {
        return ranges;
    }

    /**
     * Puts everything into memory.
     *
     * @return the boot processor's state at the kernel's entry
     * @throws MachineException if it does not fit
     */
    VcpuState install(GuestMemory memory) {
        VcpuState state = new VcpuState();
        try {
            Firmware.install(memory, config, state);
        } catch (FirmwareException e) {
            throw translate(e);
        }
        return state;
    }

    private static MachineException translate(FirmwareException e) {
        MachineException.Code code =
                switch (e.code()) {
                    case MEMORY_SIZE, COMMAND_LINE, CONFIGURATION ->
                            MachineException.Code.BAD_CONFIGURATION;
                    case UNREADABLE,
                            NOT_A_KERNEL,
                            DAMAGED_KERNEL,
                            UNSUPPORTED_KERNEL,
                            INITRD_SIZE ->
                            MachineException.Code.BAD_BOOT_FILE;
                };
        return new MachineException(code, e.getMessage(), e);
    }
}
