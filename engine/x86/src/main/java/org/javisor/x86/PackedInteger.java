package org.javisor.x86;

/**
 * Lane-wise integer arithmetic of MMX and SSE on 64 bits at a time: eight bytes, four words, two
 * doublewords or one quadword in a long, lane 0 lowest. A 128-bit operation is two calls, one for
 * each half.
 *
 * <p>Method names are the mnemonics (Intel SDM volume 2). Bytes and words are calculated side by
 * side within the long: the lanes' top bits are masked off so that no carry passes from one lane to
 * the next.
 */
public final class PackedInteger {
    private static final long TOP_B = 0x8080808080808080L;
    private static final long TOP_W = 0x8000800080008000L;
    private static final long LOW_B = 0x00ff00ff00ff00ffL;
    private static final long LOW_D = 0xffffffffL;

    private PackedInteger() {}

    // Addition and subtraction

    public static long paddb(long a, long b) {
        return (a & ~TOP_B) + (b & ~TOP_B) ^ (a ^ b) & TOP_B;
    }

    public static long paddw(long a, long b) {
        return (a & ~TOP_W) + (b & ~TOP_W) ^ (a ^ b) & TOP_W;
    }

    public static long paddd(long a, long b) {
        return (a & ~LOW_D) + (b & ~LOW_D) | a + b & LOW_D;
    }

    public static long paddq(long a, long b) {
        return a + b;
    }

    public static long psubb(long a, long b) {
        return (a | TOP_B) - (b & ~TOP_B) ^ (a ^ ~b) & TOP_B;
    }

    public static long psubw(long a, long b) {
        return (a | TOP_W) - (b & ~TOP_W) ^ (a ^ ~b) & TOP_W;
    }

    public static long psubd(long a, long b) {
        return (a & ~LOW_D) - (b & ~LOW_D) | a - b & LOW_D;
    }

    public static long psubq(long a, long b) {
        return a - b;
    }

    public static long paddusb(long a, long b) {
        long sum = paddb(a, b);
        return sum | fillB((a & b | (a | b) & ~sum) & TOP_B);
    }

    public static long paddusw(long a, long b) {
        long sum = paddw(a, b);
        return sum | fillW((a & b | (a | b) & ~sum) & TOP_W);
    }

    public static long psubusb(long a, long b) {
        return psubb(a, b) & ~belowB(a, b);
    }

    public static long psubusw(long a, long b) {
        return psubw(a, b) & ~belowW(a, b);
    }

    public static long paddsb(long a, long b) {
        long sum = paddb(a, b);
        long overflow = fillB(~(a ^ b) & (a ^ sum) & TOP_B);
        return sum & ~overflow | limitB(a) & overflow;
    }

    public static long paddsw(long a, long b) {
        long sum = paddw(a, b);
        long overflow = fillW(~(a ^ b) & (a ^ sum) & TOP_W);
        return sum & ~overflow | limitW(a) & overflow;
    }

    public static long psubsb(long a, long b) {
        long difference = psubb(a, b);
        long overflow = fillB((a ^ b) & (a ^ difference) & TOP_B);
        return difference & ~overflow | limitB(a) & overflow;
    }

    public static long psubsw(long a, long b) {
        long difference = psubw(a, b);
        long overflow = fillW((a ^ b) & (a ^ difference) & TOP_W);
        return difference & ~overflow | limitW(a) & overflow;
    }

    public static long pavgb(long a, long b) {
        return (a | b) - ((a ^ b) >>> 1 & ~TOP_B);
    }

    public static long pavgw(long a, long b) {
        return (a | b) - ((a ^ b) >>> 1 & ~TOP_W);
    }

    // Comparison

    public static long pcmpeqb(long a, long b) {
        long x = a ^ b;
        return fillB(~((x & ~TOP_B) + ~TOP_B | x) & TOP_B);
    }

    public static long pcmpeqw(long a, long b) {
        long x = a ^ b;
        return fillW(~((x & ~TOP_W) + ~TOP_W | x) & TOP_W);
    }

    public static long pcmpeqd(long a, long b) {
        long x = a ^ b;
        return ((int) x == 0 ? LOW_D : 0) | (x >>> 32 == 0 ? ~LOW_D : 0);
    }

    public static long pcmpeqq(long a, long b) {
        return a == b ? -1 : 0;
    }

    public static long pcmpgtb(long a, long b) {
        return belowB(b ^ TOP_B, a ^ TOP_B);
    }

    public static long pcmpgtw(long a, long b) {
        return belowW(b ^ TOP_W, a ^ TOP_W);
    }

    public static long pcmpgtd(long a, long b) {
        return ((int) a > (int) b ? LOW_D : 0) | (a >> 32 > b >> 32 ? ~LOW_D : 0);
    }

    public static long pcmpgtq(long a, long b) {
        return a > b ? -1 : 0;
    }

    public static long pmaxub(long a, long b) {
        return choose(belowB(a, b), b, a);
    }

    public static long pminub(long a, long b) {
        return choose(belowB(a, b), a, b);
    }

    public static long pmaxuw(long a, long b) {
        return choose(belowW(a, b), b, a);
    }

    public static long pminuw(long a, long b) {
        return choose(belowW(a, b), a, b);
    }

    public static long pmaxsb(long a, long b) {
        return choose(pcmpgtb(a, b), a, b);
    }

    public static long pminsb(long a, long b) {
        return choose(pcmpgtb(a, b), b, a);
    }

    public static long pmaxsw(long a, long b) {
        return choose(pcmpgtw(a, b), a, b);
    }

    public static long pminsw(long a, long b) {
        return choose(pcmpgtw(a, b), b, a);
    }

    public static long pmaxsd(long a, long b) {
        return choose(pcmpgtd(a, b), a, b);
    }

    public static long pminsd(long a, long b) {
        return choose(pcmpgtd(a, b), b, a);
    }

    public static long pmaxud(long a, long b) {
        return choose(pcmpgtd(a ^ SIGNS_D, b ^ SIGNS_D), a, b);
    }

    public static long pminud(long a, long b) {
        return choose(pcmpgtd(a ^ SIGNS_D, b ^ SIGNS_D), b, a);
    }

    private static final long SIGNS_D = 0x8000000080000000L;

    // Multiplication

    public static long pmullw(long a, long b) {
        return words(
                (short) a * (short) b,
                word(a, 1) * word(b, 1),
                word(a, 2) * word(b, 2),
                word(a, 3) * word(b, 3));
    }

    public static long pmulhw(long a, long b) {
        return words(
                word(a, 0) * word(b, 0) >> 16,
                word(a, 1) * word(b, 1) >> 16,
                word(a, 2) * word(b, 2) >> 16,
                word(a, 3) * word(b, 3) >> 16);
    }

    public static long pmulhuw(long a, long b) {
        return words(
                unsignedWord(a, 0) * unsignedWord(b, 0) >>> 16,
                unsignedWord(a, 1) * unsignedWord(b, 1) >>> 16,
                unsignedWord(a, 2) * unsignedWord(b, 2) >>> 16,
                unsignedWord(a, 3) * unsignedWord(b, 3) >>> 16);
    }

    public static long pmulhrsw(long a, long b) {
        return words(
                (word(a, 0) * word(b, 0) >> 14) + 1 >> 1,
                (word(a, 1) * word(b, 1) >> 14) + 1 >> 1,
                (word(a, 2) * word(b, 2) >> 14) + 1 >> 1,
                (word(a, 3) * word(b, 3) >> 14) + 1 >> 1);
    }

    public static long pmaddwd(long a, long b) {
        return doublewords(
                word(a, 0) * word(b, 0) + word(a, 1) * word(b, 1),
                word(a, 2) * word(b, 2) + word(a, 3) * word(b, 3));
    }

    /**
     * Unsigned bytes of {@code a} times signed bytes of {@code b}, neighbours added with
     * saturation.
     */
    public static long pmaddubsw(long a, long b) {
        long result = 0;
        for (int shift = 0; shift < 64; shift += 16) {
            int sum =
                    (int) (a >>> shift & 0xff) * (byte) (b >>> shift)
                            + (int) (a >>> shift + 8 & 0xff) * (byte) (b >>> shift + 8);
            result |= (saturateWord(sum) & 0xffffL) << shift;
        }
        return result;
    }

    public static long pmulld(long a, long b) {
        return doublewords((int) a * (int) b, (int) (a >> 32) * (int) (b >> 32));
    }

    public static long pmuludq(long a, long b) {
        return (a & LOW_D) * (b & LOW_D);
    }

    public static long pmuldq(long a, long b) {
        return (long) (int) a * (int) b;
    }

    // Sums, signs

    public static long psadbw(long a, long b) {
        long distance = psubusb(a, b) | psubusb(b, a);
        return ((distance & LOW_B) + (distance >>> 8 & LOW_B)) * 0x0001000100010001L >>> 48;
    }

    public static long pabsb(long a) {
        long negative = fillB(a & TOP_B);
        return psubb(a ^ negative, negative);
    }

    public static long pabsw(long a) {
        long negative = fillW(a & TOP_W);
        return psubw(a ^ negative, negative);
    }

    public static long pabsd(long a) {
        return doublewords(Math.abs((int) a), Math.abs((int) (a >> 32)));
    }

    public static long psignb(long a, long b) {
        long negative = fillB(b & TOP_B);
        return psubb(a ^ negative, negative) & ~pcmpeqb(b, 0);
    }

    public static long psignw(long a, long b) {
        long negative = fillW(b & TOP_W);
        return psubw(a ^ negative, negative) & ~pcmpeqw(b, 0);
    }

    public static long psignd(long a, long b) {
        return doublewords(
                (int) a * Integer.signum((int) b),
                (int) (a >> 32) * Integer.signum((int) (b >> 32)));
    }

    // Horizontal: the neighbours of low make the lower half of the result, those of high the upper

    public static long phaddw(long low, long high) {
        return words(
                word(low, 0) + word(low, 1),
                word(low, 2) + word(low, 3),
                word(high, 0) + word(high, 1),
                word(high, 2) + word(high, 3));
    }

    public static long phaddd(long low, long high) {
        return doublewords((int) low + (int) (low >> 32), (int) high + (int) (high >> 32));
    }

    public static long phaddsw(long low, long high) {
        return words(
                saturateWord(word(low, 0) + word(low, 1)),
                saturateWord(word(low, 2) + word(low, 3)),
                saturateWord(word(high, 0) + word(high, 1)),
                saturateWord(word(high, 2) + word(high, 3)));
    }

    public static long phsubw(long low, long high) {
        return words(
                word(low, 0) - word(low, 1),
                word(low, 2) - word(low, 3),
                word(high, 0) - word(high, 1),
                word(high, 2) - word(high, 3));
    }

    public static long phsubd(long low, long high) {
        return doublewords((int) low - (int) (low >> 32), (int) high - (int) (high >> 32));
    }

    public static long phsubsw(long low, long high) {
        return words(
                saturateWord(word(low, 0) - word(low, 1)),
                saturateWord(word(low, 2) - word(low, 3)),
                saturateWord(word(high, 0) - word(high, 1)),
                saturateWord(word(high, 2) - word(high, 3)));
    }

    // Shifts; a count beyond the lane's width gives zero, or the sign for arithmetic ones. Counts
    // are unsigned.

    public static long psllw(long a, long count) {
        if (Long.compareUnsigned(count, 15) > 0) {
            return 0;
        }
        return a << count & (0xffffL << count & 0xffff) * 0x0001000100010001L;
    }

    public static long psrlw(long a, long count) {
        if (Long.compareUnsigned(count, 15) > 0) {
            return 0;
        }
        return a >>> count & (0xffffL >>> count) * 0x0001000100010001L;
    }

    public static long psraw(long a, long count) {
        int n = Long.compareUnsigned(count, 15) > 0 ? 15 : (int) count;
        return words(word(a, 0) >> n, word(a, 1) >> n, word(a, 2) >> n, word(a, 3) >> n);
    }

    public static long pslld(long a, long count) {
        if (Long.compareUnsigned(count, 31) > 0) {
            return 0;
        }
        return doublewords((int) a << count, (int) (a >>> 32) << count);
    }

    public static long psrld(long a, long count) {
        if (Long.compareUnsigned(count, 31) > 0) {
            return 0;
        }
        return doublewords((int) a >>> count, (int) (a >>> 32) >>> count);
    }

    public static long psrad(long a, long count) {
        int n = Long.compareUnsigned(count, 31) > 0 ? 31 : (int) count;
        return doublewords((int) a >> n, (int) (a >>> 32) >> n);
    }

    public static long psllq(long a, long count) {
        return Long.compareUnsigned(count, 63) > 0 ? 0 : a << count;
    }

    public static long psrlq(long a, long count) {
        return Long.compareUnsigned(count, 63) > 0 ? 0 : a >>> count;
    }

    // Lanes

    /** The top bits of the eight bytes, as a number of eight bits. */
    public static int pmovmskb(long a) {
        // Bit 8k times 2^(56-7k) lands on bit 56+k; no two products of the multiplication meet.
        return (int) (((a & TOP_B) >>> 7) * 0x0102040810204080L >>> 56);
    }

    static int word(long a, int lane) {
        return (short) (a >>> (lane << 4));
    }

    static int unsignedWord(long a, int lane) {
        return (int) (a >>> (lane << 4)) & 0xffff;
    }

    static long words(int w0, int w1, int w2, int w3) {
        return w0 & 0xffffL | (w1 & 0xffffL) << 16 | (w2 & 0xffffL) << 32 | (long) w3 << 48;
    }

    static long doublewords(int low, int high) {
        return low & LOW_D | (long) high << 32;
    }

    static int saturateWord(int value) {
        return Math.clamp(value, Short.MIN_VALUE, Short.MAX_VALUE);
    }

    private static long choose(long mask, long a, long b) {
        return a & mask | b & ~mask;
    }

    /** All ones in each byte where {@code a < b}, unsigned. */
    private static long belowB(long a, long b) {
        return fillB((~a & b | (~a | b) & psubb(a, b)) & TOP_B);
    }

    private static long belowW(long a, long b) {
        return fillW((~a & b | (~a | b) & psubw(a, b)) & TOP_W);
    }

    /** Spreads each byte's top bit over the byte; the other bits are clear. */
    private static long fillB(long tops) {
        return (tops << 1) - (tops >>> 7);
    }

    private static long fillW(long tops) {
        return (tops << 1) - (tops >>> 15);
    }

    /** 7Fh for bytes of positive sign, 80h for negative. */
    private static long limitB(long a) {
        return ((a & TOP_B) >>> 7) + ~TOP_B;
    }

    private static long limitW(long a) {
        return ((a & TOP_W) >>> 15) + ~TOP_W;
    }
}
