package org.javisor.x86;

/**
 * The registers of the x87, MMX, SSE and AVX units of one processor: plain data, used by one
 * thread.
 *
 * <p>x87 registers are kept by physical number: the register ST(i) is number {@code (top + i) & 7},
 * and the MMX register MMn is the significand of number n.
 */
public final class FpuState {
    /** 64-bit significands with explicit integer bit, by physical register. */
    public final long[] significand = new long[8];

    /** Sign in bit 15, biased exponent below, by physical register. */
    public final int[] signExponent = new int[8];

    /** FCW. */
    public int control = 0x37f;

    /** FSW without TOP, which is in {@link #top}. */
    public int status;

    /** 0 to 7. */
    public int top;

    /** One bit per physical register: set if it is not empty (the abridged tag word of FXSAVE). */
    public int valid;

    /** FIP, FDP and their selectors, and FOP: where the last x87 instruction stood. */
    public long lastInstruction;

    public long lastData;
    public int lastInstructionSelector;
    public int lastDataSelector;
    public int lastOpcode;

    /** Vector registers, 16 of them. */
    public static final int VECTORS = 16;

    /**
     * XMMn: bits 0-63 at 2n, bits 64-127 at 2n+1. After the 16 registers come working registers for
     * those who carry out instructions: not state.
     */
    public final long[] xmm = new long[2 * VECTORS + 8];

    /** The upper half of YMMn: bits 128-191 at 2n, bits 192-255 at 2n+1. */
    public final long[] ymmHigh = new long[2 * VECTORS];

    public int mxcsr = 0x1f80;

    /**
     * Exception flags that the SSE instruction under way has found, while at least one exception is
     * unmasked; they reach {@link #mxcsr} when the whole instruction is known. 0 between
     * instructions.
     */
    public int raised;
}
