package org.javisor.x86;

import static org.javisor.x86.LittleEndian.get16;
import static org.javisor.x86.LittleEndian.get32;
import static org.javisor.x86.LittleEndian.get64;
import static org.javisor.x86.LittleEndian.put16;
import static org.javisor.x86.LittleEndian.put32;
import static org.javisor.x86.LittleEndian.put64;

/**
 * The memory images of FNSTENV, FLDENV, FNSAVE and FRSTOR: 14 or 28 bytes of environment and 80 of
 * registers (Intel SDM vol. 1, 8.1.10). The selectors of the instruction and data pointers are
 * stored as zero, as processors do that deprecate them.
 */
public final class X87Environment {
    private static final int TAG_EMPTY = 3;
    private static final int TAG_SPECIAL = 2;
    private static final int TAG_ZERO = 1;

    private X87Environment() {}

    /** Bytes of the environment for an operand size of 2 or 4 bytes. */
    public static int size(int operandSize) {
        return operandSize == 2 ? 14 : 28;
    }

    /**
     * @param realMode real-address or virtual-8086 mode: linear pointers instead of far ones
     */
    public static void write(FpuState state, byte[] area, int operandSize, boolean realMode) {
        int ip = (int) state.lastInstruction;
        int dp = (int) state.lastData;
        int opcode = state.lastOpcode & 0x7ff;
        if (operandSize == 2) {
            put16(area, 0, state.control);
            put16(area, 2, X87Stack.statusWord(state));
            put16(area, 4, tags(state));
            put16(area, 6, ip);
            put16(area, 8, realMode ? ip >>> 4 & 0xf000 | opcode : state.lastInstructionSelector);
            put16(area, 10, dp);
            put16(area, 12, realMode ? dp >>> 4 & 0xf000 : state.lastDataSelector);
            return;
        }
        put32(area, 0, 0xffff0000 | state.control);
        put32(area, 4, 0xffff0000 | X87Stack.statusWord(state));
        put32(area, 8, 0xffff0000 | tags(state));
        if (realMode) {
            put32(area, 12, 0xffff0000 | ip);
            put32(area, 16, (ip >>> 16) << 12 | opcode);
            put32(area, 20, 0xffff0000 | dp);
            put32(area, 24, (dp >>> 16) << 12);
        } else {
            put32(area, 12, ip);
            put32(area, 16, opcode << 16 | state.lastInstructionSelector);
            put32(area, 20, dp);
            put32(area, 24, 0xffff0000 | state.lastDataSelector);
        }
    }

    public static void read(FpuState state, byte[] area, int operandSize, boolean realMode) {
        int stride = operandSize == 2 ? 2 : 4;
        X87Stack.setControlWord(state, get16(area, 0));
        X87Stack.setStatusWord(state, get16(area, stride));
        setTags(state, get16(area, 2 * stride));
        int pointers = 3 * stride;
        state.lastInstructionSelector = 0;
        state.lastDataSelector = 0;
        if (operandSize == 2) {
            int ipHigh = get16(area, pointers + 2);
            int dpHigh = get16(area, pointers + 6);
            state.lastInstruction = get16(area, pointers) | (realMode ? (ipHigh & 0xf000) << 4 : 0);
            state.lastData = get16(area, pointers + 4) | (realMode ? (dpHigh & 0xf000) << 4 : 0);
            // The 16-bit protected-mode layout has no room for it.
            state.lastOpcode = realMode ? ipHigh & 0x7ff : 0;
            return;
        }
        int ipHigh = get32(area, pointers + 4);
        if (realMode) {
            state.lastInstruction = get16(area, pointers) | (ipHigh >>> 12 & 0xffffL) << 16;
            state.lastData =
                    get16(area, pointers + 8) | (get32(area, pointers + 12) >>> 12 & 0xffffL) << 16;
            state.lastOpcode = ipHigh & 0x7ff;
        } else {
            state.lastInstruction = get32(area, pointers) & 0xffffffffL;
            state.lastData = get32(area, pointers + 8) & 0xffffffffL;
            state.lastOpcode = ipHigh >>> 16 & 0x7ff;
        }
    }

    /** ST(0) to ST(7), ten bytes each, from {@code offset} on. */
    public static void writeRegisters(FpuState state, byte[] area, int offset) {
        for (int i = 0; i < 8; i++) {
            int physical = state.top + i & 7;
            put64(area, offset + 10 * i, state.significand[physical]);
            put16(area, offset + 10 * i + 8, state.signExponent[physical]);
        }
    }

    public static void readRegisters(FpuState state, byte[] area, int offset) {
        for (int i = 0; i < 8; i++) {
            int physical = state.top + i & 7;
            state.significand[physical] = get64(area, offset + 10 * i);
            state.signExponent[physical] = get16(area, offset + 10 * i + 8);
        }
    }

    /** The full tag word: two bits for each physical register. */
    static int tags(FpuState state) {
        int tags = 0;
        for (int physical = 0; physical < 8; physical++) {
            tags |= tag(state, physical) << 2 * physical;
        }
        return tags;
    }

    private static int tag(FpuState state, int physical) {
        if ((state.valid >>> physical & 1) == 0) {
            return TAG_EMPTY;
        }
        int exponent = state.signExponent[physical] & Float80.MAX_EXPONENT;
        long significand = state.significand[physical];
        if (exponent == 0 && significand == 0) {
            return TAG_ZERO;
        }
        return exponent == 0 || exponent == Float80.MAX_EXPONENT || significand >= 0
                ? TAG_SPECIAL
                : 0;
    }

    private static void setTags(FpuState state, int tags) {
        int valid = 0;
        for (int physical = 0; physical < 8; physical++) {
            if ((tags >>> 2 * physical & 3) != TAG_EMPTY) {
                valid |= 1 << physical;
            }
        }
        state.valid = valid;
    }
}
