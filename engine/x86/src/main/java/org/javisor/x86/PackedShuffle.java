package org.javisor.x86;

import static org.javisor.x86.PackedInteger.doublewords;
import static org.javisor.x86.PackedInteger.word;
import static org.javisor.x86.PackedInteger.words;

/**
 * The operations of MMX and SSE that narrow, widen, interleave and rearrange lanes, on 64 bits at a
 * time. Names are the mnemonics (Intel SDM volume 2).
 */
public final class PackedShuffle {
    private PackedShuffle() {}

    // Narrowing: low gives the lower lanes of the result, high the upper

    public static long packsswb(long low, long high) {
        return signedBytes(low) | signedBytes(high) << 32;
    }

    public static long packuswb(long low, long high) {
        return unsignedBytes(low) | unsignedBytes(high) << 32;
    }

    public static long packssdw(long low, long high) {
        return words(
                PackedInteger.saturateWord((int) low),
                PackedInteger.saturateWord((int) (low >> 32)),
                PackedInteger.saturateWord((int) high),
                PackedInteger.saturateWord((int) (high >> 32)));
    }

    public static long packusdw(long low, long high) {
        return words(
                Math.clamp((int) low, 0, 0xffff),
                Math.clamp((int) (low >> 32), 0, 0xffff),
                Math.clamp((int) high, 0, 0xffff),
                Math.clamp((int) (high >> 32), 0, 0xffff));
    }

    private static long signedBytes(long a) {
        long result = 0;
        for (int lane = 0; lane < 4; lane++) {
            result |=
                    (Math.clamp(word(a, lane), Byte.MIN_VALUE, Byte.MAX_VALUE) & 0xffL)
                            << (lane << 3);
        }
        return result;
    }

    private static long unsignedBytes(long a) {
        long result = 0;
        for (int lane = 0; lane < 4; lane++) {
            result |= (long) Math.clamp(word(a, lane), 0, 0xff) << (lane << 3);
        }
        return result;
    }

    // Interleaving of the lower (l) or upper (h) 32 bits of a and b

    public static long punpcklbw(long a, long b) {
        return spreadBytes(a) | spreadBytes(b) << 8;
    }

    public static long punpckhbw(long a, long b) {
        return spreadBytes(a >>> 32) | spreadBytes(b >>> 32) << 8;
    }

    public static long punpcklwd(long a, long b) {
        return spreadWords(a) | spreadWords(b) << 16;
    }

    public static long punpckhwd(long a, long b) {
        return spreadWords(a >>> 32) | spreadWords(b >>> 32) << 16;
    }

    public static long punpckldq(long a, long b) {
        return a & 0xffffffffL | b << 32;
    }

    public static long punpckhdq(long a, long b) {
        return a >>> 32 | b & 0xffffffff00000000L;
    }

    /** Four bytes to four zero-extended words: PMOVZXBW. */
    static long spreadBytes(long a) {
        long x = spreadWords(a);
        return (x | x << 8) & 0x00ff00ff00ff00ffL;
    }

    /** Two words to two zero-extended doublewords. */
    static long spreadWords(long a) {
        return (a & 0xffffL) | (a & 0xffff0000L) << 16;
    }

    // Widening of the lowest lanes

    public static long pmovzxbw(long a) {
        return spreadBytes(a);
    }

    public static long pmovzxbd(long a) {
        return a & 0xffL | (a & 0xff00L) << 24;
    }

    public static long pmovzxbq(long a) {
        return a & 0xffL;
    }

    public static long pmovzxwd(long a) {
        return spreadWords(a);
    }

    public static long pmovzxwq(long a) {
        return a & 0xffffL;
    }

    public static long pmovzxdq(long a) {
        return a & 0xffffffffL;
    }

    public static long pmovsxbw(long a) {
        return words((byte) a, (byte) (a >>> 8), (byte) (a >>> 16), (byte) (a >>> 24));
    }

    public static long pmovsxbd(long a) {
        return doublewords((byte) a, (byte) (a >>> 8));
    }

    public static long pmovsxbq(long a) {
        return (byte) a;
    }

    public static long pmovsxwd(long a) {
        return doublewords((short) a, (short) (a >>> 16));
    }

    public static long pmovsxwq(long a) {
        return (short) a;
    }

    public static long pmovsxdq(long a) {
        return (int) a;
    }

    // Rearranging

    /** PSHUFW, and one half of PSHUFLW and PSHUFHW. */
    public static long pshufw(long a, int order) {
        return words(
                word(a, order & 3),
                word(a, order >> 2 & 3),
                word(a, order >> 4 & 3),
                word(a, order >> 6 & 3));
    }

    /** PSHUFB on a 64-bit register. */
    public static long pshufb(long a, long control) {
        long result = 0;
        for (int shift = 0; shift < 64; shift += 8) {
            int select = (int) (control >>> shift) & 0xff;
            if (select < 0x80) {
                result |= (a >>> ((select & 7) << 3) & 0xff) << shift;
            }
        }
        return result;
    }

    /**
     * Half of PSHUFB on a 128-bit register: the half of the result that {@code control} belongs to.
     */
    public static long pshufb(long low, long high, long control) {
        long result = 0;
        for (int shift = 0; shift < 64; shift += 8) {
            int select = (int) (control >>> shift) & 0xff;
            if (select < 0x80) {
                long half = (select & 8) == 0 ? low : high;
                result |= (half >>> ((select & 7) << 3) & 0xff) << shift;
            }
        }
        return result;
    }

    /**
     * The 64 bits that stand {@code bytes} bytes above the lowest of the number w3:w2:w1:w0; beyond
     * it are zeros. The core of PALIGNR, PSRLDQ and PSLLDQ.
     */
    public static long extract(long w0, long w1, long w2, long w3, int bytes) {
        int index = bytes >> 3;
        int shift = (bytes & 7) << 3;
        long low = pick(w0, w1, w2, w3, index);
        return shift == 0 ? low : low >>> shift | pick(w0, w1, w2, w3, index + 1) << 64 - shift;
    }

    private static long pick(long w0, long w1, long w2, long w3, int index) {
        return switch (index) {
            case 0 -> w0;
            case 1 -> w1;
            case 2 -> w2;
            case 3 -> w3;
            default -> 0;
        };
    }

    /** One 32-bit lane of a 128-bit register. */
    public static long lane32(long low, long high, int lane) {
        return ((lane & 2) == 0 ? low : high) >>> ((lane & 1) << 5) & 0xffffffffL;
    }

    /**
     * Bytes of {@code b} where the mask's byte has its top bit set, else of {@code a}: PBLENDVB.
     */
    public static long blendBytes(long a, long b, long mask) {
        long tops = mask & 0x8080808080808080L;
        long full = (tops << 1) - (tops >>> 7);
        return a & ~full | b & full;
    }

    /** BLENDVPS. */
    public static long blendDoublewords(long a, long b, long mask) {
        long full = (mask >> 63) << 32 | (long) ((int) mask >> 31) & 0xffffffffL;
        return a & ~full | b & full;
    }

    /**
     * Words of {@code b} where bits 0-3 of {@code select} are set, else of {@code a}: half of
     * PBLENDW.
     */
    public static long pblendw(long a, long b, int select) {
        long mask = 0;
        for (int lane = 0; lane < 4; lane++) {
            if ((select >> lane & 1) != 0) {
                mask |= 0xffffL << (lane << 4);
            }
        }
        return a & ~mask | b & mask;
    }

    /** PHMINPOSUW: the smallest word in bits 0-15, its lane in bits 16-18. */
    public static long phminposuw(long low, long high) {
        int best = PackedInteger.unsignedWord(low, 0);
        int where = 0;
        for (int lane = 1; lane < 8; lane++) {
            int candidate = PackedInteger.unsignedWord(lane < 4 ? low : high, lane & 3);
            if (candidate < best) {
                best = candidate;
                where = lane;
            }
        }
        return (long) where << 16 | best;
    }

    /**
     * Half of MPSADBW: four sums of four distances; {@code window} holds the 7 bytes of the first
     * operand.
     */
    public static long mpsadbw(long window, int block) {
        long result = 0;
        for (int lane = 0; lane < 4; lane++) {
            int sum = 0;
            for (int k = 0; k < 4; k++) {
                int a = (int) (window >>> (lane + k << 3)) & 0xff;
                sum += Math.abs(a - (block >>> (k << 3) & 0xff));
            }
            result |= (long) sum << (lane << 4);
        }
        return result;
    }
}
