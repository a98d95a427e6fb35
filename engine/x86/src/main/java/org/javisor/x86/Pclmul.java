package org.javisor.x86;

/** Carry-less multiplication: PCLMULQDQ (Intel SDM vol. 2). */
public final class Pclmul {
    private static final long M0 = 0x1111111111111111L;
    private static final long M1 = M0 << 1;
    private static final long M2 = M0 << 2;
    private static final long M3 = M0 << 3;

    private Pclmul() {}

    /**
     * The lower 64 bits of the product. Each operand is split into four numbers with three holes
     * after each bit; their ordinary products carry into the holes only, as at most 16 ones meet in
     * one place.
     */
    public static long low(long a, long b) {
        long a0 = a & M0;
        long a1 = a & M1;
        long a2 = a & M2;
        long a3 = a & M3;
        long b0 = b & M0;
        long b1 = b & M1;
        long b2 = b & M2;
        long b3 = b & M3;
        return (a0 * b0 ^ a1 * b3 ^ a2 * b2 ^ a3 * b1) & M0
                | (a0 * b1 ^ a1 * b0 ^ a2 * b3 ^ a3 * b2) & M1
                | (a0 * b2 ^ a1 * b1 ^ a2 * b0 ^ a3 * b3) & M2
                | (a0 * b3 ^ a1 * b2 ^ a2 * b1 ^ a3 * b0) & M3;
    }

    /** The upper 64 bits (bit 127 is always 0): the product of the mirrored operands, mirrored. */
    public static long high(long a, long b) {
        return Long.reverse(low(Long.reverse(a), Long.reverse(b))) >>> 1;
    }
}
