package org.javisor.x86;

import static org.javisor.x86.LittleEndian.get16;
import static org.javisor.x86.LittleEndian.get32;
import static org.javisor.x86.LittleEndian.get64;
import static org.javisor.x86.LittleEndian.put16;
import static org.javisor.x86.LittleEndian.put32;
import static org.javisor.x86.LittleEndian.put64;

/**
 * The 512-byte area of FXSAVE and FXRSTOR, which is also the legacy region of the XSAVE area (Intel
 * SDM vol. 1, 10.5.1). Bytes 416 to 511 are neither written nor read.
 */
public final class FxsaveImage {
    /** FSW.ES: an unmasked exception is pending. */
    private static final int ERROR_SUMMARY = 0x80;

    /** Bytes of the area. */
    public static final int SIZE = 512;

    /** Bytes of it that hold state; the rest belongs to software. */
    public static final int USED = 416;

    /** The bits of MXCSR that exist: everything below bit 16. */
    public static final int MXCSR_MASK = 0xffff;

    private static final int CONTROL = 0;
    private static final int STATUS = 2;
    private static final int VALID = 4;
    private static final int OPCODE = 6;
    private static final int INSTRUCTION = 8;
    private static final int DATA = 16;
    private static final int MXCSR = 24;
    private static final int STACK = 32;
    private static final int XMM = 160;

    private FxsaveImage() {}

    /**
     * Writes the x87 part: bytes 0 to 23 and 32 to 159. {@code wide} pointers have 64 bits and no
     * selectors (REX.W). The pointers to the last instruction are 0 unless an exception is pending.
     */
    public static void writeX87(FpuState state, byte[] area, boolean wide) {
        put16(area, CONTROL, state.control);
        put16(area, STATUS, X87Stack.statusWord(state));
        put16(area, VALID, state.valid);
        // As AMD's processors do: an engine that runs on the host's unit cannot know them
        // otherwise.
        boolean pending = (X87Stack.statusWord(state) & ERROR_SUMMARY) != 0;
        long instruction = pending ? state.lastInstruction : 0;
        long data = pending ? state.lastData : 0;
        put16(area, OPCODE, pending ? state.lastOpcode : 0);
        if (!wide) {
            long code = pending ? state.lastInstructionSelector : 0;
            long segment = pending ? state.lastDataSelector : 0;
            instruction = instruction & 0xffffffffL | code << 32;
            data = data & 0xffffffffL | segment << 32;
        }
        put64(area, INSTRUCTION, instruction);
        put64(area, DATA, data);
        for (int i = 0; i < 8; i++) {
            int physical = state.top + i & 7;
            put64(area, STACK + 16 * i, state.significand[physical]);
            put64(area, STACK + 16 * i + 8, state.signExponent[physical]);
        }
    }

    public static void readX87(FpuState state, byte[] area, boolean wide) {
        X87Stack.setControlWord(state, get16(area, CONTROL));
        X87Stack.setStatusWord(state, get16(area, STATUS));
        state.valid = area[VALID] & 0xff;
        state.lastOpcode = get16(area, OPCODE) & 0x7ff;
        if (wide) {
            state.lastInstruction = get64(area, INSTRUCTION);
            state.lastData = get64(area, DATA);
            state.lastInstructionSelector = 0;
            state.lastDataSelector = 0;
        } else {
            state.lastInstruction = get32(area, INSTRUCTION) & 0xffffffffL;
            state.lastData = get32(area, DATA) & 0xffffffffL;
            state.lastInstructionSelector = get16(area, INSTRUCTION + 4);
            state.lastDataSelector = get16(area, DATA + 4);
        }
        for (int i = 0; i < 8; i++) {
            int physical = state.top + i & 7;
            state.significand[physical] = get64(area, STACK + 16 * i);
            state.signExponent[physical] = get16(area, STACK + 16 * i + 8);
        }
    }

    /** The x87 part's initial configuration. */
    public static void initialiseX87(FpuState state) {
        X87Stack.initialise(state);
        java.util.Arrays.fill(state.significand, 0);
        java.util.Arrays.fill(state.signExponent, 0);
    }

    /** Whether the x87 part is not in its initial configuration. */
    static boolean x87InUse(FpuState s) {
        boolean initial =
                s.control == 0x37f
                        && (s.status
                                        | s.top
                                        | s.valid
                                        | s.lastOpcode
                                        | s.lastInstructionSelector
                                        | s.lastDataSelector)
                                == 0
                        && (s.lastInstruction | s.lastData) == 0;
        if (!initial) {
            return true;
        }
        long contents = 0;
        for (int i = 0; i < 8; i++) {
            contents |= s.significand[i] | s.signExponent[i];
        }
        return contents != 0;
    }

    /** Writes MXCSR and MXCSR_MASK: bytes 24 to 31. */
    public static void writeMxcsr(FpuState state, byte[] area) {
        put32(area, MXCSR, state.mxcsr);
        put32(area, MXCSR + 4, MXCSR_MASK);
    }

    /** The area's MXCSR, not yet checked against {@link #MXCSR_MASK}. */
    public static int mxcsr(byte[] area) {
        return get32(area, MXCSR);
    }

    /** Writes XMM0 and following: 16 registers in 64-bit mode, else 8. */
    public static void writeXmm(FpuState state, byte[] area, int registers) {
        for (int i = 0; i < 2 * registers; i++) {
            put64(area, XMM + 8 * i, state.xmm[i]);
        }
    }

    public static void readXmm(FpuState state, byte[] area, int registers) {
        for (int i = 0; i < 2 * registers; i++) {
            state.xmm[i] = get64(area, XMM + 8 * i);
        }
    }

    static boolean xmmInUse(FpuState state) {
        long contents = 0;
        for (int n = 0; n < 2 * FpuState.VECTORS; n++) {
            contents |= state.xmm[n];
        }
        return contents != 0;
    }
}
