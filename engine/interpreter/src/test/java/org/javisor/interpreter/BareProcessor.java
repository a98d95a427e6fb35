package org.javisor.interpreter;

import java.util.ArrayList;
import java.util.List;
import org.javisor.hypervisor.VcpuIo;
import org.javisor.memory.GuestMemory;
import org.javisor.testkit.FakeClock;
import org.javisor.x86.CodeSize;
import org.javisor.x86.Decoder;
import org.javisor.x86.Instruction;

/**
 * A processor without a run loop, for handlers alone: 1 MiB of RAM from an address of choice,
 * paging off until {@link #enablePaging}.
 */
final class BareProcessor implements VcpuIo, AutoCloseable {
    private static final int FLAT_DATA = 0xc093, FLAT_CODE = 0xc09b;

    private static final long PAGE_TABLE = 0x13000;

    final GuestMemory memory;
    final Mmu mmu;
    final Cpu cpu;

    /** What was written to ports, as port, size, value. */
    final List<List<Integer>> portWrites = new ArrayList<>();

    int portReads;

    /** A write to any port ends {@link InterpreterVcpu#run}. */
    boolean exitOnPortWrite;

    private final InterpreterVm vm;

    private final Decoder decoder = new Decoder();

    BareProcessor() {
        this(0);
    }

    BareProcessor(long ramBase) {
        memory = GuestMemory.allocate(List.of(new GuestMemory.Range(ramBase, 1 << 20)));
        vm = new InterpreterVm(memory, new FakeClock());
        InterpreterVcpu vcpu = (InterpreterVcpu) vm.createVcpu(0, Identification.table(), this);
        cpu = vcpu.cpu();
        mmu = cpu.mmu;
        enter(CodeSize.BITS64);
    }

    void enter(CodeSize size) {
        cpu.code64 = size == CodeSize.BITS64;
        cpu.control.cr0 = size == CodeSize.BITS16 ? 0 : ControlRegisters.CR0_PE;
        for (int n = 0; n < 6; n++) {
            if (size == CodeSize.BITS16) {
                cpu.segments.set(n, 0, 0, 0xffff, 0x93);
            } else {
                cpu.segments.set(n, 0, 0, 0xffffffffL, n == Cpu.CS ? FLAT_CODE : FLAT_DATA);
            }
        }
        mmu.updateContext();
    }

    /** Executed by {@link InterpreterVcpu#run}. */
    long instructions() {
        return vm.statistics().instructions();
    }

    /**
     * Long mode, with all of the RAM (from 0) mapped where it is. The tables lie from 10000h on.
     */
    void enablePaging() {
        memory.write64(0x10000, 0x11000 | 7);
        memory.write64(0x11000, 0x12000 | 7);
        memory.write64(0x12000, PAGE_TABLE | 7);
        for (int n = 0; n < 256; n++) {
            memory.write64(PAGE_TABLE + 8 * n, n << 12 | 7);
        }
        cpu.control.cr3 = 0x10000;
        cpu.control.cr4 = ControlRegisters.CR4_PAE;
        cpu.control.efer = ControlRegisters.EFER_LMA;
        cpu.control.cr0 =
                ControlRegisters.CR0_PE | ControlRegisters.CR0_PG | ControlRegisters.CR0_WP;
        mmu.flushAll();
        mmu.updateContext();
    }

    /** Takes rights (1 present, 2 writable) from the page that holds an address. */
    void revoke(long address, int rights) {
        long entry = PAGE_TABLE + (address >>> 12) * 8;
        memory.write64(entry, memory.read64(entry) & ~(long) rights);
        mmu.flushAll();
    }

    private CodeSize size() {
        if (cpu.code64) {
            return CodeSize.BITS64;
        }
        return cpu.control.protectedMode() ? CodeSize.BITS32 : CodeSize.BITS16;
    }

    /** Executes the bytes as if they were at {@code address}, until control leaves them. */
    void run(long address, byte[] code, int length) {
        runCounting(address, code, length);
    }

    /** Returns how often a handler was called. */
    private int runCounting(long address, byte[] code, int length) {
        int executions = 0;
        cpu.rip = address;
        while (cpu.rip >= address && cpu.rip < address + length) {
            int offset = (int) (cpu.rip - address);
            Instruction i = decoder.decode(code, offset, length - offset, size());
            Handler handler = i == null ? null : IntegerHandlers.select(i);
            if (handler == null) {
                throw new IllegalArgumentException(
                        "Not an integer instruction: " + (i == null ? "cut off" : i.op));
            }
            executions++;
            cpu.blockEnd = 1;
            cpu.rip += i.length;
            try {
                handler.execute(cpu, i);
            } catch (GuestFault fault) {
                cpu.rip -= i.length;
                throw fault;
            }
        }
        return executions;
    }

    /** As above, from address 1000h. */
    void run(int... code) {
        runCounting(code);
    }

    int runCounting(int... code) {
        byte[] bytes = new byte[code.length];
        for (int n = 0; n < code.length; n++) {
            bytes[n] = (byte) code[n];
        }
        return runCounting(0x1000, bytes, bytes.length);
    }

    @Override
    public int readPort(int port, int size) {
        portReads++;
        return port * 0x11111111 & (int) Cpu.mask(size);
    }

    @Override
    public void writePort(int port, int size, int value) {
        portWrites.add(List.of(port, size, value));
        if (exitOnPortWrite) {
            cpu.vcpu.requestExit();
        }
    }

    @Override
    public long readMmio(long gpa, int size) {
        throw new AssertionError("Read outside RAM at " + Long.toHexString(gpa));
    }

    @Override
    public void writeMmio(long gpa, int size, long value) {
        throw new AssertionError("Write outside RAM at " + Long.toHexString(gpa));
    }

    @Override
    public void close() {
        memory.close();
    }
}
