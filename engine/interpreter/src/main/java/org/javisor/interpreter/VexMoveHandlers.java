package org.javisor.interpreter;

import static org.javisor.x86.Instruction.MEM;
import static org.javisor.x86.Instruction.YMM;

import org.javisor.x86.Instruction;

/** Moves of whole vectors and scalars, broadcasts and VZEROALL in VEX encodings. */
final class VexMoveHandlers {
    private static final long LOW = 0xffffffffL;

    private VexMoveHandlers() {}

    static Handler select(Instruction i) {
        return switch (i.op) {
            case MOVAPS, MOVAPD, MOVDQA, MOVNTPS, MOVNTPD, MOVNTDQ, MOVNTDQA -> whole(i, true);
            case MOVUPS, MOVUPD, MOVDQU, LDDQU -> whole(i, false);
            case MOVSS -> single(i);
            case MOVSD_SSE -> scalarDouble(i);
            case VZEROUPPER -> VexMoveHandlers::vzeroupper;
            case VZEROALL -> VexMoveHandlers::vzeroall;
            default -> broadcast(i);
        };
    }

    private static Handler whole(Instruction i, boolean aligned) {
        boolean wide = VexForms.wide(i);
        if (i.kind0 == MEM) {
            if (aligned) {
                return wide ? VexMoveHandlers::storeAligned256 : VexMoveHandlers::storeAligned128;
            }
            return wide ? VexMoveHandlers::store256 : VexMoveHandlers::store128;
        }
        if (i.kind1 == MEM) {
            if (aligned) {
                return wide ? VexMoveHandlers::loadAligned256 : VexMoveHandlers::loadAligned128;
            }
            return wide ? VexMoveHandlers::load256 : VexMoveHandlers::load128;
        }
        return wide ? VexMoveHandlers::move256 : VexMoveHandlers::move128;
    }

    private static void load128(Cpu c, Instruction i) {
        c.requireAvx();
        c.load128(i);
        VexForms.set128(c, i.reg0, c.lo, c.hi);
    }

    private static void load256(Cpu c, Instruction i) {
        c.requireAvx();
        c.load256(i);
        VexForms.set256(c, i.reg0, c.lo, c.hi, c.lo2, c.hi2);
    }

    private static void loadAligned128(Cpu c, Instruction i) {
        c.requireAvx();
        SimdForms.loadAligned(c, i);
        VexForms.set128(c, i.reg0, c.lo, c.hi);
    }

    private static void loadAligned256(Cpu c, Instruction i) {
        c.requireAvx();
        c.checkAligned(i, 32);
        c.load256(i);
        VexForms.set256(c, i.reg0, c.lo, c.hi, c.lo2, c.hi2);
    }

    private static void store128(Cpu c, Instruction i) {
        c.requireAvx();
        long[] x = c.fpu.xmm;
        int s = i.reg1 << 1;
        c.store128(i, x[s], x[s + 1]);
    }

    private static void store256(Cpu c, Instruction i) {
        c.requireAvx();
        long[] x = c.fpu.xmm;
        long[] y = c.fpu.ymmHigh;
        int s = i.reg1 << 1;
        c.store256(i, x[s], x[s + 1], y[s], y[s + 1]);
    }

    private static void storeAligned128(Cpu c, Instruction i) {
        c.requireAvx();
        c.checkAligned(i, 16);
        store128(c, i);
    }

    private static void storeAligned256(Cpu c, Instruction i) {
        c.requireAvx();
        c.checkAligned(i, 32);
        store256(c, i);
    }

    private static void move128(Cpu c, Instruction i) {
        c.requireAvx();
        long[] x = c.fpu.xmm;
        int s = i.reg1 << 1;
        VexForms.set128(c, i.reg0, x[s], x[s + 1]);
    }

    private static void move256(Cpu c, Instruction i) {
        c.requireAvx();
        long[] x = c.fpu.xmm;
        long[] y = c.fpu.ymmHigh;
        int s = i.reg1 << 1;
        VexForms.set256(c, i.reg0, x[s], x[s + 1], y[s], y[s + 1]);
    }

    // Scalars: a load clears the rest; of two registers the first gives the rest

    private static Handler single(Instruction i) {
        if (i.kind0 == MEM) {
            return (c, j) -> {
                c.requireAvx();
                c.store32(j, (int) c.fpu.xmm[j.reg1 << 1]);
            };
        }
        if (i.kind1 == MEM) {
            return (c, j) -> {
                c.requireAvx();
                VexForms.set128(c, j.reg0, c.load32(j) & LOW, 0);
            };
        }
        return (c, j) -> {
            c.requireAvx();
            long[] x = c.fpu.xmm;
            int s = j.reg1 << 1;
            long low = x[s] & ~LOW | x[j.reg2 << 1] & LOW;
            VexForms.set128(c, j.reg0, low, x[s + 1]);
        };
    }

    private static Handler scalarDouble(Instruction i) {
        if (i.kind0 == MEM) {
            return (c, j) -> {
                c.requireAvx();
                c.store64(j, c.fpu.xmm[j.reg1 << 1]);
            };
        }
        if (i.kind1 == MEM) {
            return (c, j) -> {
                c.requireAvx();
                VexForms.set128(c, j.reg0, c.load64(j), 0);
            };
        }
        return (c, j) -> {
            c.requireAvx();
            long[] x = c.fpu.xmm;
            VexForms.set128(c, j.reg0, x[j.reg2 << 1], x[(j.reg1 << 1) + 1]);
        };
    }

    private static int registers(Cpu c) {
        return c.code64 ? 16 : 8;
    }

    private static void vzeroupper(Cpu c, Instruction i) {
        c.requireAvx();
        java.util.Arrays.fill(c.fpu.ymmHigh, 0, 2 * registers(c), 0);
    }

    private static void vzeroall(Cpu c, Instruction i) {
        c.requireAvx();
        java.util.Arrays.fill(c.fpu.ymmHigh, 0, 2 * registers(c), 0);
        java.util.Arrays.fill(c.fpu.xmm, 0, 2 * registers(c), 0);
    }

    // Broadcasts

    private static Handler broadcast(Instruction i) {
        return switch (i.op) {
            case VPBROADCASTB -> broadcast(1, 0x0101010101010101L);
            case VPBROADCASTW -> broadcast(2, 0x0001000100010001L);
            case VPBROADCASTD, VBROADCASTSS -> broadcast(4, 0x0000000100000001L);
            case VPBROADCASTQ, VBROADCASTSD -> broadcast(8, 1);
            case VBROADCASTF128, VBROADCASTI128 ->
                    (c, j) -> {
                        c.requireAvx();
                        c.load128(j);
                        VexForms.set256(c, j.reg0, c.lo, c.hi, c.lo, c.hi);
                    };
            default -> null;
        };
    }

    private static Handler broadcast(int size, long copies) {
        return (c, j) -> {
            c.requireAvx();
            long element = j.kind1 == MEM ? c.load(j, size) : c.fpu.xmm[j.reg1 << 1];
            long value = (element & Cpu.mask(size)) * copies;
            if (j.kind0 == YMM) {
                VexForms.set256(c, j.reg0, value, value, value, value);
            } else {
                VexForms.set128(c, j.reg0, value, value);
            }
        };
    }
}
