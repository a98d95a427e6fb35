package org.javisor.x86;

/**
 * The AES-NI instructions' arithmetic: one round of FIPS 197 (Intel SDM vol. 1, 12.13). The state
 * is a 128-bit register whose byte {@code 4c + r} is row r of column c. Each method gives one half
 * of the result: columns 0 and 1 for {@code half} 0, columns 2 and 3 for 1.
 */
public final class Aes {
    private static final byte[] SBOX = new byte[256];
    private static final byte[] INVERSE_SBOX = new byte[256];

    /** What MixColumns makes of a substituted byte in row 0; the other rows are its rotations. */
    private static final int[] MIXED = new int[256];

    /** The same for InvMixColumns and the inverse substitution. */
    private static final int[] INVERSE_MIXED = new int[256];

    static {
        int p = 1;
        int q = 1;
        do {
            p = times2(p) ^ p;
            q ^= q << 1;
            q ^= q << 2;
            q ^= q << 4;
            q &= 0xff;
            if ((q & 0x80) != 0) {
                q ^= 9;
            }
            substitute(
                    p,
                    q
                            ^ rotateByte(q, 1)
                            ^ rotateByte(q, 2)
                            ^ rotateByte(q, 3)
                            ^ rotateByte(q, 4)
                            ^ 0x63);
        } while (p != 1);
        substitute(0, 0x63);
        for (int x = 0; x < 256; x++) {
            int s = SBOX[x] & 0xff;
            MIXED[x] = times2(s) | s << 8 | s << 16 | (times2(s) ^ s) << 24;
            int v = INVERSE_SBOX[x] & 0xff;
            int v2 = times2(v);
            int v4 = times2(v2);
            int v8 = times2(v4);
            INVERSE_MIXED[x] =
                    (v8 ^ v4 ^ v2) | (v8 ^ v) << 8 | (v8 ^ v4 ^ v) << 16 | (v8 ^ v2 ^ v) << 24;
        }
    }

    private Aes() {}

    private static void substitute(int x, int s) {
        SBOX[x] = (byte) s;
        INVERSE_SBOX[s] = (byte) x;
    }

    private static int times2(int x) {
        return (x << 1 ^ ((x & 0x80) != 0 ? 0x11b : 0)) & 0xff;
    }

    private static int rotateByte(int x, int n) {
        return (x << n | x >>> 8 - n) & 0xff;
    }

    /** Byte of the state at a row of a column; columns are taken modulo 4. */
    private static int at(long low, long high, int column, int row) {
        long half = (column & 2) == 0 ? low : high;
        return (int) (half >>> ((column & 1) << 5 | row << 3)) & 0xff;
    }

    public static long aesenc(long low, long high, int half) {
        return encryptColumn(low, high, half << 1) & 0xffffffffL
                | (long) encryptColumn(low, high, half << 1 | 1) << 32;
    }

    private static int encryptColumn(long low, long high, int c) {
        return MIXED[at(low, high, c, 0)]
                ^ Integer.rotateLeft(MIXED[at(low, high, c + 1, 1)], 8)
                ^ Integer.rotateLeft(MIXED[at(low, high, c + 2, 2)], 16)
                ^ Integer.rotateLeft(MIXED[at(low, high, c + 3, 3)], 24);
    }

    public static long aesdec(long low, long high, int half) {
        return decryptColumn(low, high, half << 1) & 0xffffffffL
                | (long) decryptColumn(low, high, half << 1 | 1) << 32;
    }

    private static int decryptColumn(long low, long high, int c) {
        return INVERSE_MIXED[at(low, high, c, 0)]
                ^ Integer.rotateLeft(INVERSE_MIXED[at(low, high, c + 3, 1)], 8)
                ^ Integer.rotateLeft(INVERSE_MIXED[at(low, high, c + 2, 2)], 16)
                ^ Integer.rotateLeft(INVERSE_MIXED[at(low, high, c + 1, 3)], 24);
    }

    public static long aesenclast(long low, long high, int half) {
        long result = 0;
        for (int k = 0; k < 8; k++) {
            int row = k & 3;
            int column = (half << 1) + (k >> 2);
            result |= (SBOX[at(low, high, column + row, row)] & 0xffL) << (k << 3);
        }
        return result;
    }

    public static long aesdeclast(long low, long high, int half) {
        long result = 0;
        for (int k = 0; k < 8; k++) {
            int row = k & 3;
            int column = (half << 1) + (k >> 2);
            result |= (INVERSE_SBOX[at(low, high, column - row, row)] & 0xffL) << (k << 3);
        }
        return result;
    }

    /** InvMixColumns on two columns. */
    public static long aesimc(long columns) {
        long result = 0;
        for (int k = 0; k < 8; k++) {
            int mixed = INVERSE_MIXED[SBOX[(int) (columns >>> (k << 3)) & 0xff] & 0xff];
            result ^= (Integer.rotateLeft(mixed, (k & 3) << 3) & 0xffffffffL) << ((k & 4) << 3);
        }
        return result;
    }

    /** Half of AESKEYGENASSIST, made of the upper doubleword of the same half of the source. */
    public static long aeskeygenassist(long half, int roundConstant) {
        int word = (int) (half >>> 32);
        int substituted =
                SBOX[word & 0xff] & 0xff
                        | (SBOX[word >>> 8 & 0xff] & 0xff) << 8
                        | (SBOX[word >>> 16 & 0xff] & 0xff) << 16
                        | SBOX[word >>> 24] << 24;
        return substituted & 0xffffffffL
                | (long) (Integer.rotateRight(substituted, 8) ^ roundConstant) << 32;
    }
}
