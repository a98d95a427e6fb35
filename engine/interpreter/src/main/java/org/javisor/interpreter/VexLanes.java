package org.javisor.interpreter;

import static org.javisor.interpreter.VexForms.FIRST;
import static org.javisor.interpreter.VexForms.SECOND;
import static org.javisor.x86.Instruction.GPR;
import static org.javisor.x86.Instruction.IMM;
import static org.javisor.x86.Instruction.MEM;
import static org.javisor.x86.Instruction.XMM;
import static org.javisor.x86.Instruction.YMM;

import org.javisor.x86.Instruction;
import org.javisor.x86.Op;

/**
 * VEX encodings of what SSE has too, carried out by SSE's handlers: the operands go to working
 * registers, 128 bits at a time, and the results from there to the destination.
 */
final class VexLanes {
    private VexLanes() {}

    static Handler select(Instruction i) {
        if (VexForms.wide(i)) {
            return wide(i);
        }
        if (i.op == Op.LDMXCSR || i.op == Op.STMXCSR) {
            return asItIs(FpuAreaHandlers.selectSse(i));
        }
        if (i.kind0 == MEM || i.kind0 == GPR || comparesIntoFlags(i.op)) {
            return asItIs(SimdHandlers.selectSse(i));
        }
        return switch (i.op) {
            case PCMPESTRI, PCMPISTRI, MASKMOVDQU -> asItIs(SimdHandlers.selectSse(i));
            case PCMPESTRM, PCMPISTRM -> clearing(SimdHandlers.selectSse(i), 0);
            case MOVD, MOVQ -> clearing(SimdHandlers.selectSse(i), i.reg0);
            default -> oneLane(i);
        };
    }

    private static boolean comparesIntoFlags(Op op) {
        return switch (op) {
            case COMISS, COMISD, UCOMISS, UCOMISD -> true;
            default -> false;
        };
    }

    /** What SSE's handler does, on the registers that the instruction names. */
    private static Handler asItIs(Handler sse) {
        return sse == null
                ? null
                : (c, j) -> {
                    c.requireAvx();
                    sse.execute(c, j);
                };
    }

    private static Handler clearing(Handler sse, int register) {
        return sse == null
                ? null
                : (c, j) -> {
                    c.requireAvx();
                    sse.execute(c, j);
                    VexForms.clearHigh(c, register);
                };
    }

    private static boolean shiftsByImmediate(Instruction i) {
        return switch (i.op) {
            case PSRLW, PSRLD, PSRLQ, PSRAW, PSRAD, PSLLW, PSLLD, PSLLQ -> i.kind2 == IMM;
            case PSRLDQ, PSLLDQ -> true;
            default -> false;
        };
    }

    // 128 bits

    private static Handler oneLane(Instruction i) {
        boolean shift = shiftsByImmediate(i);
        boolean two = VexForms.hasTwoSources(i);
        int kind = two ? i.kind2 : i.kind1;
        int register = two ? i.reg2 : i.reg1;
        boolean load = kind == MEM && i.memorySize == 16;
        Instruction inner =
                i.inTwoOperands(
                        XMM,
                        FIRST,
                        shift ? IMM : load ? XMM : kind,
                        load ? SECOND : register,
                        i.imm);
        Handler sse = SimdHandlers.selectSse(inner);
        if (sse == null) {
            return null;
        }
        boolean firstNeeded = shift || two;
        return (c, j) -> {
            c.requireAvx();
            long[] x = c.fpu.xmm;
            if (load) {
                c.load128(j);
                SimdForms.set(x, SECOND << 1, c.lo, c.hi);
            }
            if (firstNeeded) {
                int s = j.reg1 << 1;
                SimdForms.set(x, FIRST << 1, x[s], x[s + 1]);
            }
            sse.execute(c, inner);
            VexForms.set128(c, j.reg0, x[FIRST << 1], x[(FIRST << 1) + 1]);
        };
    }

    // 256 bits

    private static Handler wide(Instruction i) {
        if (i.kind0 != YMM && !narrows(i.op)) {
            return null;
        }
        boolean shift = shiftsByImmediate(i);
        boolean two = VexForms.hasTwoSources(i);
        int kind = shift ? IMM : XMM;
        Instruction low = i.inTwoOperands(XMM, FIRST, kind, SECOND, i.imm);
        Instruction high = i.inTwoOperands(XMM, FIRST, kind, SECOND, i.imm >> upperImmediate(i.op));
        Handler lowHandler = SimdHandlers.selectSse(low);
        Handler highHandler = SimdHandlers.selectSse(high);
        if (lowHandler == null || highHandler == null) {
            return null;
        }
        int bits = sourceBits(i, two);
        boolean narrow = i.kind0 == XMM;
        return (c, j) -> {
            c.requireAvx();
            if (shift) {
                VexForms.source(c, j, XMM, j.reg1, true);
            } else {
                load(c, j, two ? j.kind2 : j.kind1, two ? j.reg2 : j.reg1, bits);
            }
            long[] x = c.fpu.xmm;
            int a = FIRST << 1;
            int b = SECOND << 1;
            int s = j.reg1 << 1;
            if (shift) {
                SimdForms.set(x, a, c.lo, c.hi);
            } else if (two) {
                SimdForms.set(x, a, x[s], x[s + 1]);
            }
            long thirdIn = c.lo2;
            long fourthIn = c.hi2;
            SimdForms.set(x, b, c.lo, c.hi);
            c.settleLater = true;
            try {
                lowHandler.execute(c, low);
            } finally {
                c.settleLater = false;
            }
            long first = x[a];
            long second = x[a + 1];
            if (shift) {
                SimdForms.set(x, a, thirdIn, fourthIn);
            } else if (two) {
                SimdForms.set(x, a, c.fpu.ymmHigh[s], c.fpu.ymmHigh[s + 1]);
            }
            SimdForms.set(x, b, thirdIn, fourthIn);
            highHandler.execute(c, high);
            if (narrow) {
                VexForms.set128(c, j.reg0, first, x[a]);
            } else {
                VexForms.set256(c, j.reg0, first, second, x[a], x[a + 1]);
            }
        };
    }

    private static boolean narrows(Op op) {
        return op == Op.CVTPD2PS || op == Op.CVTPD2DQ || op == Op.CVTTPD2DQ;
    }

    /** How far the immediate of the upper lane lies above that of the lower, where they differ. */
    private static int upperImmediate(Op op) {
        return switch (op) {
            case BLENDPS -> 4;
            case MPSADBW -> 3;
            case BLENDPD, SHUFPD -> 2;
            default -> 0;
        };
    }

    private static final int COUNT = 0, WHOLE = 128;

    /** How many bits of the second source one lane takes; {@link #COUNT} if both take the same. */
    private static int sourceBits(Instruction i, boolean two) {
        return switch (i.op) {
            case PMOVSXBW, PMOVSXWD, PMOVSXDQ, PMOVZXBW, PMOVZXWD, PMOVZXDQ -> 64;
            case CVTPS2PD, CVTDQ2PD -> 64;
            case PMOVSXBD, PMOVSXWQ, PMOVZXBD, PMOVZXWQ -> 32;
            case PMOVSXBQ, PMOVZXBQ -> 16;
            case PSRLW, PSRLD, PSRLQ, PSRAW, PSRAD, PSLLW, PSLLD, PSLLQ -> two ? COUNT : WHOLE;
            default -> WHOLE;
        };
    }

    private static void load(Cpu c, Instruction i, int kind, int register, int bits) {
        if (bits == WHOLE) {
            VexForms.source(c, i, kind, register, true);
            return;
        }
        if (kind == MEM && bits < 64 && bits != COUNT) {
            c.lo = bits == 32 ? c.load64(i) : c.load32(i);
        } else {
            VexForms.source(c, i, kind, register, false);
        }
        c.lo2 = bits == COUNT ? c.lo : bits == 64 ? c.hi : c.lo >>> bits;
        c.hi2 = bits == COUNT ? c.hi : 0;
    }
}
