package org.javisor.translator;

import java.util.Arrays;
import org.javisor.interpreter.GuestProcessor;
import org.javisor.x86.FpuState;
import org.javisor.x86.FxsaveImage;

/** A processor's registers as one of two sides leaves them. */
final class LockstepState {
    private static final int ARITHMETIC = 0x8d5, RF = 0x10000, ALL_MASKED = 0x1f80;
    private static final int FS = 4, GS = 5;
    static final String[] NAMES = {
        "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
        "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"
    };

    final long[] registers = new long[16];
    long rip;
    int flags;
    private int privilege;
    private long fsBase;
    private long gsBase;
    private long kernelGsBase;

    /** XMM, upper halves of YMM by register: four words each. */
    final long[] vectors = new long[64];

    private int mxcsr;
    private boolean x87Taken;
    private final FpuState x87 = new FpuState();
    private final byte[] image = new byte[512];

    /** What translated code has left. */
    void takeFrom(GuestProcessor processor, ProcessorBlock state, long newRip, boolean flagsSaved) {
        for (int n = 0; n < 16; n++) {
            registers[n] = state.get64(ProcessorBlock.register(n));
        }
        rip = newRip;
        int ax = state.get32(flagsSaved ? ProcessorBlock.SAVED_FLAGS : ProcessorBlock.FLAGS);
        flags =
                ax >>> 8 & 0xd5
                        | (ax & 1) << 11
                        | state.get32(ProcessorBlock.SYSTEM_FLAGS)
                        | state.get32(ProcessorBlock.INTERRUPT_FLAG);
        privilege = processor.privilegeLevel();
        fsBase = state.get64(ProcessorBlock.SEGMENT_BASE);
        gsBase = state.get64(ProcessorBlock.SEGMENT_BASE + 8);
        kernelGsBase = state.get64(ProcessorBlock.KERNEL_GS_BASE);
        for (int n = 0; n < 16; n++) {
            for (int part = 0; part < 4; part++) {
                vectors[4 * n + part] = state.get64(ProcessorBlock.vector(n) + 8 * part);
            }
        }
        mxcsr = state.get32(ProcessorBlock.MXCSR);
        x87Taken = state.get32(ProcessorBlock.X87_WANTED) != 0;
        if (x87Taken) {
            if (state.x87Initial()) {
                FxsaveImage.initialiseX87(x87);
            } else {
                state.getX87(image);
                Arrays.fill(image, 6, 24, (byte) 0);
                FxsaveImage.readX87(x87, image, true);
            }
        }
    }

    /** What the interpreter has left. */
    void takeFrom(GuestProcessor processor) {
        System.arraycopy(processor.registers(), 0, registers, 0, 16);
        rip = processor.rip();
        flags = (int) processor.flags();
        privilege = processor.privilegeLevel();
        fsBase = processor.segmentBase(FS);
        gsBase = processor.segmentBase(GS);
        kernelGsBase = processor.kernelGsBase();
        FpuState fpu = processor.fpu();
        for (int n = 0; n < 16; n++) {
            vectors[4 * n] = fpu.xmm[2 * n];
            vectors[4 * n + 1] = fpu.xmm[2 * n + 1];
            vectors[4 * n + 2] = fpu.ymmHigh[2 * n];
            vectors[4 * n + 3] = fpu.ymmHigh[2 * n + 1];
        }
        mxcsr = fpu.mxcsr;
        System.arraycopy(fpu.significand, 0, x87.significand, 0, 8);
        System.arraycopy(fpu.signExponent, 0, x87.signExponent, 0, 8);
        x87.control = fpu.control;
        x87.status = fpu.status;
        x87.top = fpu.top;
        x87.valid = fpu.valid;
    }

    /** The processor goes on with this, but for units, privilege and segments. */
    void giveTo(GuestProcessor processor) {
        System.arraycopy(registers, 0, processor.registers(), 0, 16);
        processor.setRip(rip);
        processor.setArithmeticFlags(flags & ARITHMETIC);
    }

    /** Lets some flags be what the other has. */
    void ignoreFlags(int mask, LockstepState other) {
        other.flags = other.flags & ~mask | flags & mask;
    }

    /** What differs, of general registers first, or nothing. */
    String difference(LockstepState other) {
        if (rip != other.rip) {
            return "RIP";
        }
        for (int n = 0; n < 16; n++) {
            if (registers[n] != other.registers[n]) {
                return NAMES[n];
            }
        }
        if (((flags ^ other.flags) & ~RF & ~2) != 0) {
            return "Flags";
        }
        if (privilege != other.privilege) {
            return "Privilege level";
        }
        if (fsBase != other.fsBase || gsBase != other.gsBase) {
            return "A segment's base";
        }
        if (kernelGsBase != other.kernelGsBase) {
            return "The kernel's GS base";
        }
        int vector = Arrays.mismatch(vectors, other.vectors);
        if (vector != -1) {
            return "ymm" + vector / 4;
        }
        boolean masked = (other.mxcsr & ALL_MASKED) == ALL_MASKED;
        if (masked && mxcsr != other.mxcsr) {
            return "MXCSR";
        }
        return x87Taken ? x87Difference(other.x87) : "";
    }

    private String x87Difference(FpuState other) {
        if (x87.control != other.control || x87.top != other.top || x87.valid != other.valid) {
            return "x87 control, top or tags";
        }
        if (x87.status != other.status) {
            return "x87 status";
        }
        for (int n = 0; n < 8; n++) {
            if (x87.significand[n] != other.significand[n]
                    || x87.signExponent[n] != other.signExponent[n]) {
                return "x87 register " + n;
            }
        }
        return "";
    }

    boolean x87Different(LockstepState other) {
        return x87Taken && !x87Difference(other.x87).isEmpty();
    }

    FpuState x87() {
        return x87;
    }

    int mxcsr() {
        return mxcsr;
    }
}
