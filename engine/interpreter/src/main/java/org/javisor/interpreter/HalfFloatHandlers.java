package org.javisor.interpreter;

import static org.javisor.x86.Instruction.MEM;
import static org.javisor.x86.Instruction.YMM;

import org.javisor.x86.HalfFloat;
import org.javisor.x86.Instruction;

/** F16C. */
final class HalfFloatHandlers {
    private static final long LOW = 0xffffffffL;

    private HalfFloatHandlers() {}

    static Handler select(Instruction i) {
        return switch (i.op) {
            case VCVTPH2PS -> HalfFloatHandlers::vcvtph2ps;
            case VCVTPS2PH -> HalfFloatHandlers::vcvtps2ph;
            default -> null;
        };
    }

    private static void vcvtph2ps(Cpu c, Instruction i) {
        c.requireAvx();
        boolean wide = i.kind0 == YMM;
        if (i.kind1 == MEM && !wide) {
            c.lo = c.load64(i);
        } else {
            VexForms.source(c, i, i.kind1, i.reg1, false);
        }
        long first = floats(c, (int) c.lo);
        long second = floats(c, (int) (c.lo >>> 32));
        long third = wide ? floats(c, (int) c.hi) : 0;
        long fourth = wide ? floats(c, (int) (c.hi >>> 32)) : 0;
        SimdForms.settle(c);
        VexForms.set256(c, i.reg0, first, second, third, fourth);
    }

    private static long floats(Cpu c, int halves) {
        int low = HalfFloat.toSingle(c.fpu, halves & 0xffff);
        int high = HalfFloat.toSingle(c.fpu, halves >>> 16);
        return low & LOW | (long) high << 32;
    }

    private static void vcvtps2ph(Cpu c, Instruction i) {
        c.requireAvx();
        boolean wide = i.kind1 == YMM;
        if (i.kind0 == MEM) {
            // Where memory faults no exception of the conversion shows.
            c.checkWritable(i);
        }
        VexForms.source(c, i, i.kind1, i.reg1, wide);
        int control = (int) i.imm;
        long low = halves(c, c.lo, control) | halves(c, c.hi, control) << 32;
        long high = 0;
        if (wide) {
            high = halves(c, c.lo2, control) | halves(c, c.hi2, control) << 32;
        }
        SimdForms.settle(c);
        if (i.kind0 != MEM) {
            VexForms.set128(c, i.reg0, low, high);
        } else if (wide) {
            c.store128(i, low, high);
        } else {
            c.store64(i, low);
        }
    }

    private static long halves(Cpu c, long floats, int control) {
        return HalfFloat.fromSingle(c.fpu, (int) floats, control)
                | (long) HalfFloat.fromSingle(c.fpu, (int) (floats >>> 32), control) << 16;
    }
}
