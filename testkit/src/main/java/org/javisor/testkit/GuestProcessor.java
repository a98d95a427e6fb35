package org.javisor.testkit;

import java.lang.foreign.MemorySegment;
import java.util.List;
import org.javisor.hypervisor.Hypervisor;
import org.javisor.hypervisor.Vcpu;
import org.javisor.hypervisor.VcpuIo;
import org.javisor.hypervisor.VcpuState;
import org.javisor.hypervisor.Vm;
import org.javisor.memory.GuestMemory;

/**
 * Runs unprivileged instructions in an engine, in the surroundings that {@link HostProcessor} gives
 * them: ring 3 of a 64-bit kernel with Linux's selectors, code and operands at the same linear
 * addresses. The code ends in an {@code int 80h}; that and every exception leads to a handler that
 * tells its vector at a port. No two neighbours among the code's and the operands' pages are
 * neighbours in guest-physical memory too.
 */
public final class GuestProcessor implements AutoCloseable {
    /** Linear address of the kernel's half, where guest-physical memory from 0 on is mapped. */
    static final long KERNEL = 0xffff800000000000L;

    private static final long GDT = 0x1000, IDT = 0x2000, TSS = 0x3000, HANDLERS = 0x4000;
    static final long KERNEL_STACK = 0x7000;

    private static final long PAGE_TABLES = 0x10000, LOW_MEMORY = 0x80000;
    private static final int KERNEL_SS = 0x18, TASK = 0x40;
    static final int KERNEL_CS = 0x10, END_VECTOR = 0x80, END_LENGTH = 2, END_PORT = 0xf4;

    /** Exceptions that push an error code: 8, 10 to 14, 17, 21. */
    static final int WITH_ERROR_CODE = 0x227d00;

    private static final long USER_PAGE =
            PageTables.PRESENT | PageTables.WRITABLE | PageTables.USER;

    private static final VcpuState.Segment CODE64 =
            new VcpuState.Segment(HostProcessor.USER_CS, 0, -1, 0xa0fb);
    private static final VcpuState.Segment CODE32 =
            new VcpuState.Segment(HostProcessor.USER32_CS, 0, -1, 0xc0fb);
    private static final VcpuState.Segment USER_DATA =
            new VcpuState.Segment(HostProcessor.USER_DS, 0, -1, 0xc0f3);

    private static final VcpuState.Segment KERNEL_CODE =
            new VcpuState.Segment(KERNEL_CS, 0, -1, 0xa09b);
    private static final VcpuState.Segment KERNEL_DATA =
            new VcpuState.Segment(KERNEL_SS, 0, -1, 0xc093);

    private final GuestMemory memory;
    private final PageTables tables;
    private final int components;
    private final Vm vm;
    private final Vcpu vcpu;
    private final Watchdog watchdog;
    private final VcpuState template = new VcpuState();
    private final long base;

    /**
     * @param base the address of {@link HostProcessor#baseAddress}
     */
    public GuestProcessor(Hypervisor hypervisor, long base) {
        this.base = base;
        memory =
                GuestMemory.allocate(
                        List.of(
                                new GuestMemory.Range(0, LOW_MEMORY),
                                new GuestMemory.Range(base, HostProcessor.SIZE),
                                new GuestMemory.Range(GuestSeries.SLOTS, GuestSeries.SIZE)));
        tables = new PageTables(memory, PAGE_TABLES);
        for (long at = 0; at < LOW_MEMORY; at += GuestMemory.PAGE_SIZE) {
            tables.map(KERNEL + at, at, PageTables.PRESENT | PageTables.WRITABLE);
        }
        for (long at = base; at < base + HostProcessor.SIZE; at += GuestMemory.PAGE_SIZE) {
            tables.map(at, physical(at), USER_PAGE);
        }
        writeTables();
        vm = hypervisor.createVm(memory, new FakeClock());
        components = HostStubs.components() & hypervisor.cpuid().query(0xd, 0).eax();
        vcpu = vm.createVcpu(0, hypervisor.cpuid(), new EndPort());
        watchdog = new Watchdog(vcpu);
        prepareTemplate();
    }

    /** The components of XSAVE that are exchanged: what host and engine both have. */
    int components() {
        return components;
    }

    private void writeTables() {
        writeDescriptor(KERNEL_CS, 0x00af9b000000ffffL);
        writeDescriptor(KERNEL_SS, 0x00cf93000000ffffL);
        writeDescriptor(HostProcessor.USER32_CS, 0x00cffb000000ffffL);
        writeDescriptor(HostProcessor.USER_DS, 0x00cff3000000ffffL);
        writeDescriptor(HostProcessor.USER_CS, 0x00affb000000ffffL);
        writeDescriptor(TASK, 0x00008b0000000067L | TSS << 16);
        memory.write64(TSS + 4, KERNEL + KERNEL_STACK);
        memory.write16(TSS + 0x66, 0x68); // no ports
        for (int vector = 0; vector < 256; vector++) {
            long handler = HANDLERS + 32 * vector;
            int dpl = vector == END_VECTOR || vector == 3 || vector == 4 ? 3 : 0;
            long low = handler & 0xffff | KERNEL_CS << 16 | (0x8e00L | dpl << 13) << 32;
            memory.write64(IDT + 16 * vector, low);
            memory.write64(IDT + 16 * vector + 8, KERNEL >>> 32);
            boolean errorCode = vector < 32 && (WITH_ERROR_CODE >> vector & 1) != 0;
            int[] stub = {
                errorCode ? 0x90 : 0x6a,
                errorCode ? 0x90 : 0, // push 0
                0x68,
                vector,
                0,
                0,
                0, // push vector
                0xe6,
                END_PORT, // out END_PORT, al
                0xeb,
                0xfc // jmp to the out
            };
            for (int n = 0; n < stub.length; n++) {
                memory.write8(handler + n, stub[n]);
            }
        }
    }

    private void writeDescriptor(int selector, long descriptor) {
        memory.write64(GDT + (selector & ~7), descriptor);
    }

    private void prepareTemplate() {
        VcpuState s = template;
        s.segments[VcpuState.SS] = USER_DATA;
        s.segments[VcpuState.LDTR] = new VcpuState.Segment(0, 0, 0, 0x82);
        s.segments[VcpuState.TR] = new VcpuState.Segment(TASK, KERNEL + TSS, 0x67, 0x8b);
        s.gdtr = new VcpuState.TableRegister(KERNEL + GDT, 0x4f);
        s.idtr = new VcpuState.TableRegister(KERNEL + IDT, 0xfff);
        s.cr0 = 0x80050033L; // PG, AM, WP, NE, ET, MP, PE
        s.cr3 = tables.root();
        s.cr4 = 0x50620; // OSXSAVE, FSGSBASE, OSXMMEXCPT, OSFXSR, PAE
        s.efer = 0xd01; // NXE, LMA, LME, SCE
        s.xcr0 = components;
    }

    public long codeAddress() {
        return base + HostStubs.CODE;
    }

    public long dataAddress() {
        return base + HostStubs.DATA;
    }

    /** Where a page of the code's and the operands' lies in guest-physical memory. */
    private long physical(long linear) {
        long offset = linear - base;
        long page = offset & -GuestMemory.PAGE_SIZE;
        return base + HostProcessor.SIZE - GuestMemory.PAGE_SIZE - page + (offset - page);
    }

    /**
     * Fills the operand memory's first pages, without telling the engine: they must not hold code.
     */
    public void setData(MemorySegment source) {
        for (long at = 0; at < source.byteSize(); at += GuestMemory.PAGE_SIZE) {
            page(at).copyFrom(source.asSlice(at, GuestMemory.PAGE_SIZE));
        }
    }

    /** Copies the operand memory's first pages. */
    public void data(MemorySegment target) {
        for (long at = 0; at < target.byteSize(); at += GuestMemory.PAGE_SIZE) {
            target.asSlice(at, GuestMemory.PAGE_SIZE).copyFrom(page(at));
        }
    }

    /** A page of the operand memory, mapped for as long as the guest is open. */
    private MemorySegment page(long offset) {
        return MemorySegment.ofAddress(memory.hostAddress(physical(dataAddress() + offset)))
                .reinterpret(GuestMemory.PAGE_SIZE);
    }

    /** As {@link HostProcessor#protectPage}. */
    public void protectPage(int page, boolean readable) {
        long address = dataAddress() + (long) page * GuestMemory.PAGE_SIZE;
        long physical = physical(address);
        for (int n = 0; n < GuestMemory.PAGE_SIZE; n += 8) {
            memory.write64(physical + n, 0);
        }
        tables.map(address, physical, readable ? PageTables.PRESENT | PageTables.USER : 0);
    }

    /** As {@link HostProcessor#run(byte[], int, int, UserState, boolean)}. */
    public void run(byte[] code, int length, int offset, UserState state, boolean as32) {
        long begin = codeAddress() + offset;
        place(begin, code, length);
        load(state, begin, as32);
        watchdog.run();
        store(state, begin + length);
    }

    GuestMemory memory() {
        return memory;
    }

    PageTables tables() {
        return tables;
    }

    /** Writes code that is to end with the end's interrupt. */
    void place(long begin, byte[] code, int length) {
        // Writing makes the engine drop what it has made of the page: only if something changes.
        for (int n = 0; n < length + END_LENGTH; n++) {
            int value = n < length ? code[n] & 0xff : n == length ? 0xcd : END_VECTOR;
            if (memory.read8(physical(begin + n)) != value) {
                memory.write8(physical(begin + n), value);
            }
        }
    }

    /**
     * Runs code of ring 0 until it writes to the end's port.
     *
     * @param rip where, linear
     * @param idt guest-physical address of its interrupt descriptor table
     */
    void runKernel(long rip, long idt) {
        VcpuState s = template;
        VcpuState.TableRegister usual = s.idtr;
        VcpuState.Segment stack = s.segments[VcpuState.SS];
        s.idtr = new VcpuState.TableRegister(KERNEL + idt, 0xfff);
        s.segments[VcpuState.CS] = KERNEL_CODE;
        s.segments[VcpuState.SS] = KERNEL_DATA;
        s.gpr[VcpuState.RSP] = KERNEL + KERNEL_STACK;
        s.rip = rip;
        s.rflags = 2;
        vcpu.setState(s);
        s.idtr = usual;
        s.segments[VcpuState.SS] = stack;
        watchdog.run();
    }

    private void load(UserState state, long begin, boolean as32) {
        VcpuState s = template;
        System.arraycopy(state.gpr, 0, s.gpr, 0, 16);
        s.rip = begin;
        s.rflags = state.flags | 0x202;
        s.segments[VcpuState.CS] = as32 ? CODE32 : CODE64;
        s.segments[VcpuState.DS] = as32 ? USER_DATA : unusable(0);
        s.segments[VcpuState.ES] = s.segments[VcpuState.DS];
        s.segments[VcpuState.FS] = unusable(state.fsBase);
        s.segments[VcpuState.GS] = unusable(state.gsBase);
        System.arraycopy(state.fpu, 0, s.xsave, 0, UserState.FPU_SIZE);
        s.xsave[UserState.XSTATE_BV] = (byte) components;
        vcpu.setState(s);
    }

    /** What a null selector leaves: only the base counts in 64-bit code. */
    private static VcpuState.Segment unusable(long base) {
        return new VcpuState.Segment(0, base, 0, 0);
    }

    private void store(UserState state, long end) {
        VcpuState s = vcpu.state();
        System.arraycopy(s.gpr, 0, state.gpr, 0, 16);
        System.arraycopy(s.xsave, 0, state.fpu, 0, UserState.FPU_SIZE);
        state.fsBase = s.segments[VcpuState.FS].base();
        state.gsBase = s.segments[VcpuState.GS].base();
        long frame = s.gpr[VcpuState.RSP] - KERNEL;
        int vector = (int) memory.read64(frame);
        state.rip = memory.read64(frame + 16);
        state.flags = memory.read64(frame + 32);
        state.gpr[VcpuState.RSP] = memory.read64(frame + 40);
        boolean ended = vector == END_VECTOR && state.rip == end + END_LENGTH;
        state.rip = ended ? end : state.rip;
        state.vector = ended ? UserState.NO_FAULT : vector;
        state.errorCode = ended ? 0 : memory.read64(frame + 8);
        state.faultAddress = state.vector == UserState.PAGE_FAULT ? s.cr2 : 0;
    }

    @Override
    public void close() {
        watchdog.close();
        vm.close();
        memory.close();
    }

    /** The port at which the handlers tell that the guest has come to its end. */
    private final class EndPort implements VcpuIo {
        @Override
        public int readPort(int port, int size) {
            return -1;
        }

        @Override
        public void writePort(int port, int size, int value) {
            vcpu.requestExit();
        }

        @Override
        public long readMmio(long gpa, int size) {
            return -1;
        }

        @Override
        public void writeMmio(long gpa, int size, long value) {}
    }
}
