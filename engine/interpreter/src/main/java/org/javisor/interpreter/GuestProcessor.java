package org.javisor.interpreter;

import org.javisor.memory.GuestMemory;
import org.javisor.x86.FpuState;
import org.javisor.x86.Instruction;

/**
 * A processor as its {@link CodeRunner} sees it. For the processor's own thread.
 *
 * <p>Where a guest's exception comes up, these methods throw; the runner lets that pass.
 */
public final class GuestProcessor {
    private final InterpreterVcpu vcpu;
    private final Cpu cpu;
    private final Mmu mmu;

    /** Of the last translation that failed. */
    private GuestFault fault = GuestFault.ud();

    GuestProcessor(InterpreterVcpu vcpu, Cpu cpu) {
        this.vcpu = vcpu;
        this.cpu = cpu;
        this.mmu = cpu.mmu;
    }

    /** An instruction with the interpreter's way of carrying it out, found when it is needed. */
    public static final class Prepared {
        private final Instruction instruction;

        /** Found twice, maybe, by processors that need it at once; they have the same. */
        private Operation operation;

        public Prepared(Instruction instruction) {
            this.instruction = instruction;
        }

        public Instruction instruction() {
            return instruction;
        }
    }

    /** Whether the processor's CPUID offers what an instruction is part of. */
    public boolean offers(Instruction instruction) {
        return cpu.extensions.include(instruction);
    }

    public int index() {
        return vcpu.index();
    }

    // Registers

    /** The live array of the 16 general registers. */
    public long[] registers() {
        return cpu.gpr;
    }

    public long rip() {
        return cpu.rip;
    }

    public void setRip(long rip) {
        cpu.rip = rip;
    }

    /** RFLAGS. */
    public long flags() {
        return cpu.flags.value();
    }

    /** The six arithmetic flags at their places in RFLAGS. */
    public void setArithmeticFlags(int bits) {
        cpu.flags.setArithmetic(bits);
    }

    /** Takes over the system flags and DF; RF stays. */
    public void setSystemFlags(int bits) {
        int before = cpu.flags.system;
        int now = bits | before & Flags.RF;
        if (now != before) {
            cpu.flags.system = now;
            if (((before ^ now) & Flags.IF) != 0) {
                vcpu.events().updateMask();
            }
            if (((before ^ now) & Flags.AC) != 0) {
                mmu.updateContext();
            }
        }
    }

    public FpuState fpu() {
        return cpu.fpu;
    }

    public long segmentBase(int segment) {
        return cpu.segments.base[segment];
    }

    public void setSegmentBase(int segment, long base) {
        cpu.segments.base[segment] = base;
    }

    /** IA32_KERNEL_GS_BASE. */
    public long kernelGsBase() {
        return cpu.msr.kernelGsBase;
    }

    public void setKernelGsBase(long base) {
        cpu.msr.kernelGsBase = base;
    }

    /** IA32_EFER.SCE: SYSCALL and SYSRET are on. */
    public boolean systemCallsEnabled() {
        return (cpu.control.efer & ControlRegisters.EFER_SCE) != 0;
    }

    /** IA32_LSTAR. */
    public long systemCallTarget() {
        return cpu.msr.lstar;
    }

    /** IA32_FMASK. */
    public long systemCallFlagMask() {
        return cpu.msr.fmask;
    }

    /** Takes over the segments and the privilege that SYSCALL leads to. */
    public void enterKernel() {
        FarTransfers.enterKernel(cpu);
    }

    /** Those that SYSRET leads to in 64-bit code. */
    public void returnToUser() {
        FarTransfers.returnToUser(cpu);
    }

    /** CR4.SMAP. */
    public boolean smapOn() {
        return cpu.control.has4(ControlRegisters.CR4_SMAP);
    }

    /** 0 to 3. */
    public int privilegeLevel() {
        return cpu.cpl;
    }

    /** Whether supervisor accesses to user pages are allowed. */
    public boolean smapSuspended() {
        return !cpu.control.has4(ControlRegisters.CR4_SMAP) || cpu.flags.has(Flags.AC);
    }

    /** Whether SSE instructions can be used without an exception that says the unit is off. */
    public boolean sseReady() {
        return cpu.sseReady;
    }

    /** The same for AVX instructions. */
    public boolean avxReady() {
        return cpu.avxReady;
    }

    // Memory

    public GuestMemory memory() {
        return mmu.memory();
    }

    /**
     * Walks the page tables for a data access at the current privilege.
     *
     * @return the guest-physical address, or -1 if the access would fault; see {@link
     *     #raisePageFault}
     */
    public long translate(long linear, boolean write) {
        try {
            return mmu.walk(linear, write);
        } catch (GuestFault found) {
            fault = found;
            return -1;
        }
    }

    /** Whether it was for a page fault that {@link #translate} refused its last access. */
    public boolean pageFaultFound() {
        return fault.vector == GuestFault.PF;
    }

    /** Lets the guest have that page fault, at the instruction at RIP. */
    public void raisePageFault() {
        vcpu.raise(fault);
    }

    /** Walks the page tables for an instruction fetch. */
    public long translateFetch(long linear) {
        return mmu.walkFetch(linear);
    }

    /** Of the last walk: the page may be written without another walk. */
    public boolean walkedWritable() {
        return mmu.walker().writable();
    }

    /** Of the last walk: it is a global page. */
    public boolean walkedGlobal() {
        return mmu.walker().global();
    }

    /** Of the last walk: the page's size as a shift. */
    public int walkedShift() {
        return mmu.walker().pageShift();
    }

    /**
     * Waits until the stores are over that other processors are in the middle of; to be called
     * without any lock, after a page became tracked and before its bytes are read.
     */
    public void awaitStores() {
        mmu.awaitStores();
    }

    /** To compare what the runner does with what the interpreter would. */
    public Replay replay() {
        return new Replay(vcpu, cpu, mmu);
    }

    // Time

    /** Whether RDTSC and RDTSCP can be executed: CR4.TSD keeps them from user code. */
    public boolean timestampsReadable() {
        return cpu.cpl == 0 || !cpu.control.has4(ControlRegisters.CR4_TSD);
    }

    public long timestamp() {
        return vcpu.tsc();
    }

    /** IA32_TSC_AUX. */
    public long timestampAuxiliary() {
        return cpu.msr.tscAux;
    }

    // Running

    /** Whether the runner has to return before the next instruction. */
    public boolean demandsAttention() {
        return vcpu.demandsAttention();
    }

    /** Whether an event is posted, be it held off by IF. */
    public boolean eventPosted() {
        return vcpu.attention().anyPosted();
    }

    /** Carries out the instruction that begins at RIP. */
    public void interpret(Prepared prepared) {
        Operation operation = prepared.operation;
        if (operation == null) {
            operation = vcpu.operation(prepared.instruction);
            prepared.operation = operation;
        }
        vcpu.interpret(prepared.instruction, operation);
    }

    /** Carries out the instruction at RIP, fetched anew. */
    public void interpretNext() {
        vcpu.interpretNext();
    }

    /** A jump to an address that is not canonical. */
    public RuntimeException generalProtection() {
        return GuestFault.gp0();
    }
}
