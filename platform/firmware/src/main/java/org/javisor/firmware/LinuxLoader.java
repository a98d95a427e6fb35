package org.javisor.firmware;

import org.javisor.hypervisor.VcpuState;
import org.javisor.memory.GuestMemory;

/**
 * Starts a kernel by Linux's own protocol (Documentation/arch/x86/boot.rst and zero-page.rst): in
 * 64-bit mode where the kernel has such an entry, else in 32-bit protected mode.
 */
final class LinuxLoader {
    private static final int ENTRY_64_OFFSET = 0x200;
    private static final int UNDEFINED_LOADER = 0xff;

    /** Offsets in the zero page. */
    private static final int ACPI_RSDP = 0x070;

    private static final int E820_COUNT = 0x1e8;
    private static final int E820_TABLE = 0x2d0;
    private static final int E820_TABLE_ROOM = 128;

    /**
     * What a bare vmlinux takes, whose header is gone: COMMAND_LINE_SIZE and the usual initrd limit
     * of x86-64.
     */
    private static final int ELF_COMMAND_LINE_MAXIMUM = 2047;

    private static final long ELF_INITRD_MAXIMUM = 0x7fff_ffffL;

    private final GuestMemory memory;
    private final BootConfig config;
    private final long rsdp;
    private final KernelPlacement placement;

    LinuxLoader(GuestMemory memory, BootConfig config, long rsdp) {
        this.memory = memory;
        this.config = config;
        this.rsdp = rsdp;
        this.placement = new KernelPlacement(memory);
    }

    void load(BzImage kernel, VcpuState state) {
        placement.load(kernel);
        long address = kernel.loadAddress();
        KernelPlacement.Initrd initrd =
                placement.load(config.initrd(), kernel.memoryEnd(), kernel.initrdMaximum());
        placement.writeCommandLine(config.commandLine(), kernel.commandLineMaximum());
        writeZeroPage(kernel.setupHeader(), address, initrd);
        if (kernel.has64BitEntry()) {
            EntryState.longMode(memory, state, address + ENTRY_64_OFFSET, LowMemory.BOOT_PARAMS);
        } else {
            EntryState.protectedMode(memory, state, address, LowMemory.BOOT_PARAMS);
        }
    }

    void load(ElfImage kernel, VcpuState state) {
        placement.load(kernel);
        long initrdMaximum = kernel.origin().map(BzImage::initrdMaximum).orElse(ELF_INITRD_MAXIMUM);
        long commandLineMaximum =
                kernel.origin()
                        .map(BzImage::commandLineMaximum)
                        .orElse((long) ELF_COMMAND_LINE_MAXIMUM);
        KernelPlacement.Initrd initrd =
                placement.load(config.initrd(), kernel.end(), initrdMaximum);
        placement.writeCommandLine(config.commandLine(), commandLineMaximum);
        byte[] header =
                kernel.origin().map(BzImage::setupHeader).orElseGet(LinuxLoader::plainHeader);
        writeZeroPage(header, kernel.start(), initrd);
        EntryState.longMode(memory, state, kernel.entry(), LowMemory.BOOT_PARAMS);
    }

    /**
     * Just enough of a header for the kernel to believe the rest of the zero page: flag, magic,
     * protocol 2.15.
     */
    private static byte[] plainHeader() {
        byte[] header = new byte[BzImage.HEADER_LIMIT - BzImage.HEADER_START];
        int flag = 0x1fe - BzImage.HEADER_START;
        header[flag] = 0x55;
        header[flag + 1] = (byte) 0xaa;
        int magic = 0x202 - BzImage.HEADER_START;
        header[magic] = 'H';
        header[magic + 1] = 'd';
        header[magic + 2] = 'r';
        header[magic + 3] = 'S';
        header[magic + 4] = 0x0f;
        header[magic + 5] = 0x02;
        header[0x211 - BzImage.HEADER_START] = 1;
        return header;
    }

    private void writeZeroPage(byte[] header, long kernelAddress, KernelPlacement.Initrd initrd) {
        long page = LowMemory.BOOT_PARAMS;
        memory.write(page, new byte[GuestMemory.PAGE_SIZE], 0, GuestMemory.PAGE_SIZE);
        memory.write(page + BzImage.HEADER_START, header, 0, header.length);
        memory.write8(page + 0x210, UNDEFINED_LOADER);
        memory.write32(page + 0x214, (int) kernelAddress);
        memory.write32(page + 0x218, (int) initrd.address());
        memory.write32(page + 0x21c, (int) initrd.size());
        memory.write32(page + 0x228, (int) LowMemory.COMMAND_LINE);
        memory.write64(page + ACPI_RSDP, rsdp);
        writeMemoryMap(page);
    }

    private void writeMemoryMap(long page) {
        int count = 0;
        for (MemoryMap.Entry entry : MemoryMap.of(memory).entries()) {
            if (count == E820_TABLE_ROOM) {
                break;
            }
            long at = page + E820_TABLE + 20L * count++;
            memory.write64(at, entry.base());
            memory.write64(at + 8, entry.size());
            memory.write32(at + 16, entry.type());
        }
        memory.write8(page + E820_COUNT, count);
    }
}
