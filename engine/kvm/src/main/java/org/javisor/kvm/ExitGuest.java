package org.javisor.kvm;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.javisor.hypervisor.VcpuState;
import org.javisor.hypervisor.VcpuState.Segment;
import org.javisor.hypervisor.VcpuState.TableRegister;

/**
 * The guest that {@link ExitCosts} measures with: 64 KiB of memory with page tables, an interrupt
 * table and endless loops in 64-bit ring 0, one for each way out.
 */
final class ExitGuest {
    static final int SIZE = 0x10000;

    /** A loop that writes to {@link #PORT}; one that writes to {@link #MMIO}. */
    static final int PORT_LOOP = 0x1000, MMIO_LOOP = 0x1100;

    /** A loop that writes to {@link #DOORBELL} so often, then once to {@link #PORT}. */
    static final int DOORBELL_LOOP = 0x1200, RINGS = 1000;

    /** Switches its APIC on, writes to {@link #PORT} and halts; writes for each interrupt again. */
    static final int INTERRUPT_LOOP = 0x1300;

    static final int PORT = 0x10, DOORBELL = 0x20, VECTOR = 0x40;
    static final long MMIO = 0xd0000000L;

    private static final int HANDLER = 0x1400, STACK = 0x2ff0, GDT = 0x3000, IDT = 0x4000;
    private static final int TABLES = 0x5000;

    private ExitGuest() {}

    /** What its memory holds at first. */
    static byte[] image() {
        ByteBuffer image = ByteBuffer.allocate(SIZE).order(ByteOrder.LITTLE_ENDIAN);
        // out 10h, al; jmp
        put(image, PORT_LOOP, "e610 ebfc");
        // mov ebx, MMIO; again: mov [rbx], eax; jmp again
        put(image, MMIO_LOOP, "bb000000d0 8903 ebfc");
        // again: mov ecx, RINGS; ring: out 20h, al; dec ecx; jnz ring; out 10h, al; jmp again
        put(image, DOORBELL_LOOP, "b9e8030000 e620 ffc9 75fa e610 ebf1");
        // mov edi, FEE00000h; mov dword [rdi+F0h], 1FFh; out 10h, al; wait: sti; hlt; jmp wait
        put(image, INTERRUPT_LOOP, "bf0000e0fe c787f0000000ff010000 e610 fb f4 ebfc");
        // mov dword [rdi+B0h], 0; out 10h, al; iretq
        put(image, HANDLER, "c787b000000000000000 e610 48cf");
        image.putLong(GDT + 8, 0x00af9b000000ffffL).putLong(GDT + 16, 0x00cf93000000ffffL);
        image.putLong(IDT + 16 * VECTOR, HANDLER | 8L << 16 | 0x8e00L << 32);
        image.putLong(TABLES, TABLES + 0x1000 | 3);
        for (int gigabyte = 0; gigabyte < 4; gigabyte++) {
            int directory = TABLES + 0x2000 + 0x1000 * gigabyte;
            image.putLong(TABLES + 0x1000 + 8 * gigabyte, directory | 3);
            for (int n = 0; n < 512; n++) {
                image.putLong(directory + 8 * n, (512L * gigabyte + n) << 21 | 0x83);
            }
        }
        return image.array();
    }

    private static void put(ByteBuffer image, int at, String hex) {
        image.put(at, java.util.HexFormat.of().parseHex(hex.replace(" ", "")));
    }

    /** A processor about to begin one of the loops. */
    static VcpuState at(int loop) {
        VcpuState s = new VcpuState();
        Arrays.fill(s.segments, new Segment(0x10, 0, -1, 0xc093));
        s.segments[VcpuState.CS] = new Segment(8, 0, -1, 0xa09b);
        s.segments[VcpuState.LDTR] = new Segment(0, 0, 0, 0x82);
        s.segments[VcpuState.TR] = new Segment(0x18, 0, 0x67, 0x8b);
        s.gdtr = new TableRegister(GDT, 23);
        s.idtr = new TableRegister(IDT, 0xfff);
        s.cr0 = 0x80050033L;
        s.cr3 = TABLES;
        s.cr4 = 0x620;
        s.efer = 0x500;
        s.gpr[VcpuState.RSP] = STACK;
        s.rip = loop;
        return s;
    }
}
