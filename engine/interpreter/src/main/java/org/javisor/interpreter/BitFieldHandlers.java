package org.javisor.interpreter;

import static org.javisor.x86.Instruction.MEM;

import java.util.function.LongBinaryOperator;
import org.javisor.x86.Instruction;

/** BMI1 and BMI2: general-register instructions in VEX encodings. */
final class BitFieldHandlers {
    private BitFieldHandlers() {}

    static Handler select(Instruction i) {
        return switch (i.op) {
            case ANDN -> BitFieldHandlers::andn;
            case BEXTR -> BitFieldHandlers::bextr;
            case BLSI -> BitFieldHandlers::blsi;
            case BLSMSK -> BitFieldHandlers::blsmsk;
            case BLSR -> BitFieldHandlers::blsr;
            case BZHI -> BitFieldHandlers::bzhi;
            case PDEP -> spread(Long::expand);
            case PEXT -> spread(Long::compress);
            case MULX -> BitFieldHandlers::mulx;
            case RORX -> BitFieldHandlers::rorx;
            case SARX -> BitFieldHandlers::sarx;
            case SHLX -> BitFieldHandlers::shlx;
            case SHRX -> BitFieldHandlers::shrx;
            default -> null;
        };
    }

    private static long operand(Cpu c, Instruction i, int kind, int register) {
        if (kind == MEM) {
            return c.load(i, i.operandSize);
        }
        return c.gpr[register] & Cpu.mask(i.operandSize);
    }

    private static void set(Cpu c, Instruction i, long value) {
        c.gpr[i.reg0] = value & Cpu.mask(i.operandSize);
    }

    /** SF and ZF by the result; OF and CF as given. */
    private static void setFlags(Cpu c, Instruction i, long result, boolean carry) {
        long value = result & Cpu.mask(i.operandSize);
        boolean negative = (value >>> (i.operandSize << 3) - 1 & 1) != 0;
        int changed = Flags.SF | Flags.ZF | Flags.OF | Flags.CF;
        c.setFlags(
                changed,
                (negative ? Flags.SF : 0) | (value == 0 ? Flags.ZF : 0) | (carry ? Flags.CF : 0));
    }

    private static void andn(Cpu c, Instruction i) {
        c.requireVex();
        long result = ~c.gpr[i.reg1] & operand(c, i, i.kind2, i.reg2);
        set(c, i, result);
        setFlags(c, i, result, false);
    }

    private static void bextr(Cpu c, Instruction i) {
        c.requireVex();
        long value = operand(c, i, i.kind1, i.reg1);
        int start = (int) c.gpr[i.reg2] & 0xff;
        int length = (int) c.gpr[i.reg2] >> 8 & 0xff;
        long result = start > 63 ? 0 : value >>> start;
        if (length < 64) {
            result &= (1L << length) - 1;
        }
        set(c, i, result);
        setFlags(c, i, result, false);
    }

    private static void blsi(Cpu c, Instruction i) {
        c.requireVex();
        long value = operand(c, i, i.kind1, i.reg1);
        set(c, i, value & -value);
        setFlags(c, i, value & -value, value != 0);
    }

    private static void blsmsk(Cpu c, Instruction i) {
        c.requireVex();
        long value = operand(c, i, i.kind1, i.reg1);
        set(c, i, value ^ value - 1);
        setFlags(c, i, value ^ value - 1, value == 0);
    }

    private static void blsr(Cpu c, Instruction i) {
        c.requireVex();
        long value = operand(c, i, i.kind1, i.reg1);
        set(c, i, value & value - 1);
        setFlags(c, i, value & value - 1, value == 0);
    }

    private static void bzhi(Cpu c, Instruction i) {
        c.requireVex();
        long value = operand(c, i, i.kind1, i.reg1);
        int from = (int) c.gpr[i.reg2] & 0xff;
        boolean beyond = from >= i.operandSize << 3;
        long result = beyond ? value : value & (1L << from) - 1;
        set(c, i, result);
        setFlags(c, i, result, beyond);
    }

    private static Handler spread(LongBinaryOperator f) {
        return (c, j) -> {
            c.requireVex();
            long mask = operand(c, j, j.kind2, j.reg2);
            set(c, j, f.applyAsLong(c.gpr[j.reg1] & Cpu.mask(j.operandSize), mask));
        };
    }

    /** The first destination is written last: it wins if both are the same. */
    private static void mulx(Cpu c, Instruction i) {
        c.requireVex();
        long a = c.gpr[Cpu.RDX];
        long b = operand(c, i, i.kind2, i.reg2);
        if (i.operandSize == 8) {
            c.gpr[i.reg1] = a * b;
            c.gpr[i.reg0] = Math.unsignedMultiplyHigh(a, b);
        } else {
            long product = (a & 0xffffffffL) * b;
            c.gpr[i.reg1] = product & 0xffffffffL;
            c.gpr[i.reg0] = product >>> 32;
        }
    }

    private static void rorx(Cpu c, Instruction i) {
        c.requireVex();
        long value = operand(c, i, i.kind1, i.reg1);
        int count = (int) i.imm;
        set(
                c,
                i,
                i.operandSize == 8
                        ? Long.rotateRight(value, count)
                        : Integer.rotateRight((int) value, count));
    }

    // Counts in a register use its low 5 or 6 bits, as Java's shifts do

    private static void sarx(Cpu c, Instruction i) {
        c.requireVex();
        long value = operand(c, i, i.kind1, i.reg1);
        int count = (int) c.gpr[i.reg2];
        set(c, i, i.operandSize == 8 ? value >> count : (int) value >> count);
    }

    private static void shlx(Cpu c, Instruction i) {
        c.requireVex();
        long value = operand(c, i, i.kind1, i.reg1);
        int count = (int) c.gpr[i.reg2];
        set(c, i, i.operandSize == 8 ? value << count : (int) value << count);
    }

    private static void shrx(Cpu c, Instruction i) {
        c.requireVex();
        long value = operand(c, i, i.kind1, i.reg1);
        int count = (int) c.gpr[i.reg2];
        set(c, i, i.operandSize == 8 ? value >>> count : (int) value >>> count);
    }
}
