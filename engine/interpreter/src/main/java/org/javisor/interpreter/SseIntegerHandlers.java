package org.javisor.interpreter;

import static org.javisor.interpreter.SimdForms.set;
import static org.javisor.x86.PackedInteger.*;
import static org.javisor.x86.PackedShuffle.*;

import java.util.function.LongBinaryOperator;
import org.javisor.x86.Instruction;
import org.javisor.x86.Op;
import org.javisor.x86.PackedInteger;

/** Integer arithmetic, logic, comparison, packing and shifts on XMM registers. */
final class SseIntegerHandlers {
    private SseIntegerHandlers() {}

    static Handler select(Instruction i) {
        if (i.kind0 != Instruction.XMM) {
            return i.op == Op.PMOVMSKB && i.kind1 == Instruction.XMM
                    ? SseIntegerHandlers::pmovmskb
                    : null;
        }
        Handler shift = shift(i);
        if (shift != null) {
            return shift;
        }
        if (i.kind1 == Instruction.XMM) {
            Handler direct = frequent(i);
            if (direct != null) {
                return direct;
            }
        }
        SimdForms.Operation f = arithmetic(i);
        if (f == null) {
            f = comparison(i);
        }
        if (f == null) {
            f = logicAndPacking(i);
        }
        return f == null ? null : SimdForms.binary(i, f);
    }

    /** Register forms that string functions live on, each with a method of its own. */
    private static Handler frequent(Instruction i) {
        return switch (i.op) {
            case PXOR, XORPS, XORPD -> SseIntegerHandlers::pxorRegister;
            case PAND, ANDPS, ANDPD -> SseIntegerHandlers::pandRegister;
            case POR, ORPS, ORPD -> SseIntegerHandlers::porRegister;
            case PCMPEQB -> SseIntegerHandlers::pcmpeqbRegister;
            case PMINUB -> SseIntegerHandlers::pminubRegister;
            case PADDD -> SseIntegerHandlers::padddRegister;
            case PADDQ -> SseIntegerHandlers::paddqRegister;
            default -> null;
        };
    }

    private static void pxorRegister(Cpu c, Instruction i) {
        c.requireSse();
        long[] x = c.fpu.xmm;
        int d = i.reg0 << 1;
        int s = i.reg1 << 1;
        x[d] ^= x[s];
        x[d + 1] ^= x[s + 1];
    }

    private static void pandRegister(Cpu c, Instruction i) {
        c.requireSse();
        long[] x = c.fpu.xmm;
        int d = i.reg0 << 1;
        int s = i.reg1 << 1;
        x[d] &= x[s];
        x[d + 1] &= x[s + 1];
    }

    private static void porRegister(Cpu c, Instruction i) {
        c.requireSse();
        long[] x = c.fpu.xmm;
        int d = i.reg0 << 1;
        int s = i.reg1 << 1;
        x[d] |= x[s];
        x[d + 1] |= x[s + 1];
    }

    private static void pcmpeqbRegister(Cpu c, Instruction i) {
        c.requireSse();
        long[] x = c.fpu.xmm;
        int d = i.reg0 << 1;
        int s = i.reg1 << 1;
        set(x, d, PackedInteger.pcmpeqb(x[d], x[s]), PackedInteger.pcmpeqb(x[d + 1], x[s + 1]));
    }

    private static void pminubRegister(Cpu c, Instruction i) {
        c.requireSse();
        long[] x = c.fpu.xmm;
        int d = i.reg0 << 1;
        int s = i.reg1 << 1;
        set(x, d, PackedInteger.pminub(x[d], x[s]), PackedInteger.pminub(x[d + 1], x[s + 1]));
    }

    private static void padddRegister(Cpu c, Instruction i) {
        c.requireSse();
        long[] x = c.fpu.xmm;
        int d = i.reg0 << 1;
        int s = i.reg1 << 1;
        set(x, d, PackedInteger.paddd(x[d], x[s]), PackedInteger.paddd(x[d + 1], x[s + 1]));
    }

    private static void paddqRegister(Cpu c, Instruction i) {
        c.requireSse();
        long[] x = c.fpu.xmm;
        int d = i.reg0 << 1;
        int s = i.reg1 << 1;
        x[d] += x[s];
        x[d + 1] += x[s + 1];
    }

    private static void pmovmskb(Cpu c, Instruction i) {
        c.requireSse();
        long[] x = c.fpu.xmm;
        int s = i.reg1 << 1;
        c.gpr[i.reg0] = PackedInteger.pmovmskb(x[s]) | PackedInteger.pmovmskb(x[s + 1]) << 8;
    }

    private static SimdForms.Operation arithmetic(Instruction i) {
        return switch (i.op) {
            case PADDB -> (x, d, l, h) -> set(x, d, paddb(x[d], l), paddb(x[d + 1], h));
            case PADDW -> (x, d, l, h) -> set(x, d, paddw(x[d], l), paddw(x[d + 1], h));
            case PADDD -> (x, d, l, h) -> set(x, d, paddd(x[d], l), paddd(x[d + 1], h));
            case PADDQ -> (x, d, l, h) -> set(x, d, paddq(x[d], l), paddq(x[d + 1], h));
            case PSUBB -> (x, d, l, h) -> set(x, d, psubb(x[d], l), psubb(x[d + 1], h));
            case PSUBW -> (x, d, l, h) -> set(x, d, psubw(x[d], l), psubw(x[d + 1], h));
            case PSUBD -> (x, d, l, h) -> set(x, d, psubd(x[d], l), psubd(x[d + 1], h));
            case PSUBQ -> (x, d, l, h) -> set(x, d, psubq(x[d], l), psubq(x[d + 1], h));
            case PADDUSB -> (x, d, l, h) -> set(x, d, paddusb(x[d], l), paddusb(x[d + 1], h));
            case PADDUSW -> (x, d, l, h) -> set(x, d, paddusw(x[d], l), paddusw(x[d + 1], h));
            case PSUBUSB -> (x, d, l, h) -> set(x, d, psubusb(x[d], l), psubusb(x[d + 1], h));
            case PSUBUSW -> (x, d, l, h) -> set(x, d, psubusw(x[d], l), psubusw(x[d + 1], h));
            case PADDSB -> (x, d, l, h) -> set(x, d, paddsb(x[d], l), paddsb(x[d + 1], h));
            case PADDSW -> (x, d, l, h) -> set(x, d, paddsw(x[d], l), paddsw(x[d + 1], h));
            case PSUBSB -> (x, d, l, h) -> set(x, d, psubsb(x[d], l), psubsb(x[d + 1], h));
            case PSUBSW -> (x, d, l, h) -> set(x, d, psubsw(x[d], l), psubsw(x[d + 1], h));
            case PAVGB -> (x, d, l, h) -> set(x, d, pavgb(x[d], l), pavgb(x[d + 1], h));
            case PAVGW -> (x, d, l, h) -> set(x, d, pavgw(x[d], l), pavgw(x[d + 1], h));
            case PMULLW -> (x, d, l, h) -> set(x, d, pmullw(x[d], l), pmullw(x[d + 1], h));
            case PMULHW -> (x, d, l, h) -> set(x, d, pmulhw(x[d], l), pmulhw(x[d + 1], h));
            case PMULHUW -> (x, d, l, h) -> set(x, d, pmulhuw(x[d], l), pmulhuw(x[d + 1], h));
            case PMULHRSW -> (x, d, l, h) -> set(x, d, pmulhrsw(x[d], l), pmulhrsw(x[d + 1], h));
            case PMADDWD -> (x, d, l, h) -> set(x, d, pmaddwd(x[d], l), pmaddwd(x[d + 1], h));
            case PMADDUBSW -> (x, d, l, h) -> set(x, d, pmaddubsw(x[d], l), pmaddubsw(x[d + 1], h));
            case PMULLD -> (x, d, l, h) -> set(x, d, pmulld(x[d], l), pmulld(x[d + 1], h));
            case PMULUDQ -> (x, d, l, h) -> set(x, d, pmuludq(x[d], l), pmuludq(x[d + 1], h));
            case PMULDQ -> (x, d, l, h) -> set(x, d, pmuldq(x[d], l), pmuldq(x[d + 1], h));
            case PSADBW -> (x, d, l, h) -> set(x, d, psadbw(x[d], l), psadbw(x[d + 1], h));
            case PSIGNB -> (x, d, l, h) -> set(x, d, psignb(x[d], l), psignb(x[d + 1], h));
            case PSIGNW -> (x, d, l, h) -> set(x, d, psignw(x[d], l), psignw(x[d + 1], h));
            case PSIGND -> (x, d, l, h) -> set(x, d, psignd(x[d], l), psignd(x[d + 1], h));
            case PABSB -> (x, d, l, h) -> set(x, d, pabsb(l), pabsb(h));
            case PABSW -> (x, d, l, h) -> set(x, d, pabsw(l), pabsw(h));
            case PABSD -> (x, d, l, h) -> set(x, d, pabsd(l), pabsd(h));
            case PHADDW -> (x, d, l, h) -> set(x, d, phaddw(x[d], x[d + 1]), phaddw(l, h));
            case PHADDD -> (x, d, l, h) -> set(x, d, phaddd(x[d], x[d + 1]), phaddd(l, h));
            case PHADDSW -> (x, d, l, h) -> set(x, d, phaddsw(x[d], x[d + 1]), phaddsw(l, h));
            case PHSUBW -> (x, d, l, h) -> set(x, d, phsubw(x[d], x[d + 1]), phsubw(l, h));
            case PHSUBD -> (x, d, l, h) -> set(x, d, phsubd(x[d], x[d + 1]), phsubd(l, h));
            case PHSUBSW -> (x, d, l, h) -> set(x, d, phsubsw(x[d], x[d + 1]), phsubsw(l, h));
            case PHMINPOSUW -> (x, d, l, h) -> set(x, d, phminposuw(l, h), 0);
            default -> null;
        };
    }

    private static SimdForms.Operation comparison(Instruction i) {
        return switch (i.op) {
            case PCMPEQB -> (x, d, l, h) -> set(x, d, pcmpeqb(x[d], l), pcmpeqb(x[d + 1], h));
            case PCMPEQW -> (x, d, l, h) -> set(x, d, pcmpeqw(x[d], l), pcmpeqw(x[d + 1], h));
            case PCMPEQD -> (x, d, l, h) -> set(x, d, pcmpeqd(x[d], l), pcmpeqd(x[d + 1], h));
            case PCMPEQQ -> (x, d, l, h) -> set(x, d, pcmpeqq(x[d], l), pcmpeqq(x[d + 1], h));
            case PCMPGTB -> (x, d, l, h) -> set(x, d, pcmpgtb(x[d], l), pcmpgtb(x[d + 1], h));
            case PCMPGTW -> (x, d, l, h) -> set(x, d, pcmpgtw(x[d], l), pcmpgtw(x[d + 1], h));
            case PCMPGTD -> (x, d, l, h) -> set(x, d, pcmpgtd(x[d], l), pcmpgtd(x[d + 1], h));
            case PCMPGTQ -> (x, d, l, h) -> set(x, d, pcmpgtq(x[d], l), pcmpgtq(x[d + 1], h));
            case PMAXUB -> (x, d, l, h) -> set(x, d, pmaxub(x[d], l), pmaxub(x[d + 1], h));
            case PMAXUW -> (x, d, l, h) -> set(x, d, pmaxuw(x[d], l), pmaxuw(x[d + 1], h));
            case PMAXUD -> (x, d, l, h) -> set(x, d, pmaxud(x[d], l), pmaxud(x[d + 1], h));
            case PMAXSB -> (x, d, l, h) -> set(x, d, pmaxsb(x[d], l), pmaxsb(x[d + 1], h));
            case PMAXSW -> (x, d, l, h) -> set(x, d, pmaxsw(x[d], l), pmaxsw(x[d + 1], h));
            case PMAXSD -> (x, d, l, h) -> set(x, d, pmaxsd(x[d], l), pmaxsd(x[d + 1], h));
            case PMINUB -> (x, d, l, h) -> set(x, d, pminub(x[d], l), pminub(x[d + 1], h));
            case PMINUW -> (x, d, l, h) -> set(x, d, pminuw(x[d], l), pminuw(x[d + 1], h));
            case PMINUD -> (x, d, l, h) -> set(x, d, pminud(x[d], l), pminud(x[d + 1], h));
            case PMINSB -> (x, d, l, h) -> set(x, d, pminsb(x[d], l), pminsb(x[d + 1], h));
            case PMINSW -> (x, d, l, h) -> set(x, d, pminsw(x[d], l), pminsw(x[d + 1], h));
            case PMINSD -> (x, d, l, h) -> set(x, d, pminsd(x[d], l), pminsd(x[d + 1], h));
            default -> null;
        };
    }

    private static SimdForms.Operation logicAndPacking(Instruction i) {
        return switch (i.op) {
            case PAND, ANDPS, ANDPD -> (x, d, l, h) -> set(x, d, x[d] & l, x[d + 1] & h);
            case PANDN, ANDNPS, ANDNPD -> (x, d, l, h) -> set(x, d, ~x[d] & l, ~x[d + 1] & h);
            case POR, ORPS, ORPD -> (x, d, l, h) -> set(x, d, x[d] | l, x[d + 1] | h);
            case PXOR, XORPS, XORPD -> (x, d, l, h) -> set(x, d, x[d] ^ l, x[d + 1] ^ h);
            case PACKSSWB -> (x, d, l, h) -> set(x, d, packsswb(x[d], x[d + 1]), packsswb(l, h));
            case PACKUSWB -> (x, d, l, h) -> set(x, d, packuswb(x[d], x[d + 1]), packuswb(l, h));
            case PACKSSDW -> (x, d, l, h) -> set(x, d, packssdw(x[d], x[d + 1]), packssdw(l, h));
            case PACKUSDW -> (x, d, l, h) -> set(x, d, packusdw(x[d], x[d + 1]), packusdw(l, h));
            case PUNPCKLBW -> (x, d, l, h) -> set(x, d, punpcklbw(x[d], l), punpckhbw(x[d], l));
            case PUNPCKHBW ->
                    (x, d, l, h) -> set(x, d, punpcklbw(x[d + 1], h), punpckhbw(x[d + 1], h));
            case PUNPCKLWD -> (x, d, l, h) -> set(x, d, punpcklwd(x[d], l), punpckhwd(x[d], l));
            case PUNPCKHWD ->
                    (x, d, l, h) -> set(x, d, punpcklwd(x[d + 1], h), punpckhwd(x[d + 1], h));
            case PUNPCKLDQ, UNPCKLPS ->
                    (x, d, l, h) -> set(x, d, punpckldq(x[d], l), punpckhdq(x[d], l));
            case PUNPCKHDQ, UNPCKHPS ->
                    (x, d, l, h) -> set(x, d, punpckldq(x[d + 1], h), punpckhdq(x[d + 1], h));
            case PUNPCKLQDQ, UNPCKLPD -> (x, d, l, h) -> x[d + 1] = l;
            case PUNPCKHQDQ, UNPCKHPD -> (x, d, l, h) -> set(x, d, x[d + 1], h);
            case PSHUFB ->
                    (x, d, l, h) -> set(x, d, pshufb(x[d], x[d + 1], l), pshufb(x[d], x[d + 1], h));
            default -> null;
        };
    }

    // Shifts: by an immediate, or by the whole low quadword of the source

    private static Handler shift(Instruction i) {
        return switch (i.op) {
            case PSLLW -> shift(i, PackedInteger::psllw);
            case PSLLD -> shift(i, PackedInteger::pslld);
            case PSLLQ -> shift(i, PackedInteger::psllq);
            case PSRLW -> shift(i, PackedInteger::psrlw);
            case PSRLD -> shift(i, PackedInteger::psrld);
            case PSRLQ -> shift(i, PackedInteger::psrlq);
            case PSRAW -> shift(i, PackedInteger::psraw);
            case PSRAD -> shift(i, PackedInteger::psrad);
            default -> null;
        };
    }

    private static Handler shift(Instruction i, LongBinaryOperator f) {
        if (i.kind1 == Instruction.IMM) {
            return (c, j) -> {
                c.requireSse();
                shift(c.fpu.xmm, j.reg0 << 1, f, j.imm & 0xff);
            };
        }
        return (c, j) -> {
            c.requireSse();
            SimdForms.source128(c, j);
            shift(c.fpu.xmm, j.reg0 << 1, f, c.lo);
        };
    }

    private static void shift(long[] x, int d, LongBinaryOperator f, long count) {
        set(x, d, f.applyAsLong(x[d], count), f.applyAsLong(x[d + 1], count));
    }
}
