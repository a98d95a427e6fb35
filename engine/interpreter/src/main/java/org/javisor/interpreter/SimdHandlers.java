package org.javisor.interpreter;

import org.javisor.x86.Instruction;

/**
 * The MMX and SSE instructions, AES, SHA and PCLMULQDQ, and CRC32: finds the family that knows an
 * instruction.
 */
final class SimdHandlers {
    private SimdHandlers() {}

    /** The handler, or null if the instruction is none of these. */
    static Handler select(Instruction i) {
        return i.vex() ? VexHandlers.select(i) : selectSse(i);
    }

    /**
     * As above for operands as SSE has them, whatever the encoding: at most two and an immediate,
     * none of 256 bits.
     */
    static Handler selectSse(Instruction i) {
        Handler handler = SseMoveHandlers.select(i);
        if (handler == null) {
            handler = MmxHandlers.select(i);
        }
        if (handler == null) {
            handler = SseIntegerHandlers.select(i);
        }
        if (handler == null) {
            handler = SseShuffleHandlers.select(i);
        }
        if (handler == null) {
            handler = SseFloatHandlers.select(i);
        }
        if (handler == null) {
            handler = SseConvertHandlers.select(i);
        }
        if (handler == null) {
            handler = CipherHandlers.select(i);
        }
        if (handler == null) {
            handler = StringCompareHandlers.select(i);
        }
        return handler;
    }
}
