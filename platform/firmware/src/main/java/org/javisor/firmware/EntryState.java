package org.javisor.firmware;

import java.util.Arrays;
import org.javisor.hypervisor.VcpuState;
import org.javisor.hypervisor.VcpuState.Segment;
import org.javisor.hypervisor.VcpuState.TableRegister;
import org.javisor.memory.GuestMemory;

/**
 * The processor as boot loaders hand it over: flat segments, interrupts off, with or without
 * paging.
 */
final class EntryState {
    private static final int CR0_PE = 1;
    private static final int CR0_ET = 1 << 4;
    private static final int CR0_PG = 1 << 31;
    private static final int CR4_PAE = 1 << 5;
    private static final int EFER_LME = 1 << 8;
    private static final int EFER_LMA = 1 << 10;

    private static final int BOOT_CS = 0x10;
    private static final int BOOT_DS = 0x18;

    /** Descriptors of the Global Descriptor Table, 4 GiB and flat (Intel SDM vol. 3, 3.4.5). */
    private static final long CODE_64 = 0x00af_9b00_0000_ffffL;

    private static final long CODE_32 = 0x00cf_9b00_0000_ffffL;
    private static final long DATA = 0x00cf_9300_0000_ffffL;

    private static final int PRESENT_WRITABLE = 3;
    private static final int LARGE_PAGE = 1 << 7;
    private static final int GIGABYTES_MAPPED = 4;

    private EntryState() {}

    /** Linux's 64-bit entry (boot.rst, "64-bit Boot Protocol"). */
    static void longMode(GuestMemory memory, VcpuState state, long entry, long bootParams) {
        flat(memory, state, CODE_64);
        mapIdentity(memory);
        state.cr0 = CR0_PE | CR0_ET | CR0_PG & 0xffff_ffffL;
        state.cr3 = LowMemory.PAGE_TABLES;
        state.cr4 = CR4_PAE;
        state.efer = EFER_LME | EFER_LMA;
        state.gpr[VcpuState.RSP] = LowMemory.STACK_TOP;
        state.gpr[VcpuState.RSI] = bootParams;
        state.rip = entry;
    }

    /** Linux's 32-bit entry (boot.rst, "32-bit Boot Protocol"). */
    static void protectedMode(GuestMemory memory, VcpuState state, long entry, long bootParams) {
        flat(memory, state, CODE_32);
        state.gpr[VcpuState.RSP] = LowMemory.STACK_TOP;
        state.gpr[VcpuState.RSI] = bootParams;
        state.rip = entry;
    }

    /**
     * Xen's PVH entry (docs/misc/pvh.pandoc): the same but for the register that points at what is
     * passed.
     */
    static void pvh(GuestMemory memory, VcpuState state, long entry, long startInfo) {
        flat(memory, state, CODE_32);
        state.gpr[VcpuState.RBX] = startInfo;
        state.rip = entry;
    }

    private static void flat(GuestMemory memory, VcpuState state, long code) {
        memory.write64(LowMemory.GDT, 0);
        memory.write64(LowMemory.GDT + 8, 0);
        memory.write64(LowMemory.GDT + BOOT_CS, code);
        memory.write64(LowMemory.GDT + BOOT_DS, DATA);
        Arrays.fill(state.gpr, 0);
        Arrays.fill(state.segments, segment(BOOT_DS, DATA));
        state.segments[VcpuState.CS] = segment(BOOT_CS, code);
        state.segments[VcpuState.LDTR] = new Segment(0, 0, 0xffff, 0x82);
        // PVH wants a 32-bit TSS of 67h bytes; long mode takes the same type as a 64-bit one, and
        // hardware
        // virtualization refuses to enter a guest without.
        state.segments[VcpuState.TR] = new Segment(0, 0, 0x67, 0x8b);
        state.gdtr = new TableRegister(LowMemory.GDT, BOOT_DS + 7);
        state.idtr = new TableRegister(0, 0);
        state.rflags = 2;
        state.cr0 = CR0_PE | CR0_ET;
        state.cr2 = 0;
        state.cr3 = 0;
        state.cr4 = 0;
        state.cr8 = 0;
        state.efer = 0;
        state.activity = VcpuState.Activity.RUNNING;
        state.interruptShadow = false;
    }

    private static Segment segment(int selector, long descriptor) {
        return new Segment(selector, 0, 0xffff_ffff, (int) (descriptor >>> 40) & 0xf0ff);
    }

    private static void mapIdentity(GuestMemory memory) {
        long directoryPointers = LowMemory.PAGE_TABLES + GuestMemory.PAGE_SIZE;
        long directory = directoryPointers + GuestMemory.PAGE_SIZE;
        clearPage(memory, LowMemory.PAGE_TABLES);
        clearPage(memory, directoryPointers);
        memory.write64(LowMemory.PAGE_TABLES, directoryPointers | PRESENT_WRITABLE);
        for (int gigabyte = 0; gigabyte < GIGABYTES_MAPPED; gigabyte++) {
            memory.write64(directoryPointers + 8L * gigabyte, directory | PRESENT_WRITABLE);
            for (int i = 0; i < 512; i++) {
                long address = (long) gigabyte << 30 | (long) i << 21;
                memory.write64(directory + 8L * i, address | LARGE_PAGE | PRESENT_WRITABLE);
            }
            directory += GuestMemory.PAGE_SIZE;
        }
    }

    private static void clearPage(GuestMemory memory, long address) {
        memory.write(address, new byte[GuestMemory.PAGE_SIZE], 0, GuestMemory.PAGE_SIZE);
    }
}
