package org.javisor.interpreter;

import static org.javisor.x86.Instruction.MEM;
import static org.javisor.x86.Instruction.YMM;

import org.javisor.x86.FusedMultiplyAdd;
import org.javisor.x86.Instruction;
import org.javisor.x86.Op;

/**
 * FMA3. The digits of a mnemonic say which operands are multiplied and which is added: 132 is the
 * first times the third plus the second. The opcode's high half tells them apart, its low half the
 * operation, VEX.W the format (Intel SDM vol. 2, VFMADD132PD and following).
 */
final class FusedHandlers {
    private static final long LOW = 0xffffffffL;

    private FusedHandlers() {}

    static Handler select(Instruction i) {
        if (i.op.compareTo(Op.VFMADDSUB132PS) < 0 || i.op.compareTo(Op.VFNMSUB231SD) > 0) {
            return null;
        }
        int low = i.opcode & 15;
        // 6 and 7 subtract in every second element; then come pairs of packed and scalar forms.
        boolean negateProduct = low >= 12;
        boolean subtractEven = low == 6 || low == 10 || low == 11 || low >= 14;
        boolean subtractOdd = low == 7 || low == 10 || low == 11 || low >= 14;
        boolean scalar = low >= 8 && (low & 1) != 0;
        Fused fused = new Fused(i.opcode >> 4, negateProduct, subtractEven, subtractOdd);
        if (scalar) {
            return i.wide() ? fused::scalarDouble : fused::scalarSingle;
        }
        return i.wide() ? fused::doubles : fused::singles;
    }

    /**
     * One operation.
     *
     * @param order 9 for 132, 10 for 213, 11 for 231
     */
    private record Fused(int order, boolean negateProduct, boolean even, boolean odd) {
        /** {@code x}, {@code y} and {@code z} are the operands in the order they are written. */
        private long doubleOf(Cpu c, long x, long y, long z, boolean subtract) {
            return switch (order) {
                case 9 -> FusedMultiplyAdd.doubles(c.fpu, x, z, y, negateProduct, subtract);
                case 10 -> FusedMultiplyAdd.doubles(c.fpu, y, x, z, negateProduct, subtract);
                default -> FusedMultiplyAdd.doubles(c.fpu, y, z, x, negateProduct, subtract);
            };
        }

        private int singleOf(Cpu c, int x, int y, int z, boolean subtract) {
            return switch (order) {
                case 9 -> FusedMultiplyAdd.singles(c.fpu, x, z, y, negateProduct, subtract);
                case 10 -> FusedMultiplyAdd.singles(c.fpu, y, x, z, negateProduct, subtract);
                default -> FusedMultiplyAdd.singles(c.fpu, y, z, x, negateProduct, subtract);
            };
        }

        private long pairOf(Cpu c, long x, long y, long z) {
            int low = singleOf(c, (int) x, (int) y, (int) z, even);
            int high = singleOf(c, (int) (x >>> 32), (int) (y >>> 32), (int) (z >>> 32), odd);
            return low & LOW | (long) high << 32;
        }

        void scalarDouble(Cpu c, Instruction i) {
            c.requireAvx();
            long[] v = c.fpu.xmm;
            long z = i.kind2 == MEM ? c.load64(i) : v[i.reg2 << 1];
            int d = i.reg0 << 1;
            long result = doubleOf(c, v[d], v[i.reg1 << 1], z, even);
            SimdForms.settle(c);
            VexForms.set128(c, i.reg0, result, v[d + 1]);
        }

        void scalarSingle(Cpu c, Instruction i) {
            c.requireAvx();
            long[] v = c.fpu.xmm;
            int z = i.kind2 == MEM ? c.load32(i) : (int) v[i.reg2 << 1];
            int d = i.reg0 << 1;
            int result = singleOf(c, (int) v[d], (int) v[i.reg1 << 1], z, even);
            SimdForms.settle(c);
            VexForms.set128(c, i.reg0, v[d] & ~LOW | result & LOW, v[d + 1]);
        }

        void doubles(Cpu c, Instruction i) {
            c.requireAvx();
            boolean wide = i.kind0 == YMM;
            VexForms.source(c, i, i.kind2, i.reg2, wide);
            long[] v = c.fpu.xmm;
            int d = i.reg0 << 1;
            int s = i.reg1 << 1;
            long first = doubleOf(c, v[d], v[s], c.lo, even);
            long second = doubleOf(c, v[d + 1], v[s + 1], c.hi, odd);
            long third = 0;
            long fourth = 0;
            if (wide) {
                long[] y = c.fpu.ymmHigh;
                third = doubleOf(c, y[d], y[s], c.lo2, even);
                fourth = doubleOf(c, y[d + 1], y[s + 1], c.hi2, odd);
            }
            SimdForms.settle(c);
            VexForms.set256(c, i.reg0, first, second, third, fourth);
        }

        void singles(Cpu c, Instruction i) {
            c.requireAvx();
            boolean wide = i.kind0 == YMM;
            VexForms.source(c, i, i.kind2, i.reg2, wide);
            long[] v = c.fpu.xmm;
            int d = i.reg0 << 1;
            int s = i.reg1 << 1;
            long first = pairOf(c, v[d], v[s], c.lo);
            long second = pairOf(c, v[d + 1], v[s + 1], c.hi);
            long third = 0;
            long fourth = 0;
            if (wide) {
                long[] y = c.fpu.ymmHigh;
                third = pairOf(c, y[d], y[s], c.lo2);
                fourth = pairOf(c, y[d + 1], y[s + 1], c.hi2);
            }
            SimdForms.settle(c);
            VexForms.set256(c, i.reg0, first, second, third, fourth);
        }
    }
}
