package org.javisor.x86;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigInteger;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** AES, carry-less products and CRC-32C against published vectors and plain definitions. */
class CipherVectorsTest {
    @Test
    void aesRound_isFips197AppendixB_roundOne() {
        // State and key in the order of the bytes in memory.
        long[] state = halves("193de3bea0f4e22b9ac68d2ae9f84808");
        long[] key = halves("a0fafe1788542cb123a339392a6c7605");
        long low = Aes.aesenc(state[0], state[1], 0) ^ key[0];
        long high = Aes.aesenc(state[0], state[1], 1) ^ key[1];
        assertThat(new long[] {low, high}).isEqualTo(halves("a49c7ff2689f352b6b5bea43026a5049"));
    }

    @Test
    void aesLastRounds_areInverse() {
        long[] state = halves("eb40f21e592e38848ba113e71bc342d2");
        long low = Aes.aesenclast(state[0], state[1], 0);
        long high = Aes.aesenclast(state[0], state[1], 1);
        assertThat(Aes.aesdeclast(low, high, 0)).isEqualTo(state[0]);
        assertThat(Aes.aesdeclast(low, high, 1)).isEqualTo(state[1]);
    }

    @Test
    void keyAssist_givesTheSecondKeyOfFips197AppendixA1() {
        long[] key = halves("2b7e151628aed2a6abf7158809cf4f3c");
        int assist = (int) (Aes.aeskeygenassist(key[1], 1) >>> 32);
        assertThat((int) key[0] ^ assist)
                .isEqualTo((int) halves("a0fafe1788542cb123a339392a6c7605")[0]);
    }

    @Test
    void carrylessProduct_isTheSumOfShiftedOperands() {
        Random random = new Random(1);
        for (int round = 0; round < 1000; round++) {
            long a = random.nextLong();
            long b = round % 10 == 0 ? -1 : random.nextLong();
            BigInteger product = BigInteger.ZERO;
            BigInteger wide = new BigInteger(Long.toUnsignedString(a));
            for (int bit = 0; bit < 64; bit++) {
                if ((b >>> bit & 1) != 0) {
                    product = product.xor(wide.shiftLeft(bit));
                }
            }
            assertThat(Pclmul.low(a, b)).isEqualTo(product.longValue());
            assertThat(Pclmul.high(a, b)).isEqualTo(product.shiftRight(64).longValue());
        }
    }

    @Test
    void crc_ofTheDigits_isTheCheckValue() {
        int crc = Crc32c.update(-1, 0x3837363534333231L, 8);
        assertThat(~Crc32c.update(crc, 0x39, 1)).isEqualTo(0xe3069283);
    }

    @Test
    void sha256Rounds_onAbc_giveTheStandardsExampleValues() {
        int[] k = {0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5};
        // The first four rounds on "abc": FIPS 180-4's example values of a, b, e and f.
        long[] x = new long[4];
        int[] h = {
            0x6a09e667,
            0xbb67ae85,
            0x3c6ef372,
            0xa54ff53a,
            0x510e527f,
            0x9b05688c,
            0x1f83d9ab,
            0x5be0cd19
        };
        x[0] = pair(h[6], h[7]);
        x[1] = pair(h[2], h[3]);
        x[2] = pair(h[4], h[5]);
        x[3] = pair(h[0], h[1]);
        int[] w = {0x61626380, 0, 0, 0};
        Sha.sha256rnds2(x, 0, x[2], x[3], pair(w[1] + k[1], w[0] + k[0]));
        Sha.sha256rnds2(x, 2, x[0], x[1], pair(w[3] + k[3], w[2] + k[2]));
        assertThat(x[3]).isEqualTo(pair(0xd550f666, 0xc8c347a7));
        assertThat(x[2]).isEqualTo(pair(0x24e00850, 0xf92939eb));
    }

    private static long pair(int upper, int lower) {
        return lower & 0xffffffffL | (long) upper << 32;
    }

    /** A register from its 16 bytes in memory order. */
    private static long[] halves(String hex) {
        return new long[] {
            Long.reverseBytes(Long.parseUnsignedLong(hex.substring(0, 16), 16)),
            Long.reverseBytes(Long.parseUnsignedLong(hex.substring(16), 16))
        };
    }
}
