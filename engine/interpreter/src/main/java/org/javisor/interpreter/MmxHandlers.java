package org.javisor.interpreter;

import static org.javisor.x86.Instruction.GPR;
import static org.javisor.x86.Instruction.IMM;
import static org.javisor.x86.Instruction.MEM;
import static org.javisor.x86.Instruction.MMX;

import java.util.function.LongBinaryOperator;
import org.javisor.x86.FpuState;
import org.javisor.x86.Instruction;
import org.javisor.x86.Op;
import org.javisor.x86.PackedInteger;
import org.javisor.x86.PackedShuffle;

/**
 * Instructions on MMX registers, which are the significands of the x87 registers. Each of them
 * makes all x87 registers valid and the top of their stack register 0; a write sets sign and
 * exponent to all ones (Intel SDM vol. 1, 9.5).
 */
final class MmxHandlers {
    private static final long LOW = 0xffffffffL;
    private static final int SIGN_AND_EXPONENT = 0xffff;

    private MmxHandlers() {}

    static Handler select(Instruction i) {
        if (i.op == Op.EMMS) {
            return MmxHandlers::emms;
        }
        if (i.kind0 != MMX && i.kind1 != MMX) {
            return null;
        }
        Handler handler = move(i);
        if (handler == null) {
            handler = shift(i);
        }
        if (handler == null) {
            LongBinaryOperator f = arithmetic(i);
            if (f == null) {
                f = comparison(i);
            }
            if (f == null) {
                f = shuffle(i);
            }
            handler = f == null ? null : binary(f);
        }
        return handler;
    }

    // State

    /** What every MMX instruction but EMMS does to the x87 unit. */
    static void enter(Cpu c) {
        c.fpu.top = 0;
        c.fpu.valid = 0xff;
    }

    static void write(Cpu c, int register, long value) {
        FpuState f = c.fpu;
        f.top = 0;
        f.valid = 0xff;
        f.significand[register] = value;
        f.signExponent[register] = SIGN_AND_EXPONENT;
    }

    private static void emms(Cpu c, Instruction i) {
        c.requireMmx();
        c.fpu.top = 0;
        c.fpu.valid = 0;
    }

    /** The second operand, an MMX register or as much memory as the instruction reads. */
    static long source(Cpu c, Instruction i) {
        if (i.kind1 == MEM) {
            return i.memorySize == 4 ? c.load32(i) & LOW : c.load64(i);
        }
        return c.fpu.significand[i.reg1];
    }

    private static Handler binary(LongBinaryOperator f) {
        return (c, j) -> {
            c.requireMmx();
            long b = source(c, j);
            write(c, j.reg0, f.applyAsLong(c.fpu.significand[j.reg0], b));
        };
    }

    private static Handler shift(Instruction i) {
        LongBinaryOperator f = shiftOperation(i);
        if (f == null) {
            return null;
        }
        if (i.kind1 != IMM) {
            return binary(f);
        }
        return (c, j) -> {
            c.requireMmx();
            write(c, j.reg0, f.applyAsLong(c.fpu.significand[j.reg0], j.imm & 0xff));
        };
    }

    // Moves

    private static Handler move(Instruction i) {
        return switch (i.op) {
            case MOVD, MOVQ -> i.kind0 == MMX ? MmxHandlers::load : MmxHandlers::store;
            case MOVNTQ -> MmxHandlers::store;
            case MOVQ2DQ -> MmxHandlers::movq2dq;
            case MOVDQ2Q -> MmxHandlers::movdq2q;
            case MASKMOVQ -> MmxHandlers::maskmovq;
            case PMOVMSKB -> MmxHandlers::pmovmskb;
            case PINSRW -> MmxHandlers::pinsrw;
            case PEXTRW -> MmxHandlers::pextrw;
            default -> null;
        };
    }

    private static void load(Cpu c, Instruction i) {
        c.requireMmx();
        long value =
                i.kind1 == GPR
                        ? i.op == Op.MOVQ ? c.gpr[i.reg1] : c.gpr[i.reg1] & LOW
                        : source(c, i);
        write(c, i.reg0, value);
    }

    private static void store(Cpu c, Instruction i) {
        c.requireMmx();
        long value = c.fpu.significand[i.reg1];
        boolean wide = i.op != Op.MOVD;
        if (i.kind0 == MMX) {
            write(c, i.reg0, value);
            return;
        }
        if (i.kind0 == GPR) {
            c.gpr[i.reg0] = wide ? value : value & LOW;
        } else if (wide) {
            c.store64(i, value);
        } else {
            c.store32(i, (int) value);
        }
        enter(c);
    }

    private static void movq2dq(Cpu c, Instruction i) {
        c.requireSse();
        c.requireMmx();
        enter(c);
        SimdForms.set(c.fpu.xmm, i.reg0 << 1, c.fpu.significand[i.reg1], 0);
    }

    private static void movdq2q(Cpu c, Instruction i) {
        c.requireSse();
        c.requireMmx();
        write(c, i.reg0, c.fpu.xmm[i.reg1 << 1]);
    }

    private static void maskmovq(Cpu c, Instruction i) {
        c.requireMmx();
        FpuState f = c.fpu;
        int mask = PackedInteger.pmovmskb(f.significand[i.reg1]);
        SseMoveHandlers.storeMasked(c, i, f.significand[i.reg0], 0, mask);
        enter(c);
    }

    private static void pmovmskb(Cpu c, Instruction i) {
        c.requireMmx();
        enter(c);
        c.gpr[i.reg0] = PackedInteger.pmovmskb(c.fpu.significand[i.reg1]);
    }

    private static void pinsrw(Cpu c, Instruction i) {
        c.requireMmx();
        long value = i.kind1 == MEM ? c.load16(i) : c.gpr[i.reg1];
        int at = ((int) i.imm & 3) << 4;
        long mask = 0xffffL << at;
        write(c, i.reg0, c.fpu.significand[i.reg0] & ~mask | value << at & mask);
    }

    private static void pextrw(Cpu c, Instruction i) {
        c.requireMmx();
        enter(c);
        c.gpr[i.reg0] = c.fpu.significand[i.reg1] >>> (((int) i.imm & 3) << 4) & 0xffff;
    }

    // Tables

    private static LongBinaryOperator arithmetic(Instruction i) {
        return switch (i.op) {
            case PADDB -> PackedInteger::paddb;
            case PADDW -> PackedInteger::paddw;
            case PADDD -> PackedInteger::paddd;
            case PADDQ -> PackedInteger::paddq;
            case PSUBB -> PackedInteger::psubb;
            case PSUBW -> PackedInteger::psubw;
            case PSUBD -> PackedInteger::psubd;
            case PSUBQ -> PackedInteger::psubq;
            case PADDUSB -> PackedInteger::paddusb;
            case PADDUSW -> PackedInteger::paddusw;
            case PSUBUSB -> PackedInteger::psubusb;
            case PSUBUSW -> PackedInteger::psubusw;
            case PADDSB -> PackedInteger::paddsb;
            case PADDSW -> PackedInteger::paddsw;
            case PSUBSB -> PackedInteger::psubsb;
            case PSUBSW -> PackedInteger::psubsw;
            case PAVGB -> PackedInteger::pavgb;
            case PAVGW -> PackedInteger::pavgw;
            case PMULLW -> PackedInteger::pmullw;
            case PMULHW -> PackedInteger::pmulhw;
            case PMULHUW -> PackedInteger::pmulhuw;
            case PMULHRSW -> PackedInteger::pmulhrsw;
            case PMADDWD -> PackedInteger::pmaddwd;
            case PMADDUBSW -> PackedInteger::pmaddubsw;
            case PMULUDQ -> PackedInteger::pmuludq;
            case PSADBW -> PackedInteger::psadbw;
            case PSIGNB -> PackedInteger::psignb;
            case PSIGNW -> PackedInteger::psignw;
            case PSIGND -> PackedInteger::psignd;
            case PHADDW -> PackedInteger::phaddw;
            case PHADDD -> PackedInteger::phaddd;
            case PHADDSW -> PackedInteger::phaddsw;
            case PHSUBW -> PackedInteger::phsubw;
            case PHSUBD -> PackedInteger::phsubd;
            case PHSUBSW -> PackedInteger::phsubsw;
            case PABSB -> (a, b) -> PackedInteger.pabsb(b);
            case PABSW -> (a, b) -> PackedInteger.pabsw(b);
            case PABSD -> (a, b) -> PackedInteger.pabsd(b);
            default -> null;
        };
    }

    private static LongBinaryOperator comparison(Instruction i) {
        return switch (i.op) {
            case PCMPEQB -> PackedInteger::pcmpeqb;
            case PCMPEQW -> PackedInteger::pcmpeqw;
            case PCMPEQD -> PackedInteger::pcmpeqd;
            case PCMPGTB -> PackedInteger::pcmpgtb;
            case PCMPGTW -> PackedInteger::pcmpgtw;
            case PCMPGTD -> PackedInteger::pcmpgtd;
            case PMAXUB -> PackedInteger::pmaxub;
            case PMAXSW -> PackedInteger::pmaxsw;
            case PMINUB -> PackedInteger::pminub;
            case PMINSW -> PackedInteger::pminsw;
            case PAND -> (a, b) -> a & b;
            case PANDN -> (a, b) -> ~a & b;
            case POR -> (a, b) -> a | b;
            case PXOR -> (a, b) -> a ^ b;
            default -> null;
        };
    }

    private static LongBinaryOperator shuffle(Instruction i) {
        int imm = (int) i.imm & 0xff;
        return switch (i.op) {
            case PACKSSWB -> PackedShuffle::packsswb;
            case PACKSSDW -> PackedShuffle::packssdw;
            case PACKUSWB -> PackedShuffle::packuswb;
            case PUNPCKLBW -> PackedShuffle::punpcklbw;
            case PUNPCKHBW -> PackedShuffle::punpckhbw;
            case PUNPCKLWD -> PackedShuffle::punpcklwd;
            case PUNPCKHWD -> PackedShuffle::punpckhwd;
            case PUNPCKLDQ -> PackedShuffle::punpckldq;
            case PUNPCKHDQ -> PackedShuffle::punpckhdq;
            case PSHUFB -> PackedShuffle::pshufb;
            case PSHUFW -> (a, b) -> PackedShuffle.pshufw(b, imm);
            case PALIGNR -> (a, b) -> PackedShuffle.extract(b, a, 0, 0, imm);
            default -> null;
        };
    }

    private static LongBinaryOperator shiftOperation(Instruction i) {
        return switch (i.op) {
            case PSLLW -> PackedInteger::psllw;
            case PSLLD -> PackedInteger::pslld;
            case PSLLQ -> PackedInteger::psllq;
            case PSRLW -> PackedInteger::psrlw;
            case PSRLD -> PackedInteger::psrld;
            case PSRLQ -> PackedInteger::psrlq;
            case PSRAW -> PackedInteger::psraw;
            case PSRAD -> PackedInteger::psrad;
            default -> null;
        };
    }
}
