package org.javisor.bench;

import java.time.InstantSource;
import java.util.List;
import org.javisor.device.LocalInterruptController;
import org.javisor.device.SystemClock;
import org.javisor.hypervisor.ExitReason;
import org.javisor.hypervisor.Hypervisor;
import org.javisor.hypervisor.Vcpu;
import org.javisor.hypervisor.VcpuIo;
import org.javisor.hypervisor.VcpuState;
import org.javisor.hypervisor.VcpuState.Segment;
import org.javisor.hypervisor.VcpuState.TableRegister;
import org.javisor.hypervisor.Vm;
import org.javisor.memory.GuestMemory;

/**
 * A bare 64-bit guest that repeats a loop and comes out after each: no devices, no interrupts. 512
 * MiB of RAM are mapped where they are, the first 2 MiB by 4 KiB pages and the rest by the page
 * size of choice; above them, at {@link #MMIO}, is a register.
 *
 * <p>Memory: page tables from 10000h on, code at 100000h, data from 200000h on.
 */
final class GuestLoop implements AutoCloseable {
    /** How often the body is carried out in one {@link #run}. */
    static final int ITERATIONS = 10_000;

    static final int DATA = 0x200000;

    /** Above all RAM. */
    static final int MMIO = 0x40000000;

    private static final int EXIT_PORT = 0xf4;
    private static final long RAM = 512L << 20;
    private static final int CODE = 0x100000;
    private static final int PML4 = 0x10000, PDPT = 0x11000, DIRECTORY = 0x12000, TABLES = 0x400000;
    private static final int PRESENT_WRITABLE = 3, LARGE = 0x80;

    private static final long CR0_PG_WP_NE_ET_MP_PE = 0x80010033L;
    private static final long CR4_OSXMMEXCPT_OSFXSR_PAE = 0x620;
    private static final long EFER_LMA_LME = 0x500;

    private final SystemClock clock;
    private final GuestMemory memory;
    private final Vm vm;
    private final Vcpu vcpu;
    private final Io io = new Io();

    /**
     * @param smallPages whether data lies on 4 KiB pages instead of 2 MiB ones
     * @param body machine code; may use all registers but RCX and RSP; RBX is {@link #DATA}, RBP
     *     {@link #MMIO}, RSI and RDI 0 at the start
     */
    GuestLoop(Hypervisor engine, boolean smallPages, int... body) {
        clock = new SystemClock("bench-clock", InstantSource.system(), Throwable::printStackTrace);
        memory = GuestMemory.allocate(List.of(new GuestMemory.Range(0, RAM)));
        vm = engine.createVm(memory, clock);
        vcpu = vm.createVcpu(0, engine.cpuid(), io);
        vcpu.connect(LocalInterruptController.NONE);
        mapMemory(smallPages);
        assemble(body);
        vcpu.setState(longMode());
    }

    /** Repeats the body {@value #ITERATIONS} times. */
    void run() {
        ExitReason reason = vcpu.run();
        if (reason != ExitReason.REQUESTED || !io.left) {
            throw new IllegalStateException("The guest ended: " + reason + " " + vcpu.failure());
        }
        io.left = false;
    }

    private void assemble(int[] body) {
        int at = CODE;
        at = put(at, 0xb9);
        memory.write32(at, ITERATIONS);
        at += 4;
        int loop = at;
        at = put(at, body);
        at = put(at, 0xff, 0xc9, 0x0f, 0x85); // dec ecx; jnz loop
        memory.write32(at, loop - (at + 4));
        at += 4;
        at = put(at, 0xe6, EXIT_PORT, 0xe9); // out EXIT_PORT, al; jmp CODE
        memory.write32(at, CODE - (at + 4));
    }

    private int put(int at, int... bytes) {
        for (int value : bytes) {
            memory.write8(at++, value);
        }
        return at;
    }

    /** Intel SDM vol. 3, 4.5: identity, the first GiB through one directory. */
    private void mapMemory(boolean smallPages) {
        memory.write64(PML4, PDPT | PRESENT_WRITABLE);
        memory.write64(PDPT, DIRECTORY | PRESENT_WRITABLE);
        memory.write64(PDPT + 8, MMIO | PRESENT_WRITABLE | LARGE);
        for (int i = 0; i < 512; i++) {
            if (smallPages) {
                int table = TABLES + i * GuestMemory.PAGE_SIZE;
                memory.write64(DIRECTORY + 8 * i, table | PRESENT_WRITABLE);
                for (int j = 0; j < 512; j++) {
                    memory.write64(table + 8 * j, i << 21 | j << 12 | PRESENT_WRITABLE);
                }
            } else {
                memory.write64(DIRECTORY + 8 * i, i << 21 | PRESENT_WRITABLE | LARGE);
            }
        }
    }

    private static VcpuState longMode() {
        VcpuState state = new VcpuState();
        state.cr0 = CR0_PG_WP_NE_ET_MP_PE;
        state.cr3 = PML4;
        state.cr4 = CR4_OSXMMEXCPT_OSFXSR_PAE;
        state.efer = EFER_LMA_LME;
        Segment data = new Segment(0x18, 0, -1, 0xc093);
        java.util.Arrays.fill(state.segments, 0, 6, data);
        state.segments[VcpuState.CS] = new Segment(0x10, 0, -1, 0xa09b);
        state.segments[VcpuState.LDTR] = new Segment(0, 0, 0, 0x82);
        state.segments[VcpuState.TR] = new Segment(0, 0, 0xffff, 0x8b);
        state.gdtr = new TableRegister(0, 0);
        state.idtr = new TableRegister(0, 0);
        state.rip = CODE;
        state.gpr[VcpuState.RSP] = CODE;
        state.gpr[VcpuState.RBX] = DATA;
        state.gpr[VcpuState.RBP] = MMIO;
        state.gpr[VcpuState.RDX] = 0x80;
        return state;
    }

    @Override
    public void close() {
        vm.close();
        memory.close();
        clock.close();
    }

    private final class Io implements VcpuIo {
        private boolean left;

        @Override
        public int readPort(int port, int size) {
            return 0xff;
        }

        @Override
        public void writePort(int port, int size, int value) {
            if (port == EXIT_PORT) {
                left = true;
                vcpu.requestExit();
            }
        }

        @Override
        public long readMmio(long gpa, int size) {
            return gpa & 0xff;
        }

        @Override
        public void writeMmio(long gpa, int size, long value) {}
    }
}
