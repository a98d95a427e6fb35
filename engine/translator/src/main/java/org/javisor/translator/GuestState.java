package org.javisor.translator;

import java.util.Arrays;
import org.javisor.interpreter.GuestProcessor;
import org.javisor.x86.FpuState;
import org.javisor.x86.FxsaveImage;

/**
 * Carries a processor's state between the interpreter, whose it is, and the {@link ProcessorBlock},
 * which translated code begins with and leaves it in. The registers of the floating-point units go
 * over when they are needed only.
 */
final class GuestState {
    private static final int IF = 0x200, DF = 0x400, RF = 0x10000, ARITHMETIC = 0x8d5;
    private static final int ALL_MASKED = 0x1f80;

    /** The flags that SYSCALL has to clear for its handler to begin with none but bit 1. */
    private static final int KERNEL_MASKS = 0x247fd5;

    private static final int X87_MASKS = 0x3f, X87_SUMMARY = 0x80;
    private static final int GS = 5, FS = 4;

    private final GuestProcessor processor;
    private final ProcessorBlock state;
    private final byte[] x87Image = new byte[512];
    private boolean unitsInBlock;

    /** The guest wants SSE exceptions: while that is so, translated code uses no SSE. */
    private boolean exceptionsUnmasked;

    private boolean downwards;

    GuestState(GuestProcessor processor, ProcessorBlock state) {
        this.processor = processor;
        this.state = state;
    }

    /** DF was set in the state taken last: everything is interpreted. */
    boolean downwards() {
        return downwards;
    }

    /** Whether the SSE registers are those in the block. */
    boolean unitsInBlock() {
        return unitsInBlock;
    }

    /** The SSE registers in the block are not to be used any more. */
    void unitsLeftBlock() {
        unitsInBlock = false;
    }

    /** From the interpreter to the block; the result is the {@link Context}. */
    int take() {
        long[] registers = processor.registers();
        for (int n = 0; n < 16; n++) {
            state.put64(ProcessorBlock.register(n), registers[n]);
        }
        int flags = (int) processor.flags();
        state.put32(ProcessorBlock.FLAGS, (flags & 0xff) << 8 | flags >>> 11 & 1);
        downwards = (flags & DF) != 0;
        state.put32(ProcessorBlock.INTERRUPT_FLAG, flags & IF);
        state.put32(ProcessorBlock.SYSTEM_FLAGS, flags & ~(ARITHMETIC | IF | RF));
        state.put64(ProcessorBlock.SEGMENT_BASE, processor.segmentBase(FS));
        state.put64(ProcessorBlock.SEGMENT_BASE + 8, processor.segmentBase(GS));
        state.put32(ProcessorBlock.NOTHING_HELD, processor.eventPosted() ? 0 : 1);
        state.put64(ProcessorBlock.KERNEL_GS_BASE, processor.kernelGsBase());
        boolean calls = processor.systemCallsEnabled();
        boolean smap = processor.smapOn();
        state.put32(ProcessorBlock.SYSRET_ON, calls ? 1 : 0);
        state.put32(ProcessorBlock.SMAP_ON, smap ? 1 : 0);
        boolean plain =
                calls && smap && (processor.systemCallFlagMask() & KERNEL_MASKS) == KERNEL_MASKS;
        state.put64(ProcessorBlock.SYSCALL_TARGET, plain ? processor.systemCallTarget() : 0);
        int context =
                processor.privilegeLevel() == 3
                        ? Context.USER
                        : processor.smapSuspended()
                                ? Context.SUPERVISOR_SMAP_OFF
                                : Context.SUPERVISOR;
        if (!unitsUsable()) {
            context += Context.UNITS_OFF;
        } else if (!processor.avxReady()) {
            context += Context.AVX_OFF;
        }
        return context;
    }

    private boolean unitsUsable() {
        boolean unmasked =
                unitsInBlock
                        ? exceptionsUnmasked
                        : (processor.fpu().mxcsr & ALL_MASKED) != ALL_MASKED;
        return processor.sseReady() && !unmasked;
    }

    void give(boolean flagsSaved) {
        long[] registers = processor.registers();
        for (int n = 0; n < 16; n++) {
            registers[n] = state.get64(ProcessorBlock.register(n));
        }
        processor.setSegmentBase(GS, state.get64(ProcessorBlock.SEGMENT_BASE + 8));
        processor.setKernelGsBase(state.get64(ProcessorBlock.KERNEL_GS_BASE));
        int ax = state.get32(flagsSaved ? ProcessorBlock.SAVED_FLAGS : ProcessorBlock.FLAGS);
        processor.setArithmeticFlags(ax >>> 8 & 0xd5 | (ax & 1) << 11);
        giveSystemFlags();
    }

    void giveSystemFlags() {
        processor.setSystemFlags(
                state.get32(ProcessorBlock.SYSTEM_FLAGS)
                        | state.get32(ProcessorBlock.INTERRUPT_FLAG));
    }

    /** What translated code did to privilege and flags, before page tables are walked. */
    void givePrivilege() {
        int change = state.get32(ProcessorBlock.PRIVILEGE);
        if (change != 0) {
            state.put32(ProcessorBlock.PRIVILEGE, 0);
            if (change == ProcessorBlock.ENTERED_KERNEL) {
                processor.enterKernel();
            } else {
                processor.returnToUser();
            }
        }
        giveSystemFlags();
    }

    void takeUnits() {
        FpuState fpu = processor.fpu();
        for (int n = 0; n < 16; n++) {
            state.put64(ProcessorBlock.vector(n), fpu.xmm[2 * n]);
            state.put64(ProcessorBlock.vector(n) + 8, fpu.xmm[2 * n + 1]);
            state.put64(ProcessorBlock.vector(n) + 16, fpu.ymmHigh[2 * n]);
            state.put64(ProcessorBlock.vector(n) + 24, fpu.ymmHigh[2 * n + 1]);
        }
        exceptionsUnmasked = (fpu.mxcsr & ALL_MASKED) != ALL_MASKED;
        state.put32(ProcessorBlock.MXCSR, fpu.mxcsr | ALL_MASKED);
        unitsInBlock = true;
    }

    /**
     * Lets the host's x87 registers be the guest's from the next entry on.
     *
     * @return false if the guest wants its exceptions, or has one pending
     */
    boolean takeX87() {
        FpuState fpu = processor.fpu();
        if ((fpu.control & X87_MASKS) != X87_MASKS || (fpu.status & X87_SUMMARY) != 0) {
            return false;
        }
        FxsaveImage.writeX87(fpu, x87Image, true);
        // Pointers to the last instruction are kept for exceptions, of which there are none here.
        Arrays.fill(x87Image, 6, 24, (byte) 0);
        state.putX87(x87Image);
        state.put32(ProcessorBlock.X87_WANTED, 1);
        return true;
    }

    private void takeBackX87() {
        if (state.get32(ProcessorBlock.X87_WANTED) == 0) {
            return;
        }
        FpuState fpu = processor.fpu();
        if (state.x87Initial()) {
            FxsaveImage.initialiseX87(fpu);
        } else {
            state.getX87(x87Image);
            Arrays.fill(x87Image, 6, 24, (byte) 0);
            FxsaveImage.readX87(fpu, x87Image, true);
        }
        state.put32(ProcessorBlock.X87_WANTED, 0);
    }

    void takeBackUnits() {
        takeBackX87();
        if (!unitsInBlock) {
            return;
        }
        FpuState fpu = processor.fpu();
        for (int n = 0; n < 16; n++) {
            fpu.xmm[2 * n] = state.get64(ProcessorBlock.vector(n));
            fpu.xmm[2 * n + 1] = state.get64(ProcessorBlock.vector(n) + 8);
            fpu.ymmHigh[2 * n] = state.get64(ProcessorBlock.vector(n) + 16);
            fpu.ymmHigh[2 * n + 1] = state.get64(ProcessorBlock.vector(n) + 24);
        }
        if (!exceptionsUnmasked) {
            fpu.mxcsr = state.get32(ProcessorBlock.MXCSR);
        }
        unitsInBlock = false;
    }
}
