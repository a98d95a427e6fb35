package org.javisor.firmware;

import org.javisor.hypervisor.VcpuState;
import org.javisor.memory.GuestMemory;

/**
 * What a PC's firmware and boot loader do between power-on and the kernel's first instruction, done
 * from outside.
 */
public final class Firmware {
    private static final int MTRR_DEFAULT_TYPE = 0x2ff;
    private static final long MTRRS_ENABLED = 1 << 11;
    private static final long WRITE_BACK = 6;

    private Firmware() {}

    /**
     * Sets up what firmware sets up on every processor, and what operating systems complain about
     * if it differs between them: all memory is cached (Intel SDM vol. 3, 12.11.2.1,
     * IA32_MTRR_DEF_TYPE). Done by {@link #install} for the boot processor; the others need it
     * before they start.
     *
     * @param processor a state as after reset
     */
    public static void prepareProcessor(VcpuState processor) {
        processor.msrs.put(MTRR_DEFAULT_TYPE, MTRRS_ENABLED | WRITE_BACK);
    }

    /**
     * Writes the tables, the kernel and what belongs to it to memory, and sets up the boot
     * processor to enter the kernel. After a reset the same call starts the machine again: it
     * relies on nothing in memory.
     *
     * @param memory laid out as {@link MemoryLayout} says
     * @param bootProcessor a state as after reset; its registers, segments, control registers and
     *     MTRRs are filled in, FPU, debug registers and other MSRs stay as they are
     * @throws FirmwareException if it does not fit together; memory may then be partly written
     */
    public static void install(GuestMemory memory, BootConfig config, VcpuState bootProcessor) {
        if (MemoryMap.lowRamEnd(memory) < MemoryLayout.MINIMUM) {
            throw new FirmwareException(
                    FirmwareException.Code.MEMORY_SIZE,
                    "Too little memory: the firmware alone needs 2 MiB");
        }
        prepareProcessor(bootProcessor);
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
