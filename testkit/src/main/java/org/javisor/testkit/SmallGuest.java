package org.javisor.testkit;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
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
 * A machine for small guests: RAM, descriptor tables, page tables that map it to itself, a task
 * state segment and handlers that tell of every exception. Tests put code into it, run it through
 * the engine's own API and look at how it ended.
 */
public final class SmallGuest implements AutoCloseable {
    public static final int MEMORY_SIZE = 8 << 20;

    // Guest-physical and linear addresses
    public static final long GDT = 0x1000, IDT = 0x2000, TSS = 0x3000, HANDLERS = 0x4000;

    /** Tops of stacks: of ring 0, and of IST entry 1. */
    public static final long STACK = 0x8000, INTERRUPT_STACK = 0xa000;

    /** Where tests put code and data of ring 0. */
    public static final long CODE = 0x10000, DATA = 0x20000;

    /** Pages that ring 3 may use, 64 KiB. */
    public static final long USER = 0x30000;

    public static final long USER_STACK = 0x40000;

    /** From here on RAM is free for tests; the page tables are above it. */
    public static final long FREE = 0x50000;

    public static final long PAGE_TABLES = 0x100000;

    /** No RAM, mapped to itself: memory-mapped I/O. */
    public static final long MMIO = 0xf0000000L;

    // Selectors
    public static final int CODE64 = 0x08, DATA32 = 0x10, CODE32 = 0x18;
    public static final int USER_CODE32 = 0x23, USER_DATA = 0x2b, USER_CODE64 = 0x33;
    public static final int TASK = 0x38, CODE16 = 0x48, DATA16 = 0x50;

    /** The first GDT entry that tests may fill. */
    public static final int FREE_SELECTOR = 0x58;

    /** Ports: the code's end, an exception's handler, a byte for {@link #trace}. */
    public static final int END_PORT = 0xf4, EXCEPTION_PORT = 0xf5, TRACE_PORT = 0xf6;

    /** Exceptions that push an error code: 8, 10 to 14, 17, 21. */
    private static final int WITH_ERROR_CODE = 0x227d00;

    /** With a permission bitmap for 256 ports. */
    private static final int TSS_LIMIT = 0x88;

    private static final int HANDLER_SIZE = 32;
    private static final int SECONDS = 30;

    /** How a run ended. */
    public enum Kind {
        END,
        EXCEPTION,
        SHUTDOWN,
        DEBUG,
        REQUESTED,
        TIMED_OUT
    }

    /**
     * The end of a run.
     *
     * @param vector of the exception that one of the handlers was entered with, else -1; the fields
     *     after it are from its stack frame, RSP and SS meaning nothing where it has none
     */
    public record Ending(
            Kind kind,
            int vector,
            long errorCode,
            long rip,
            int cs,
            long flags,
            long rsp,
            int ss,
            VcpuState state) {}

    private final GuestMemory memory;
    private final PageTables tables;
    private final Vm vm;
    private final FakeClock clock = new FakeClock();
    private final List<Vcpu> vcpus = new ArrayList<>();
    private final List<Ports> ports = new ArrayList<>();
    private final List<Integer> trace = Collections.synchronizedList(new ArrayList<>());
    private VcpuIo devices = new SilentDevices();

    public SmallGuest(Hypervisor hypervisor) {
        this(hypervisor, 1);
    }

    public SmallGuest(Hypervisor hypervisor, int processors) {
        memory = GuestMemory.allocate(MEMORY_SIZE);
        tables = new PageTables(memory, PAGE_TABLES);
        long kernel = PageTables.PRESENT | PageTables.WRITABLE;
        tables.mapIdentity(0, USER, kernel);
        tables.mapIdentity(USER, USER_STACK - USER, kernel | PageTables.USER);
        tables.mapIdentity(USER_STACK, 0x200000 - USER_STACK, kernel);
        tables.mapIdentity(MMIO, 0x4000, kernel);
        writeDescriptors();
        for (int vector = 0; vector < 256; vector++) {
            writeHandler(vector);
            gate(vector, HANDLERS + HANDLER_SIZE * vector, 0x8e, 0);
        }
        vm = hypervisor.createVm(memory, clock);
        for (int n = 0; n < processors; n++) {
            Ports io = new Ports();
            ports.add(io);
            Vcpu vcpu = vm.createVcpu(n, hypervisor.cpuid(), io);
            io.vcpu = vcpu;
            vcpus.add(vcpu);
        }
    }

    private void writeDescriptors() {
        descriptor(CODE64, 0x00af9b000000ffffL);
        descriptor(DATA32, 0x00cf93000000ffffL);
        descriptor(CODE32, 0x00cf9b000000ffffL);
        descriptor(USER_CODE32, 0x00cffb000000ffffL);
        descriptor(USER_DATA, 0x00cff3000000ffffL);
        descriptor(USER_CODE64, 0x00affb000000ffffL);
        descriptor(TASK, 0x0000890000000000L | TSS << 16 | TSS_LIMIT);
        descriptor(CODE16, 0x00009b000000ffffL);
        descriptor(DATA16, 0x000093000000ffffL);
        memory.write64(TSS + 4, STACK);
        memory.write64(TSS + 0x24, INTERRUPT_STACK);
        // Of the ports ring 3 may use those of the harness only.
        memory.write16(TSS + 0x66, 0x68);
        for (int port = 0; port < 0x100; port++) {
            boolean ours = port >= END_PORT && port <= TRACE_PORT;
            long at = TSS + 0x68 + (port >> 3);
            memory.write8(at, memory.read8(at) | (ours ? 0 : 1 << (port & 7)));
        }
        memory.write8(TSS + TSS_LIMIT, 0xff);
    }

    /** Fills a GDT entry. */
    public void descriptor(int selector, long value) {
        memory.write64(GDT + (selector & ~7), value);
    }

    /**
     * Fills an entry of the IDT, 64-bit format.
     *
     * @param access present bit, DPL and type: 8Eh interrupt gate, 8Fh trap gate, EEh for ring 3
     * @param ist interrupt stack table entry, or 0
     */
    public void gate(int vector, long handler, int access, int ist) {
        long low = handler & 0xffff | CODE64 << 16 | (long) ist << 32 | (long) access << 40;
        memory.write64(IDT + 16 * vector, low | (handler >>> 16 & 0xffff) << 48);
        memory.write64(IDT + 16 * vector + 8, handler >>> 32);
    }

    /** PUSH 0 where the processor pushes no error code, PUSH vector, then the port, for ever. */
    private void writeHandler(int vector) {
        GuestCode code = GuestCode.at(HANDLERS + HANDLER_SIZE * vector);
        boolean errorCode = vector < 32 && (WITH_ERROR_CODE >> vector & 1) != 0;
        if (!errorCode) {
            code.hex("6a 00");
        }
        code.pushImmediate(vector).label("again").out8(EXCEPTION_PORT).jmp("again");
        load(code);
    }

    /** The IDT and the task state of protected mode without long mode. */
    public static final long IDT32 = 0x6000, TSS32 = 0x6800;

    private static final int TSS32_SELECTOR = 0x60;

    /** As {@link #gate} in the format of 32-bit protected mode. */
    public void gate32(int vector, long handler, int selector, int access) {
        long low = handler & 0xffff | (long) selector << 16 | (long) access << 40;
        memory.write64(IDT32 + 8 * vector, low | (handler >>> 16 & 0xffff) << 48);
    }

    /** Ring 0 in 32-bit code, protected mode without paging, interrupts off. */
    public VcpuState protectedState(long eip) {
        for (int vector = 0; vector < 256; vector++) {
            if (memory.read64(IDT32 + 8 * vector) == 0) {
                gate32(vector, handler(vector), CODE32, 0x8e);
            }
        }
        memory.write32(TSS32 + 4, (int) STACK);
        memory.write32(TSS32 + 8, DATA32);
        VcpuState s = kernelState(eip);
        s.segments[VcpuState.CS] = new Segment(CODE32, 0, -1, 0xc09b);
        s.segments[VcpuState.TR] = new Segment(TSS32_SELECTOR, TSS32, 0x67, 0x8b);
        s.idtr = new TableRegister(IDT32, 0x7ff);
        s.cr0 = 0x33;
        s.cr3 = 0;
        s.cr4 = 0x600;
        s.efer = 0;
        return s;
    }

    /** Ring 3 in 32-bit code, protected mode without paging. */
    public VcpuState protectedUserState(long eip) {
        VcpuState s = protectedState(eip);
        Segment data = new Segment(USER_DATA, 0, -1, 0xc0f3);
        for (int n :
                new int[] {VcpuState.ES, VcpuState.SS, VcpuState.DS, VcpuState.FS, VcpuState.GS}) {
            s.segments[n] = data;
        }
        s.segments[VcpuState.CS] = new Segment(USER_CODE32, 0, -1, 0xc0fb);
        s.gpr[VcpuState.RSP] = USER_STACK - 0x100;
        s.rflags = 0x3202; // IOPL 3: the harness's ports
        return s;
    }

    /** Real mode, all segments at 0. */
    public VcpuState realState(long ip) {
        VcpuState s = new VcpuState();
        java.util.Arrays.fill(s.segments, 0, 6, new Segment(0, 0, 0xffff, 0x93));
        s.segments[VcpuState.CS] = new Segment(0, 0, 0xffff, 0x9b);
        s.idtr = new TableRegister(0, 0x3ff);
        s.gdtr = new TableRegister(GDT, 0xfff);
        s.cr0 = 0x10;
        s.rip = ip;
        s.gpr[VcpuState.RSP] = STACK - 0x800;
        return s;
    }

    /** The original handler of a vector, for those who have put another gate there. */
    public static long handler(int vector) {
        return HANDLERS + HANDLER_SIZE * vector;
    }

    public GuestMemory memory() {
        return memory;
    }

    public PageTables tables() {
        return tables;
    }

    public FakeClock clock() {
        return clock;
    }

    public Vm vm() {
        return vm;
    }

    public Vcpu vcpu() {
        return vcpus.getFirst();
    }

    public Vcpu vcpu(int index) {
        return vcpus.get(index);
    }

    /** What the guest has written to the trace port. */
    public List<Integer> trace() {
        synchronized (trace) {
            return List.copyOf(trace);
        }
    }

    /** Who answers accesses to other ports and outside RAM. */
    public void devices(VcpuIo newDevices) {
        devices = newDevices;
    }

    /** Writes code to where it is to lie. */
    public void load(GuestCode code) {
        byte[] bytes = code.bytes();
        memory.write(code.address(), bytes, 0, bytes.length);
    }

    /** Ring 0 in 64-bit code, paging on, interrupts off. */
    public VcpuState kernelState(long rip) {
        VcpuState s = new VcpuState();
        s.rip = rip;
        s.gpr[VcpuState.RDX] = 0;
        s.gpr[VcpuState.RSP] = STACK - 0x800;
        java.util.Arrays.fill(s.segments, new Segment(DATA32, 0, -1, 0xc093));
        s.segments[VcpuState.CS] = new Segment(CODE64, 0, -1, 0xa09b);
        s.segments[VcpuState.LDTR] = new Segment(0, 0, 0, 0x82);
        s.segments[VcpuState.TR] = new Segment(TASK, TSS, TSS_LIMIT, 0x8b);
        s.gdtr = new TableRegister(GDT, 0xfff);
        s.idtr = new TableRegister(IDT, 0xfff);
        s.cr0 = 0x80050033L; // PG, AM, WP, NE, ET, MP, PE
        s.cr3 = tables.root();
        s.cr4 = 0x620; // OSXMMEXCPT, OSFXSR, PAE
        s.efer = 0xd01; // NXE, LMA, LME, SCE
        return s;
    }

    /** Ring 3 in 64-bit code. */
    public VcpuState userState(long rip) {
        VcpuState s = kernelState(rip);
        Segment data = new Segment(USER_DATA, 0, -1, 0xc0f3);
        for (int n :
                new int[] {VcpuState.ES, VcpuState.SS, VcpuState.DS, VcpuState.FS, VcpuState.GS}) {
            s.segments[n] = data;
        }
        s.segments[VcpuState.CS] = new Segment(USER_CODE64, 0, -1, 0xa0fb);
        s.gpr[VcpuState.RSP] = USER_STACK - 0x100;
        s.rflags = 0x202;
        return s;
    }

    /** Loads code and runs it in ring 0. */
    public Ending run(GuestCode code) {
        load(code);
        return run(kernelState(code.address()));
    }

    /** Loads code and runs it in ring 3. */
    public Ending runUser(GuestCode code) {
        load(code);
        return run(userState(code.address()));
    }

    public Ending run(VcpuState state) {
        vcpu().setState(state);
        return resume();
    }

    /** Runs the first processor on from where it is. */
    public Ending resume() {
        return resume(0);
    }

    /** Runs a processor until it tells its end or anything else stops it. */
    public Ending resume(int index) {
        Vcpu vcpu = vcpus.get(index);
        Ports io = ports.get(index);
        CountDownLatch done = new CountDownLatch(1);
        Thread.startVirtualThread(() -> stopIfLate(done, io));
        ExitReason reason = vcpu.run();
        done.countDown();
        Kind kind =
                switch (reason) {
                    case REQUESTED -> io.ended;
                    case SHUTDOWN -> Kind.SHUTDOWN;
                    case DEBUG -> Kind.DEBUG;
                    case FAILURE -> throw new AssertionError(vcpu.failure());
                };
        if (reason == ExitReason.REQUESTED) {
            io.ended = Kind.REQUESTED;
        }
        return ending(kind, vcpu.state());
    }

    private static void stopIfLate(CountDownLatch done, Ports io) {
        try {
            if (!done.await(SECONDS, TimeUnit.SECONDS)) {
                io.ended = Kind.TIMED_OUT;
                io.vcpu.requestExit();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private Ending ending(Kind kind, VcpuState s) {
        if (kind != Kind.EXCEPTION) {
            return new Ending(kind, -1, 0, s.rip, 0, s.rflags, s.gpr[VcpuState.RSP], 0, s);
        }
        long frame = s.gpr[VcpuState.RSP];
        boolean longMode = (s.efer & 0x400) != 0;
        if (!longMode) {
            return new Ending(
                    kind,
                    memory.read32(frame),
                    memory.read32(frame + 4),
                    memory.read32(frame + 8) & 0xffffffffL,
                    memory.read32(frame + 12) & 0xffff,
                    memory.read32(frame + 16),
                    memory.read32(frame + 20) & 0xffffffffL,
                    memory.read32(frame + 24) & 0xffff,
                    s);
        }
        return new Ending(
                kind,
                (int) memory.read64(frame),
                memory.read64(frame + 8),
                memory.read64(frame + 16),
                (int) memory.read64(frame + 24),
                memory.read64(frame + 32),
                memory.read64(frame + 40),
                (int) memory.read64(frame + 48),
                s);
    }

    @Override
    public void close() {
        vm.close();
        memory.close();
    }

    /** One processor's ports and devices. */
    private final class Ports implements VcpuIo {
        private Vcpu vcpu;
        private volatile Kind ended = Kind.REQUESTED;

        @Override
        public int readPort(int port, int size) {
            return devices.readPort(port, size);
        }

        @Override
        public void writePort(int port, int size, int value) {
            switch (port) {
                case END_PORT -> end(Kind.END);
                case EXCEPTION_PORT -> end(Kind.EXCEPTION);
                case TRACE_PORT -> trace.add(value);
                default -> devices.writePort(port, size, value);
            }
        }

        private void end(Kind kind) {
            ended = kind;
            vcpu.requestExit();
        }

        @Override
        public long readMmio(long gpa, int size) {
            return devices.readMmio(gpa, size);
        }

        @Override
        public void writeMmio(long gpa, int size, long value) {
            devices.writeMmio(gpa, size, value);
        }
    }
}
