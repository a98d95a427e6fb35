package org.javisor.x86;

/**
 * The SHA extensions (Intel SDM vol. 2, SHA1RNDS4 and following; FIPS 180-4). Registers are given
 * as their halves at {@code x[d]} and {@code x[d + 1]}, where the result goes too; the source as
 * {@code low} and {@code high}. The doublewords of a register are named from the highest to the
 * lowest.
 */
public final class Sha {
    private static final int[] SHA1_K = {0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6};

    private Sha() {}

    private static int upper(long half) {
        return (int) (half >>> 32);
    }

    private static long pair(int upper, int lower) {
        return lower & 0xffffffffL | (long) upper << 32;
    }

    public static void sha1rnds4(long[] x, int d, long low, long high, int function) {
        int a = upper(x[d + 1]);
        int b = (int) x[d + 1];
        int c = upper(x[d]);
        int dd = (int) x[d];
        int e = 0;
        for (int round = 0; round < 4; round++) {
            long half = round < 2 ? high : low;
            int message = (round & 1) == 0 ? upper(half) : (int) half;
            int mixed =
                    switch (function) {
                        case 0 -> b & c ^ ~b & dd;
                        case 2 -> b & c ^ b & dd ^ c & dd;
                        default -> b ^ c ^ dd;
                    };
            int next = mixed + Integer.rotateLeft(a, 5) + message + e + SHA1_K[function];
            e = dd;
            dd = c;
            c = Integer.rotateLeft(b, 30);
            b = a;
            a = next;
        }
        x[d] = pair(c, dd);
        x[d + 1] = pair(a, b);
    }

    public static void sha1nexte(long[] x, int d, long low, long high) {
        int e = Integer.rotateLeft(upper(x[d + 1]), 30);
        x[d] = low;
        x[d + 1] = pair(upper(high) + e, (int) high);
    }

    public static void sha1msg1(long[] x, int d, long low, long high) {
        long first = x[d];
        x[d] = high ^ first;
        x[d + 1] ^= first;
    }

    public static void sha1msg2(long[] x, int d, long low, long high) {
        int w16 = Integer.rotateLeft(upper(x[d + 1]) ^ (int) high, 1);
        int w17 = Integer.rotateLeft((int) x[d + 1] ^ upper(low), 1);
        int w18 = Integer.rotateLeft(upper(x[d]) ^ (int) low, 1);
        int w19 = Integer.rotateLeft((int) x[d] ^ w16, 1);
        x[d] = pair(w18, w19);
        x[d + 1] = pair(w16, w17);
    }

    /** {@code keyed} holds the two rounds' message words with the constants added. */
    public static void sha256rnds2(long[] x, int d, long low, long high, long keyed) {
        int a = upper(high);
        int b = (int) high;
        int c = upper(x[d + 1]);
        int dd = (int) x[d + 1];
        int e = upper(low);
        int f = (int) low;
        int g = upper(x[d]);
        int h = (int) x[d];
        for (int round = 0; round < 2; round++) {
            int message = round == 0 ? (int) keyed : upper(keyed);
            int chosen = (e & f ^ ~e & g) + rotations(e, 6, 11, 25) + message + h;
            int majority = (a & b ^ a & c ^ b & c) + rotations(a, 2, 13, 22);
            h = g;
            g = f;
            f = e;
            e = dd + chosen;
            dd = c;
            c = b;
            b = a;
            a = chosen + majority;
        }
        x[d] = pair(e, f);
        x[d + 1] = pair(a, b);
    }

    private static int rotations(int v, int r0, int r1, int r2) {
        return Integer.rotateRight(v, r0) ^ Integer.rotateRight(v, r1) ^ Integer.rotateRight(v, r2);
    }

    public static void sha256msg1(long[] x, int d, long low, long high) {
        int w0 = (int) x[d] + sigma0(upper(x[d]));
        int w1 = upper(x[d]) + sigma0((int) x[d + 1]);
        int w2 = (int) x[d + 1] + sigma0(upper(x[d + 1]));
        int w3 = upper(x[d + 1]) + sigma0((int) low);
        x[d] = pair(w1, w0);
        x[d + 1] = pair(w3, w2);
    }

    public static void sha256msg2(long[] x, int d, long low, long high) {
        int w16 = (int) x[d] + sigma1((int) high);
        int w17 = upper(x[d]) + sigma1(upper(high));
        int w18 = (int) x[d + 1] + sigma1(w16);
        int w19 = upper(x[d + 1]) + sigma1(w17);
        x[d] = pair(w17, w16);
        x[d + 1] = pair(w19, w18);
    }

    private static int sigma0(int v) {
        return Integer.rotateRight(v, 7) ^ Integer.rotateRight(v, 18) ^ v >>> 3;
    }

    private static int sigma1(int v) {
        return Integer.rotateRight(v, 17) ^ Integer.rotateRight(v, 19) ^ v >>> 10;
    }
}
