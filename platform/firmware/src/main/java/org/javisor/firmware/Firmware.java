package org.javisor.firmware;

import org.javisor.hypervisor.VcpuState;
import org.javisor.memory.GuestMemory;

/**
 * What a PC's firmware and boot loader do between power-on and the kernel's first instruction, done
 * from outside.
 */
public final class Firmware {
    private Firmware() {}

    /**
     * Writes the tables, the kernel and what belongs to it to memory, and sets up the boot
     * processor to enter the kernel. After a reset the same call starts the machine again: it
     * relies on nothing in memory.
     *
     * @param memory laid out as {@link MemoryLayout} says
     * @param bootProcessor a state as after reset; its registers, segments and control registers
     *     are filled in, FPU, debug registers and MSRs stay as they are
     * @throws FirmwareException if it does not fit together; memory may then be partly written
     */
    public static void install(GuestMemory memory, BootConfig config, VcpuState bootProcessor) {
        if (MemoryMap.lowRamEnd(memory) < MemoryLayout.MINIMUM) {
            throw new FirmwareException(
                    FirmwareException.Code.MEMORY_SIZE,
                    "Too little memory: the firmware alone needs 2 MiB");
        }
        long rsdp = BiosArea.write(memory, config.acpi());
        switch (config.kernel()) {
            case BzImage kernel ->
                    new LinuxLoader(memory, config, rsdp).load(kernel, bootProcessor);
            case ElfImage kernel when kernel.pvhEntry().isPresent() ->
                    PvhLoader.load(
                            memory,
                            config,
                            kernel,
                            kernel.pvhEntry().getAsLong(),
                            rsdp,
                            bootProcessor);
            case ElfImage kernel ->
                    new LinuxLoader(memory, config, rsdp).load(kernel, bootProcessor);
        }
    }
}
