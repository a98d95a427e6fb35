package org.javisor.interpreter;

import static org.javisor.interpreter.SimdForms.set;
import static org.javisor.x86.Instruction.MEM;
import static org.javisor.x86.Instruction.XMM;
import static org.javisor.x86.PackedShuffle.extract;
import static org.javisor.x86.PackedShuffle.lane32;

import java.util.function.LongUnaryOperator;
import org.javisor.x86.Instruction;
import org.javisor.x86.PackedShuffle;

/** Rearrangement, widening, blending, insertion and extraction of XMM registers' lanes. */
final class SseShuffleHandlers {
    private static final long LOW = 0xffffffffL;

    private SseShuffleHandlers() {}

    static Handler select(Instruction i) {
        Handler handler = shuffle(i);
        if (handler == null) {
            handler = widening(i);
        }
        return handler == null ? insertOrExtract(i) : handler;
    }

    private static Handler shuffle(Instruction i) {
        int imm = (int) i.imm & 0xff;
        return switch (i.op) {
            case PSHUFD -> SimdForms.binary(i, (x, d, l, h) -> pshufd(x, d, l, h, imm));
            case PSHUFLW ->
                    SimdForms.binary(i, (x, d, l, h) -> set(x, d, PackedShuffle.pshufw(l, imm), h));
            case PSHUFHW ->
                    SimdForms.binary(i, (x, d, l, h) -> set(x, d, l, PackedShuffle.pshufw(h, imm)));
            case SHUFPS -> SimdForms.binary(i, (x, d, l, h) -> shufps(x, d, l, h, imm));
            case SHUFPD ->
                    SimdForms.binary(
                            i,
                            (x, d, l, h) ->
                                    set(
                                            x,
                                            d,
                                            (imm & 1) == 0 ? x[d] : x[d + 1],
                                            (imm & 2) == 0 ? l : h));
            case PALIGNR ->
                    i.kind0 != XMM
                            ? null
                            : SimdForms.binary(
                                    i,
                                    (x, d, l, h) ->
                                            set(
                                                    x,
                                                    d,
                                                    extract(l, h, x[d], x[d + 1], imm),
                                                    extract(l, h, x[d], x[d + 1], imm + 8)));
            case PSRLDQ -> SseShuffleHandlers::psrldq;
            case PSLLDQ -> SseShuffleHandlers::pslldq;
            case PBLENDVB ->
                    SimdForms.binary(
                            i,
                            (x, d, l, h) ->
                                    set(
                                            x,
                                            d,
                                            PackedShuffle.blendBytes(x[d], l, x[0]),
                                            PackedShuffle.blendBytes(x[d + 1], h, x[1])));
            case BLENDVPS ->
                    SimdForms.binary(
                            i,
                            (x, d, l, h) ->
                                    set(
                                            x,
                                            d,
                                            PackedShuffle.blendDoublewords(x[d], l, x[0]),
                                            PackedShuffle.blendDoublewords(x[d + 1], h, x[1])));
            case BLENDVPD ->
                    SimdForms.binary(
                            i,
                            (x, d, l, h) ->
                                    set(x, d, x[0] < 0 ? l : x[d], x[1] < 0 ? h : x[d + 1]));
            case PBLENDW ->
                    SimdForms.binary(
                            i,
                            (x, d, l, h) ->
                                    set(
                                            x,
                                            d,
                                            PackedShuffle.pblendw(x[d], l, imm),
                                            PackedShuffle.pblendw(x[d + 1], h, imm >> 4)));
            case BLENDPS -> SimdForms.binary(i, (x, d, l, h) -> blendps(x, d, l, h, imm));
            case BLENDPD ->
                    SimdForms.binary(
                            i,
                            (x, d, l, h) ->
                                    set(
                                            x,
                                            d,
                                            (imm & 1) != 0 ? l : x[d],
                                            (imm & 2) != 0 ? h : x[d + 1]));
            case MPSADBW -> SimdForms.binary(i, (x, d, l, h) -> mpsadbw(x, d, l, h, imm));
            default -> null;
        };
    }

    private static void pshufd(long[] x, int d, long l, long h, int imm) {
        set(
                x,
                d,
                lane32(l, h, imm & 3) | lane32(l, h, imm >> 2 & 3) << 32,
                lane32(l, h, imm >> 4 & 3) | lane32(l, h, imm >> 6) << 32);
    }

    private static void shufps(long[] x, int d, long l, long h, int imm) {
        set(
                x,
                d,
                lane32(x[d], x[d + 1], imm & 3) | lane32(x[d], x[d + 1], imm >> 2 & 3) << 32,
                lane32(l, h, imm >> 4 & 3) | lane32(l, h, imm >> 6) << 32);
    }

    private static void psrldq(Cpu c, Instruction i) {
        c.requireSse();
        long[] x = c.fpu.xmm;
        int d = i.reg0 << 1;
        int bytes = (int) i.imm & 0xff;
        set(x, d, extract(x[d], x[d + 1], 0, 0, bytes), extract(x[d], x[d + 1], 0, 0, bytes + 8));
    }

    private static void pslldq(Cpu c, Instruction i) {
        c.requireSse();
        long[] x = c.fpu.xmm;
        int d = i.reg0 << 1;
        int bytes = Math.min((int) i.imm & 0xff, 16);
        set(
                x,
                d,
                extract(0, 0, x[d], x[d + 1], 16 - bytes),
                extract(0, 0, x[d], x[d + 1], 24 - bytes));
    }

    private static void blendps(long[] x, int d, long l, long h, int imm) {
        long low = ((imm & 1) != 0 ? LOW : 0) | ((imm & 2) != 0 ? ~LOW : 0);
        long high = ((imm & 4) != 0 ? LOW : 0) | ((imm & 8) != 0 ? ~LOW : 0);
        set(x, d, x[d] & ~low | l & low, x[d + 1] & ~high | h & high);
    }

    private static void mpsadbw(long[] x, int d, long l, long h, int imm) {
        int block = (int) lane32(l, h, imm & 3);
        int from = imm & 4;
        long first = extract(x[d], x[d + 1], 0, 0, from);
        long second = extract(x[d], x[d + 1], 0, 0, from + 4);
        set(x, d, PackedShuffle.mpsadbw(first, block), PackedShuffle.mpsadbw(second, block));
    }

    // Widening: a memory source has only the bytes that are widened, and no alignment

    private static Handler widening(Instruction i) {
        return switch (i.op) {
            case PMOVSXBW -> widen(i, 32, PackedShuffle::pmovsxbw);
            case PMOVSXBD -> widen(i, 16, PackedShuffle::pmovsxbd);
            case PMOVSXBQ -> widen(i, 8, PackedShuffle::pmovsxbq);
            case PMOVSXWD -> widen(i, 32, PackedShuffle::pmovsxwd);
            case PMOVSXWQ -> widen(i, 16, PackedShuffle::pmovsxwq);
            case PMOVSXDQ -> widen(i, 32, PackedShuffle::pmovsxdq);
            case PMOVZXBW -> widen(i, 32, PackedShuffle::pmovzxbw);
            case PMOVZXBD -> widen(i, 16, PackedShuffle::pmovzxbd);
            case PMOVZXBQ -> widen(i, 8, PackedShuffle::pmovzxbq);
            case PMOVZXWD -> widen(i, 32, PackedShuffle::pmovzxwd);
            case PMOVZXWQ -> widen(i, 16, PackedShuffle::pmovzxwq);
            case PMOVZXDQ -> widen(i, 32, PackedShuffle::pmovzxdq);
            default -> null;
        };
    }

    /** {@code bits}: how much of the source makes one half of the result. */
    private static Handler widen(Instruction i, int bits, LongUnaryOperator f) {
        return (c, j) -> {
            c.requireSse();
            long source;
            if (j.kind1 == MEM) {
                source = bits == 32 ? c.load64(j) : bits == 16 ? c.load32(j) : c.load16(j);
            } else {
                source = c.fpu.xmm[j.reg1 << 1];
            }
            set(c.fpu.xmm, j.reg0 << 1, f.applyAsLong(source), f.applyAsLong(source >>> bits));
        };
    }

    // Single lanes

    private static Handler insertOrExtract(Instruction i) {
        return switch (i.op) {
            case PINSRB -> (c, j) -> insert(c, j, 8, 0xf);
            case PINSRW -> i.kind0 != XMM ? null : (c, j) -> insert(c, j, 16, 7);
            case PINSRD -> (c, j) -> insert(c, j, 32, 3);
            case PINSRQ -> (c, j) -> insert(c, j, 64, 1);
            case PEXTRB -> (c, j) -> extractLane(c, j, 8, 0xf);
            case PEXTRW -> i.kind1 != XMM ? null : (c, j) -> extractLane(c, j, 16, 7);
            case PEXTRD, EXTRACTPS -> (c, j) -> extractLane(c, j, 32, 3);
            case PEXTRQ -> (c, j) -> extractLane(c, j, 64, 1);
            case INSERTPS -> SseShuffleHandlers::insertps;
            default -> null;
        };
    }

    private static void insert(Cpu c, Instruction i, int bits, int lanes) {
        c.requireSse();
        long value = i.kind1 == MEM ? c.load(i, bits >> 3) : c.gpr[i.reg1];
        int at = ((int) i.imm & lanes) * bits;
        long[] x = c.fpu.xmm;
        int d = (i.reg0 << 1) + (at >> 6);
        long mask = Cpu.mask(bits >> 3) << at;
        x[d] = x[d] & ~mask | value << at & mask;
    }

    private static void extractLane(Cpu c, Instruction i, int bits, int lanes) {
        c.requireSse();
        int at = ((int) i.imm & lanes) * bits;
        long value = c.fpu.xmm[(i.reg1 << 1) + (at >> 6)] >>> at & Cpu.mask(bits >> 3);
        if (i.kind0 == MEM) {
            c.store(i, bits >> 3, value);
        } else {
            c.gpr[i.reg0] = value;
        }
    }

    private static void insertps(Cpu c, Instruction i) {
        c.requireSse();
        long[] x = c.fpu.xmm;
        int imm = (int) i.imm & 0xff;
        long value =
                i.kind1 == MEM
                        ? c.load32(i) & LOW
                        : lane32(x[i.reg1 << 1], x[(i.reg1 << 1) + 1], imm >> 6);
        int lane = imm >> 4 & 3;
        int d = i.reg0 << 1;
        for (int n = 0; n < 4; n++) {
            int shift = (n & 1) << 5;
            int at = d + (n >> 1);
            if ((imm >> n & 1) != 0) {
                x[at] &= ~(LOW << shift);
            } else if (n == lane) {
                x[at] = x[at] & ~(LOW << shift) | value << shift;
            }
        }
    }
}
