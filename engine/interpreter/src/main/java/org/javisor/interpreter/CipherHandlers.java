package org.javisor.interpreter;

import static org.javisor.interpreter.SimdForms.set;

import org.javisor.x86.Aes;
import org.javisor.x86.Instruction;
import org.javisor.x86.Pclmul;
import org.javisor.x86.Sha;

/** AES-NI, PCLMULQDQ and the SHA extensions. */
final class CipherHandlers {
    private CipherHandlers() {}

    static Handler select(Instruction i) {
        int imm = (int) i.imm & 0xff;
        return switch (i.op) {
            case AESENC ->
                    SimdForms.binary(
                            i,
                            (x, d, l, h) ->
                                    set(
                                            x,
                                            d,
                                            Aes.aesenc(x[d], x[d + 1], 0) ^ l,
                                            Aes.aesenc(x[d], x[d + 1], 1) ^ h));
            case AESENCLAST ->
                    SimdForms.binary(
                            i,
                            (x, d, l, h) ->
                                    set(
                                            x,
                                            d,
                                            Aes.aesenclast(x[d], x[d + 1], 0) ^ l,
                                            Aes.aesenclast(x[d], x[d + 1], 1) ^ h));
            case AESDEC ->
                    SimdForms.binary(
                            i,
                            (x, d, l, h) ->
                                    set(
                                            x,
                                            d,
                                            Aes.aesdec(x[d], x[d + 1], 0) ^ l,
                                            Aes.aesdec(x[d], x[d + 1], 1) ^ h));
            case AESDECLAST ->
                    SimdForms.binary(
                            i,
                            (x, d, l, h) ->
                                    set(
                                            x,
                                            d,
                                            Aes.aesdeclast(x[d], x[d + 1], 0) ^ l,
                                            Aes.aesdeclast(x[d], x[d + 1], 1) ^ h));
            case AESIMC ->
                    SimdForms.binary(i, (x, d, l, h) -> set(x, d, Aes.aesimc(l), Aes.aesimc(h)));
            case AESKEYGENASSIST ->
                    SimdForms.binary(
                            i,
                            (x, d, l, h) ->
                                    set(
                                            x,
                                            d,
                                            Aes.aeskeygenassist(l, imm),
                                            Aes.aeskeygenassist(h, imm)));
            case PCLMULQDQ -> SimdForms.binary(i, (x, d, l, h) -> pclmulqdq(x, d, l, h, imm));
            case SHA1RNDS4 ->
                    SimdForms.binary(i, (x, d, l, h) -> Sha.sha1rnds4(x, d, l, h, imm & 3));
            case SHA1NEXTE -> SimdForms.binary(i, Sha::sha1nexte);
            case SHA1MSG1 -> SimdForms.binary(i, Sha::sha1msg1);
            case SHA1MSG2 -> SimdForms.binary(i, Sha::sha1msg2);
            case SHA256RNDS2 ->
                    SimdForms.binary(i, (x, d, l, h) -> Sha.sha256rnds2(x, d, l, h, x[0]));
            case SHA256MSG1 -> SimdForms.binary(i, Sha::sha256msg1);
            case SHA256MSG2 -> SimdForms.binary(i, Sha::sha256msg2);
            default -> null;
        };
    }

    private static void pclmulqdq(long[] x, int d, long l, long h, int imm) {
        long a = (imm & 1) == 0 ? x[d] : x[d + 1];
        long b = (imm & 0x10) == 0 ? l : h;
        set(x, d, Pclmul.low(a, b), Pclmul.high(a, b));
    }
}
