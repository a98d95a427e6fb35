package org.javisor.firmware;

import java.util.List;
import org.javisor.hypervisor.VcpuState;
import org.javisor.memory.GuestMemory;

/**
 * Starts an ELF kernel by Xen's PVH protocol (xen/include/public/arch-x86/hvm/start_info.h, version
 * 1).
 */
final class PvhLoader {
    private static final int MAGIC = 0x336ec578;
    private static final int VERSION = 1;
    private static final int START_INFO_SIZE = 56;

    /** The protocol names no limit; this is Linux's. */
    private static final int COMMAND_LINE_MAXIMUM = 2047;

    private static final long INITRD_MAXIMUM = 0x7fff_ffffL;

    /** As many as fit between the map's address and the zero page. */
    private static final int MEMORY_MAP_ROOM = 128;

    private PvhLoader() {}

    static void load(
            GuestMemory memory,
            BootConfig config,
            ElfImage kernel,
            long entry,
            long rsdp,
            VcpuState state) {
        KernelPlacement placement = new KernelPlacement(memory);
        placement.load(kernel);
        KernelPlacement.Initrd initrd =
                placement.load(config.initrd(), kernel.end(), INITRD_MAXIMUM);
        placement.writeCommandLine(config.commandLine(), COMMAND_LINE_MAXIMUM);
        int entries = writeMemoryMap(memory);
        int modules = initrd.size() == 0 ? 0 : 1;
        if (modules != 0) {
            memory.write64(LowMemory.PVH_MODULES, initrd.address());
            memory.write64(LowMemory.PVH_MODULES + 8, initrd.size());
            memory.write64(LowMemory.PVH_MODULES + 16, 0);
            memory.write64(LowMemory.PVH_MODULES + 24, 0);
        }
        long info = LowMemory.PVH_START_INFO;
        memory.write(info, new byte[START_INFO_SIZE], 0, START_INFO_SIZE);
        memory.write32(info, MAGIC);
        memory.write32(info + 4, VERSION);
        memory.write32(info + 12, modules);
        memory.write64(info + 16, modules == 0 ? 0 : LowMemory.PVH_MODULES);
        memory.write64(info + 24, LowMemory.COMMAND_LINE);
        memory.write64(info + 32, rsdp);
        memory.write64(info + 40, LowMemory.PVH_MEMORY_MAP);
        memory.write32(info + 48, entries);
        EntryState.pvh(memory, state, entry, info);
    }

    private static int writeMemoryMap(GuestMemory memory) {
        List<MemoryMap.Entry> entries = MemoryMap.of(memory).entries();
        int count = Math.min(entries.size(), MEMORY_MAP_ROOM);
        for (int i = 0; i < count; i++) {
            MemoryMap.Entry entry = entries.get(i);
            long at = LowMemory.PVH_MEMORY_MAP + 24L * i;
            memory.write64(at, entry.base());
            memory.write64(at + 8, entry.size());
            memory.write32(at + 16, entry.type());
            memory.write32(at + 20, 0);
        }
        return count;
    }
}
