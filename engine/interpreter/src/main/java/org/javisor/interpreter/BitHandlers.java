package org.javisor.interpreter;

import org.javisor.x86.Instruction;
import org.javisor.x86.Op;

/** Single bits, bit scans, counts, byte order, and the additions with a carry of their own. */
final class BitHandlers {
    private BitHandlers() {}

    static Handler select(Instruction i) {
        return switch (i.op) {
            case BT -> i.kind0 == Instruction.MEM ? BitHandlers::btMemory : BitHandlers::btRegister;
            case BTS, BTR, BTC ->
                    i.kind0 == Instruction.MEM
                            ? BitHandlers::modifyMemory
                            : BitHandlers::modifyRegister;
            case BSF -> BitHandlers::bsf;
            case BSR -> BitHandlers::bsr;
            case TZCNT -> BitHandlers::tzcnt;
            case LZCNT -> BitHandlers::lzcnt;
            case POPCNT -> BitHandlers::popcnt;
            case BSWAP ->
                    switch (i.operandSize) {
                        case 8 -> BitHandlers::bswap64;
                        case 4 -> BitHandlers::bswap32;
                        default -> BitHandlers::bswap16;
                    };
            case MOVBE ->
                    i.kind0 == Instruction.MEM ? BitHandlers::movbeStore : BitHandlers::movbeLoad;
            case ADCX -> (c, j) -> addWithFlag(c, j, Flags.CF);
            case ADOX -> (c, j) -> addWithFlag(c, j, Flags.OF);
            default -> null;
        };
    }

    /**
     * What a processor without BMI1 or LZCNT makes of TZCNT and LZCNT, whose prefix means nothing
     * to it; null for every other instruction.
     */
    static Handler selectWithoutCounts(Instruction i) {
        return switch (i.op) {
            case TZCNT -> BitHandlers::bsf;
            case LZCNT -> BitHandlers::bsr;
            default -> null;
        };
    }

    private static void btRegister(Cpu c, Instruction i) {
        int size = i.operandSize;
        long bit = c.operand1(i, size) & (size << 3) - 1;
        c.flags.setCarry((c.gpr[i.reg0] >>> bit & 1) != 0);
    }

    private static void modifyRegister(Cpu c, Instruction i) {
        int size = i.operandSize;
        long bit = c.operand1(i, size) & (size << 3) - 1;
        long old = c.register(i.kind0, i.reg0, size);
        c.setRegister(i.kind0, i.reg0, size, modified(i.op, old, 1L << bit));
        c.flags.setCarry((old >>> bit & 1) != 0);
    }

    private static void btMemory(Cpu c, Instruction i) {
        int size = i.operandSize;
        long offset = bitOffset(c, i);
        long value = c.mmu.read(linear(c, i, offset, false), size);
        c.flags.setCarry((value >>> (offset & (size << 3) - 1) & 1) != 0);
    }

    private static void modifyMemory(Cpu c, Instruction i) {
        int size = i.operandSize;
        long offset = bitOffset(c, i);
        long bit = offset & (size << 3) - 1;
        long linear = linear(c, i, offset, true);
        long old;
        do {
            old = c.rmwLoadAt(linear, size);
        } while (!c.rmwStore(size, i.lock(), old, modified(i.op, old, 1L << bit)));
        c.flags.setCarry((old >>> bit & 1) != 0);
    }

    private static long modified(Op op, long old, long mask) {
        return switch (op) {
            case BTS -> old | mask;
            case BTR -> old & ~mask;
            default -> old ^ mask;
        };
    }

    /**
     * In memory a register's bit offset is signed and reaches beyond the operand; an immediate's
     * does not.
     */
    private static long bitOffset(Cpu c, Instruction i) {
        int size = i.operandSize;
        if (i.kind1 == Instruction.IMM) {
            return i.imm & (size << 3) - 1;
        }
        int unused = 64 - (size << 3);
        return c.gpr[i.reg1] << unused >> unused;
    }

    private static long linear(Cpu c, Instruction i, long bitOffset, boolean write) {
        int size = i.operandSize;
        int bitsLog2 = 3 + Integer.numberOfTrailingZeros(size);
        long address =
                c.effectiveAddress(i) + (bitOffset >> bitsLog2) * size & Cpu.mask(i.addressSize);
        return c.linear(i.segment, address, size, write);
    }

    private static void bsf(Cpu c, Instruction i) {
        int size = i.operandSize;
        long value = c.operand1(i, size);
        if (value != 0) {
            c.setRegister(i.kind0, i.reg0, size, Long.numberOfTrailingZeros(value));
        }
        c.flags.setZero(value == 0);
    }

    private static void bsr(Cpu c, Instruction i) {
        int size = i.operandSize;
        long value = c.operand1(i, size);
        if (value != 0) {
            c.setRegister(i.kind0, i.reg0, size, 63 - Long.numberOfLeadingZeros(value));
        }
        c.flags.setZero(value == 0);
    }

    private static void tzcnt(Cpu c, Instruction i) {
        int size = i.operandSize;
        long value = c.operand1(i, size);
        long count = value == 0 ? size << 3 : Long.numberOfTrailingZeros(value);
        c.setRegister(i.kind0, i.reg0, size, count);
        c.setFlags(Flags.CF | Flags.ZF, (value == 0 ? Flags.CF : 0) | (count == 0 ? Flags.ZF : 0));
    }

    private static void lzcnt(Cpu c, Instruction i) {
        int size = i.operandSize;
        long value = c.operand1(i, size);
        long count = Long.numberOfLeadingZeros(value) - (64 - (size << 3));
        c.setRegister(i.kind0, i.reg0, size, count);
        c.setFlags(Flags.CF | Flags.ZF, (value == 0 ? Flags.CF : 0) | (count == 0 ? Flags.ZF : 0));
    }

    private static void popcnt(Cpu c, Instruction i) {
        int size = i.operandSize;
        long value = c.operand1(i, size);
        c.setRegister(i.kind0, i.reg0, size, Long.bitCount(value));
        c.flags.setArithmetic(value == 0 ? Flags.ZF : 0);
    }

    private static void bswap64(Cpu c, Instruction i) {
        c.gpr[i.reg0] = Long.reverseBytes(c.gpr[i.reg0]);
    }

    private static void bswap32(Cpu c, Instruction i) {
        c.gpr[i.reg0] = Integer.reverseBytes((int) c.gpr[i.reg0]) & 0xffffffffL;
    }

    /** Undefined; processors clear the word. */
    private static void bswap16(Cpu c, Instruction i) {
        c.setRegister(i.kind0, i.reg0, 2, 0);
    }

    private static void movbeLoad(Cpu c, Instruction i) {
        int size = i.operandSize;
        c.setRegister(
                i.kind0, i.reg0, size, Long.reverseBytes(c.load(i, size)) >>> 64 - (size << 3));
    }

    private static void movbeStore(Cpu c, Instruction i) {
        int size = i.operandSize;
        c.store(i, size, Long.reverseBytes(c.register(i.kind1, i.reg1, size)) >>> 64 - (size << 3));
    }

    /** The flag is carry in and out; no other changes. */
    private static void addWithFlag(Cpu c, Instruction i, int flag) {
        int size = i.operandSize;
        long a = c.gpr[i.reg0] & Cpu.mask(size);
        long b = c.operand1(i, size);
        long carry = (c.flags.arithmetic() & flag) != 0 ? 1 : 0;
        long sum = a + b + carry;
        // The carry out of each bit is the majority of what comes in.
        boolean out = size == 4 ? sum >>> 32 != 0 : (a & b | (a | b) & ~sum) < 0;
        c.gpr[i.reg0] = sum & Cpu.mask(size);
        c.setFlags(flag, out ? flag : 0);
    }
}
