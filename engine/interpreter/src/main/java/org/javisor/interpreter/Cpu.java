package org.javisor.interpreter;

import org.javisor.hypervisor.VcpuIo;
import org.javisor.x86.FpuState;
import org.javisor.x86.Instruction;
import org.javisor.x86.LittleEndian;
import org.javisor.x86.X87Unit;
import org.javisor.x86.XsaveImage;

/**
 * The architectural state of one processor and what instruction handlers do with it. Used by the
 * processor's own thread only.
 */
final class Cpu {
    static final int RAX = 0, RCX = 1, RDX = 2, RBX = 3, RSP = 4, RBP = 5, RSI = 6, RDI = 7;
    static final int ES = 0, CS = 1, SS = 2, DS = 3, FS = 4, GS = 5, LDTR = 6, TR = 7;

    final long[] gpr = new long[16];

    /**
     * While an instruction executes, the address after it; between instructions, that of the next
     * one.
     */
    long rip;

    final Flags flags = new Flags();
    final Segments segments = new Segments();
    final ControlRegisters control = new ControlRegisters();
    final ModelSpecificRegisters msr = new ModelSpecificRegisters();
    final DebugRegisters debug = new DebugRegisters();
    final FpuState fpu = new FpuState();
    final X87Unit x87 = new X87Unit(fpu);

    /** Where FXSAVE, XSAVE and the like put their images together. */
    final byte[] fpuArea = new byte[XsaveImage.FULL_SIZE];

    final RandomHandlers.Source random = new RandomHandlers.Source();
    final Mmu mmu;
    final InterpreterVcpu vcpu;

    /** What CPUID offers, as far as it makes a difference. */
    Extensions extensions = Extensions.ALL;

    /** Privilege level, 0 to 3; kept beside SS.DPL because it is asked for often. */
    int cpl;

    /** CS.L in long mode: 64-bit code. */
    boolean code64;

    /** Result of the 128-bit loads. */
    long lo;

    long hi;

    /** The upper half of the 256-bit loads. */
    long lo2;

    long hi2;

    /**
     * Between {@link #rmwLoad} and {@link #rmwStore}: the operand's host address, or 0 for the slow
     * way.
     */
    private long rmwHost;

    private long rmwLinear;

    /**
     * How many instructions of the current block are to be executed: a handler that changes what
     * following instructions mean sets it to 0, which ends the block after the handler's
     * instruction.
     */
    int blockEnd;

    /** The SSE unit may be used now: CR0.EM and CR0.TS clear, CR4.OSFXSR set. */
    boolean sseReady;

    /** VEX-encoded vector instructions may be used now: the above, CR4.OSXSAVE, XCR0, CR0.PE. */
    boolean avxReady;

    /**
     * An instruction works on several lanes one by one and its exceptions are not yet all known.
     */
    boolean settleLater;

    /** PAUSEs carried out. */
    int pauses;

    /**
     * @param io takes accesses to memory that is no RAM
     */
    Cpu(InterpreterVcpu vcpu, InterpreterVm vm, VcpuIo io) {
        this.vcpu = vcpu;
        this.mmu = new Mmu(this, vm, io);
    }

    /** Ends the block after the current instruction. */
    void endBlock() {
        blockEnd = 0;
    }

    /** Whether the current instruction is the block's last because something demands attention. */
    boolean blockEnds() {
        return blockEnd == 0;
    }

    // Units

    void requireSse() {
        if (!sseReady) {
            throw control.emulatedFpu() || !control.osFxsr()
                    ? GuestFault.ud()
                    : GuestFault.of(GuestFault.NM);
        }
    }

    void requireAvx() {
        if (!avxReady || !code64 && (flags.system & Flags.VM) != 0) {
            refuseAvx();
        }
    }

    private void refuseAvx() {
        boolean enabled = control.avxEnabled() && (flags.system & Flags.VM) == 0;
        throw enabled && (control.cr0 & ControlRegisters.CR0_TS) != 0
                ? GuestFault.of(GuestFault.NM)
                : GuestFault.ud();
    }

    /** VEX encodings of general-register instructions exist in protected mode only. */
    void requireVex() {
        if (!code64 && (!control.protectedMode() || (flags.system & Flags.VM) != 0)) {
            throw GuestFault.ud();
        }
    }

    void requireFpu() {
        if ((control.cr0 & (ControlRegisters.CR0_EM | ControlRegisters.CR0_TS)) != 0) {
            throw GuestFault.of(GuestFault.NM);
        }
    }

    void requireMmx() {
        if (control.emulatedFpu()) {
            throw GuestFault.ud();
        }
        if ((control.cr0 & ControlRegisters.CR0_TS) != 0) {
            throw GuestFault.of(GuestFault.NM);
        }
        X87Handlers.checkPending(this);
    }

    void requireCpl0() {
        if (cpl != 0) {
            throw GuestFault.gp0();
        }
    }

    // Addresses

    /** Offset of the memory operand in its segment, cut to the address size. */
    long effectiveAddress(Instruction i) {
        long address = i.disp;
        int base = i.base;
        if (base >= 0) {
            address += base == Instruction.RIP ? rip : gpr[base];
        }
        if (i.index >= 0) {
            address += gpr[i.index] << i.scale;
        }
        int size = i.addressSize;
        if (size == 8) {
            return address;
        }
        return size == 4 ? address & 0xffffffffL : address & 0xffff;
    }

    long linearAddress(Instruction i) {
        return linearAddress(i, 0, i.memorySize == 0 ? 1 : i.memorySize, false);
    }

    /**
     * The linear address of {@code size} bytes, {@code disp} bytes into the operand, after the
     * segment's checks.
     */
    private long linearAddress(Instruction i, long disp, int size, boolean write) {
        long offset = effectiveAddress(i) + disp;
        if (code64) {
            return i.segment >= FS ? segments.base[i.segment] + offset : offset;
        }
        return segments.linear(this, i.segment, offset, size, write);
    }

    /** As above for an implicit operand; the offset is already cut to the address size. */
    long linear(int segment, long offset, int size, boolean write) {
        if (code64) {
            return segment >= FS ? segments.base[segment] + offset : offset;
        }
        return segments.linear(this, segment, offset, size, write);
    }

    /**
     * Raises #GP(0) unless the memory operand lies on a multiple of {@code alignment}, a power of
     * two.
     */
    void checkAligned(Instruction i, int alignment) {
        if ((linearAddress(i, 0, alignment, false) & (alignment - 1)) != 0) {
            throw GuestFault.gp0();
        }
    }

    // Loads and stores of the instruction's memory operand

    int load8(Instruction i) {
        return mmu.read8(linearAddress(i, 0, 1, false));
    }

    int load16(Instruction i) {
        return mmu.read16(linearAddress(i, 0, 2, false));
    }

    int load32(Instruction i) {
        return mmu.read32(linearAddress(i, 0, 4, false));
    }

    long load64(Instruction i) {
        return mmu.read64(linearAddress(i, 0, 8, false));
    }

    int load8(Instruction i, long disp) {
        return mmu.read8(linearAddress(i, disp, 1, false));
    }

    int load16(Instruction i, long disp) {
        return mmu.read16(linearAddress(i, disp, 2, false));
    }

    int load32(Instruction i, long disp) {
        return mmu.read32(linearAddress(i, disp, 4, false));
    }

    long load64(Instruction i, long disp) {
        return mmu.read64(linearAddress(i, disp, 8, false));
    }

    /** Loads 16 bytes into {@link #lo} and {@link #hi}. */
    void load128(Instruction i) {
        long linear = linearAddress(i, 0, 16, false);
        lo = mmu.read64(linear);
        hi = mmu.read64(linear + 8);
    }

    /** Loads 32 bytes into {@link #lo} to {@link #hi2}. */
    void load256(Instruction i) {
        long linear = linearAddress(i, 0, 32, false);
        lo = mmu.read64(linear);
        hi = mmu.read64(linear + 8);
        lo2 = mmu.read64(linear + 16);
        hi2 = mmu.read64(linear + 24);
    }

    void store8(Instruction i, int value) {
        mmu.write8(linearAddress(i, 0, 1, true), value);
    }

    void store16(Instruction i, int value) {
        mmu.write16(linearAddress(i, 0, 2, true), value);
    }

    void store32(Instruction i, int value) {
        mmu.write32(linearAddress(i, 0, 4, true), value);
    }

    void store64(Instruction i, long value) {
        mmu.write64(linearAddress(i, 0, 8, true), value);
    }

    void store8(Instruction i, long disp, int value) {
        mmu.write8(linearAddress(i, disp, 1, true), value);
    }

    void store16(Instruction i, long disp, int value) {
        mmu.write16(linearAddress(i, disp, 2, true), value);
    }

    void store32(Instruction i, long disp, int value) {
        mmu.write32(linearAddress(i, disp, 4, true), value);
    }

    void store64(Instruction i, long disp, long value) {
        mmu.write64(linearAddress(i, disp, 8, true), value);
    }

    void store128(Instruction i, long low, long high) {
        long linear = linearAddress(i, 0, 16, true);
        if ((linear & 0xfff) > 0xff0) {
            mmu.checkWritable(linear, 16);
        }
        mmu.write64(linear, low);
        mmu.write64(linear + 8, high);
    }

    void store256(Instruction i, long first, long second, long third, long fourth) {
        long linear = linearAddress(i, 0, 32, true);
        if ((linear & 0xfff) > 0xfe0) {
            mmu.checkWritable(linear, 32);
        }
        mmu.write64(linear, first);
        mmu.write64(linear + 8, second);
        mmu.write64(linear + 16, third);
        mmu.write64(linear + 24, fourth);
    }

    void loadBytes(Instruction i, byte[] target, int length) {
        long linear = linearAddress(i, 0, length, false);
        mmu.checkReadable(linear, length);
        int n = 0;
        for (; n <= length - 8; n += 8) {
            LittleEndian.put64(target, n, mmu.read64(linear + n));
        }
        for (; n < length; n++) {
            target[n] = (byte) mmu.read8(linear + n);
        }
    }

    void storeBytes(Instruction i, byte[] source, int length) {
        long linear = linearAddress(i, 0, length, true);
        mmu.checkWritable(linear, length);
        int n = 0;
        for (; n <= length - 8; n += 8) {
            mmu.write64(linear + n, LittleEndian.get64(source, n));
        }
        for (; n < length; n++) {
            mmu.write8(linear + n, source[n] & 0xff);
        }
    }

    /** Faults as a store to the memory operand would, without storing. */
    void checkWritable(Instruction i) {
        mmu.checkWritable(linearAddress(i, 0, i.memorySize, true), i.memorySize);
    }

    void checkWritable(Instruction i, long disp, int size) {
        mmu.checkWritable(linearAddress(i, disp, size, true), size);
    }

    // Memory operands with a vector of indices, one element at a time

    int load32Indexed(Instruction i, long index) {
        return mmu.read32(linear(i.segment, indexedAddress(i, index), 4, false));
    }

    long load64Indexed(Instruction i, long index) {
        return mmu.read64(linear(i.segment, indexedAddress(i, index), 8, false));
    }

    private long indexedAddress(Instruction i, long index) {
        long base = i.base >= 0 ? gpr[i.base] : 0;
        return base + (index << i.scale) + i.disp & mask(i.addressSize);
    }

    // Implicit operands

    int load8(int segment, long offset) {
        return mmu.read8(linear(segment, offset, 1, false));
    }

    int load16(int segment, long offset) {
        return mmu.read16(linear(segment, offset, 2, false));
    }

    int load32(int segment, long offset) {
        return mmu.read32(linear(segment, offset, 4, false));
    }

    long load64(int segment, long offset) {
        return mmu.read64(linear(segment, offset, 8, false));
    }

    void store8(int segment, long offset, int value) {
        mmu.write8(linear(segment, offset, 1, true), value);
    }

    void store16(int segment, long offset, int value) {
        mmu.write16(linear(segment, offset, 2, true), value);
    }

    void store32(int segment, long offset, int value) {
        mmu.write32(linear(segment, offset, 4, true), value);
    }

    void store64(int segment, long offset, long value) {
        mmu.write64(linear(segment, offset, 8, true), value);
    }

    /** A memory operand of 1, 2, 4 or 8 bytes, zero-extended. */
    long load(Instruction i, int size) {
        return mmu.read(linearAddress(i, 0, size, false), size);
    }

    void store(Instruction i, int size, long value) {
        mmu.write(linearAddress(i, 0, size, true), size, value);
    }

    // Read-modify-write

    /**
     * Loads an operand that {@link #rmwStore} will write; faults as a write does. Zero-extended.
     */
    long rmwLoad(Instruction i, int size) {
        return rmwLoadAt(linearAddress(i, 0, size, true), size);
    }

    long rmwLoadAt(long linear, int size) {
        rmwLinear = linear;
        long host = mmu.writableHost(linear, size);
        rmwHost = host;
        if (host == 0) {
            mmu.checkWritable(linear, size);
            return mmu.read(linear, size);
        }
        return Mmu.readHost(host, size);
    }

    /**
     * Completes what {@link #rmwLoad} began. With a LOCK prefix (or XCHG) the write happens only if
     * the operand still is what was loaded.
     *
     * @return false if another processor was faster: load and compute again
     */
    boolean rmwStore(int size, boolean locked, long loaded, long value) {
        if (locked && mmu.sharedMemory()) {
            return mmu.locked().compareAndSet(rmwLinear, rmwHost, size, loaded, value);
        }
        if (rmwHost == 0) {
            mmu.write(rmwLinear, size, value);
        } else {
            Mmu.writeHost(rmwHost, size, value);
        }
        return true;
    }

    // General registers

    /** Register operand of 1, 2, 4 or 8 bytes, zero-extended. */
    long register(int kind, int number, int size) {
        if (kind == Instruction.GPR_HIGH) {
            return gpr[number] >>> 8 & 0xff;
        }
        return gpr[number] & mask(size);
    }

    /**
     * Writes a register operand: 32-bit writes clear the upper half, 8- and 16-bit writes keep the
     * rest.
     */
    void setRegister(int kind, int number, int size, long value) {
        if (kind == Instruction.GPR_HIGH) {
            gpr[number] = gpr[number] & ~0xff00L | (value & 0xff) << 8;
        } else if (size == 8) {
            gpr[number] = value;
        } else if (size == 4) {
            gpr[number] = value & 0xffffffffL;
        } else {
            long mask = mask(size);
            gpr[number] = gpr[number] & ~mask | value & mask;
        }
    }

    static long mask(int size) {
        return size == 8 ? -1L : (1L << (size << 3)) - 1;
    }

    /** First operand, register or memory, zero-extended. */
    long operand0(Instruction i, int size) {
        return i.kind0 == Instruction.MEM ? load(i, size) : register(i.kind0, i.reg0, size);
    }

    void setOperand0(Instruction i, int size, long value) {
        if (i.kind0 == Instruction.MEM) {
            store(i, size, value);
        } else {
            setRegister(i.kind0, i.reg0, size, value);
        }
    }

    /** Second operand: register, memory or immediate. */
    long operand1(Instruction i, int size) {
        return switch (i.kind1) {
            case Instruction.MEM -> load(i, size);
            case Instruction.IMM -> i.imm & mask(size);
            default -> register(i.kind1, i.reg1, size);
        };
    }

    // Stack

    /** The stack pointer's width in bytes: 8 in 64-bit code, else by SS.B. */
    int stackSize() {
        return code64 ? 8 : segments.stack32() ? 4 : 2;
    }

    long stackPointer() {
        return gpr[RSP] & mask(stackSize());
    }

    void setStackPointer(long value) {
        int size = stackSize();
        gpr[RSP] = size == 2 ? gpr[RSP] & ~0xffffL | value & 0xffff : value & mask(size);
    }

    void push(int size, long value) {
        if (code64) {
            long top = gpr[RSP] - size;
            mmu.writeStack(top, size, value);
            gpr[RSP] = top;
            return;
        }
        long top = stackPointer() - size & mask(stackSize());
        mmu.write(segments.linear(this, SS, top, size, true), size, value);
        setStackPointer(top);
    }

    long pop(int size) {
        if (code64) {
            long value = mmu.readStack(gpr[RSP], size);
            gpr[RSP] += size;
            return value;
        }
        long value = peek(size, 0);
        setStackPointer(stackPointer() + size);
        return value;
    }

    /** Reads the stack {@code depth} bytes above its top without moving it. */
    long peek(int size, long depth) {
        if (code64) {
            return mmu.readStack(gpr[RSP] + depth, size);
        }
        long offset = stackPointer() + depth & mask(stackSize());
        return mmu.read(segments.linear(this, SS, offset, size, false), size);
    }

    // Control transfer

    /** A near jump: cuts the target to the operand size and checks it. */
    void jump(long target, int operandSize) {
        if (code64) {
            if (target << 16 >> 16 != target) {
                throw GuestFault.gp0();
            }
            rip = target;
            return;
        }
        long offset = target & mask(operandSize);
        if (Long.compareUnsigned(offset, segments.limit[CS]) > 0) {
            throw GuestFault.gp0();
        }
        rip = offset;
    }

    // Flags, in the shape other handlers want them

    /** The low RFLAGS bits: CF 1, PF 4, AF 10h, ZF 40h, SF 80h, OF 800h and the system flags. */
    int flags() {
        return (int) flags.value();
    }

    void setFlags(int mask, int bits) {
        flags.setArithmetic(flags.arithmetic() & ~mask | bits & mask);
    }
}
