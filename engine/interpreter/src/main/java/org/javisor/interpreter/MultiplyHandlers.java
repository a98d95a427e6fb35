package org.javisor.interpreter;

import org.javisor.x86.Instruction;

/** MUL, IMUL, DIV, IDIV (Intel SDM vol. 2). */
final class MultiplyHandlers {
    private MultiplyHandlers() {}

    static Handler select(Instruction i) {
        return switch (i.op) {
            case MUL ->
                    switch (i.operandSize) {
                        case 8 -> MultiplyHandlers::mul64;
                        case 4 -> MultiplyHandlers::mul32;
                        default -> MultiplyHandlers::mulNarrow;
                    };
            case IMUL ->
                    switch (i.operandSize) {
                        case 8 -> MultiplyHandlers::imul64;
                        case 4 -> MultiplyHandlers::imul32;
                        default -> MultiplyHandlers::imulNarrow;
                    };
            case IMUL2 ->
                    switch (i.operandSize) {
                        case 8 -> MultiplyHandlers::imulTruncated64;
                        case 4 -> MultiplyHandlers::imulTruncated32;
                        default -> MultiplyHandlers::imulTruncated16;
                    };
            case DIV ->
                    switch (i.operandSize) {
                        case 8 -> MultiplyHandlers::div64;
                        case 4 -> MultiplyHandlers::div32;
                        default -> MultiplyHandlers::divNarrow;
                    };
            case IDIV ->
                    switch (i.operandSize) {
                        case 8 -> MultiplyHandlers::idiv64;
                        case 4 -> MultiplyHandlers::idiv32;
                        default -> MultiplyHandlers::idivNarrow;
                    };
            default -> null;
        };
    }

    // Products

    private static void mul64(Cpu c, Instruction i) {
        long a = c.gpr[Cpu.RAX];
        long b = c.operand0(i, 8);
        long high = Math.unsignedMultiplyHigh(a, b);
        long low = a * b;
        c.gpr[Cpu.RAX] = low;
        c.gpr[Cpu.RDX] = high;
        c.flags.set(low, high != 0, high != 0);
    }

    private static void mul32(Cpu c, Instruction i) {
        long product = (c.gpr[Cpu.RAX] & 0xffffffffL) * c.operand0(i, 4);
        c.gpr[Cpu.RAX] = product & 0xffffffffL;
        c.gpr[Cpu.RDX] = product >>> 32;
        boolean large = product >>> 32 != 0;
        c.flags.set((int) product, large, large);
    }

    private static void mulNarrow(Cpu c, Instruction i) {
        int size = i.operandSize;
        long product = (c.gpr[Cpu.RAX] & Cpu.mask(size)) * c.operand0(i, size);
        setNarrowPair(c, size, product);
        boolean large = product >>> 8 * size != 0;
        c.flags.set(signExtended(product, size), large, large);
    }

    private static void imul64(Cpu c, Instruction i) {
        long a = c.gpr[Cpu.RAX];
        long b = c.operand0(i, 8);
        long high = Math.multiplyHigh(a, b);
        long low = a * b;
        c.gpr[Cpu.RAX] = low;
        c.gpr[Cpu.RDX] = high;
        boolean large = high != low >> 63;
        c.flags.set(low, large, large);
    }

    private static void imul32(Cpu c, Instruction i) {
        long product = (long) (int) c.gpr[Cpu.RAX] * (int) c.operand0(i, 4);
        c.gpr[Cpu.RAX] = product & 0xffffffffL;
        c.gpr[Cpu.RDX] = product >>> 32;
        boolean large = product != (int) product;
        c.flags.set((int) product, large, large);
    }

    private static void imulNarrow(Cpu c, Instruction i) {
        int size = i.operandSize;
        long product = signExtended(c.gpr[Cpu.RAX], size) * signExtended(c.operand0(i, size), size);
        setNarrowPair(c, size, product);
        long low = signExtended(product, size);
        c.flags.set(low, product != low, product != low);
    }

    /** A product of bytes goes to AX, one of words to DX:AX. */
    private static void setNarrowPair(Cpu c, int size, long product) {
        c.setRegister(Instruction.GPR, Cpu.RAX, 2, product);
        if (size == 2) {
            c.setRegister(Instruction.GPR, Cpu.RDX, 2, product >>> 16);
        }
    }

    private static void imulTruncated64(Cpu c, Instruction i) {
        long b = c.operand1(i, 8);
        long a = i.kind2 == Instruction.IMM ? i.imm : c.gpr[i.reg0];
        long low = a * b;
        boolean large = Math.multiplyHigh(a, b) != low >> 63;
        c.gpr[i.reg0] = low;
        c.flags.set(low, large, large);
    }

    private static void imulTruncated32(Cpu c, Instruction i) {
        int b = (int) c.operand1(i, 4);
        int a = (int) (i.kind2 == Instruction.IMM ? i.imm : c.gpr[i.reg0]);
        long product = (long) a * b;
        int low = (int) product;
        c.gpr[i.reg0] = low & 0xffffffffL;
        c.flags.set(low, product != low, product != low);
    }

    private static void imulTruncated16(Cpu c, Instruction i) {
        short b = (short) c.operand1(i, 2);
        short a = (short) (i.kind2 == Instruction.IMM ? i.imm : c.gpr[i.reg0]);
        int product = a * b;
        short low = (short) product;
        c.setRegister(Instruction.GPR, i.reg0, 2, low);
        c.flags.set(low, product != low, product != low);
    }

    // Quotients. They leave the flags as they are, as processors do; the architecture calls them
    // undefined.

    private static void div64(Cpu c, Instruction i) {
        long divisor = c.operand0(i, 8);
        long high = c.gpr[Cpu.RDX];
        long low = c.gpr[Cpu.RAX];
        if (Long.compareUnsigned(high, divisor) >= 0) {
            throw GuestFault.of(GuestFault.DE);
        }
        long quotient =
                high == 0 ? Long.divideUnsigned(low, divisor) : divide128(high, low, divisor);
        c.gpr[Cpu.RAX] = quotient;
        // Exact modulo 2^64, and the remainder is below 2^64.
        c.gpr[Cpu.RDX] = low - quotient * divisor;
    }

    private static void div32(Cpu c, Instruction i) {
        long divisor = c.operand0(i, 4);
        long high = c.gpr[Cpu.RDX] & 0xffffffffL;
        if (high >= divisor) {
            throw GuestFault.of(GuestFault.DE);
        }
        long dividend = high << 32 | c.gpr[Cpu.RAX] & 0xffffffffL;
        long quotient = Long.divideUnsigned(dividend, divisor);
        c.gpr[Cpu.RAX] = quotient;
        c.gpr[Cpu.RDX] = dividend - quotient * divisor;
    }

    private static void divNarrow(Cpu c, Instruction i) {
        int size = i.operandSize;
        long divisor = c.operand0(i, size);
        long dividend = narrowDividend(c, size);
        if (dividend >>> 8 * size >= divisor) {
            throw GuestFault.of(GuestFault.DE);
        }
        setNarrowQuotient(c, size, dividend / divisor, dividend % divisor);
    }

    private static void idiv64(Cpu c, Instruction i) {
        long divisor = c.operand0(i, 8);
        long high = c.gpr[Cpu.RDX];
        long low = c.gpr[Cpu.RAX];
        if (divisor == 0) {
            throw GuestFault.of(GuestFault.DE);
        }
        boolean negative = high < 0;
        if (negative) {
            high = ~high + (low == 0 ? 1 : 0);
            low = -low;
        }
        long magnitude = Math.abs(divisor);
        if (Long.compareUnsigned(high, magnitude) >= 0) {
            throw GuestFault.of(GuestFault.DE);
        }
        long quotient =
                high == 0 ? Long.divideUnsigned(low, magnitude) : divide128(high, low, magnitude);
        long remainder = low - quotient * magnitude;
        boolean opposite = negative != divisor < 0;
        // 2^63 fits only with a minus sign.
        if (quotient < 0 && !(opposite && quotient == Long.MIN_VALUE)) {
            throw GuestFault.of(GuestFault.DE);
        }
        c.gpr[Cpu.RAX] = opposite ? -quotient : quotient;
        c.gpr[Cpu.RDX] = negative ? -remainder : remainder;
    }

    private static void idiv32(Cpu c, Instruction i) {
        long divisor = (int) c.operand0(i, 4);
        long dividend = c.gpr[Cpu.RDX] << 32 | c.gpr[Cpu.RAX] & 0xffffffffL;
        if (divisor == 0 || dividend == Long.MIN_VALUE && divisor == -1) {
            throw GuestFault.of(GuestFault.DE);
        }
        long quotient = dividend / divisor;
        if (quotient != (int) quotient) {
            throw GuestFault.of(GuestFault.DE);
        }
        c.gpr[Cpu.RAX] = quotient & 0xffffffffL;
        c.gpr[Cpu.RDX] = dividend - quotient * divisor & 0xffffffffL;
    }

    private static void idivNarrow(Cpu c, Instruction i) {
        int size = i.operandSize;
        long divisor = signExtended(c.operand0(i, size), size);
        long dividend = signExtended(narrowDividend(c, size), 2 * size);
        if (divisor == 0) {
            throw GuestFault.of(GuestFault.DE);
        }
        long quotient = dividend / divisor;
        if (quotient != signExtended(quotient, size)) {
            throw GuestFault.of(GuestFault.DE);
        }
        setNarrowQuotient(c, size, quotient, dividend % divisor);
    }

    /** AX, or DX:AX. */
    private static long narrowDividend(Cpu c, int size) {
        long ax = c.gpr[Cpu.RAX] & 0xffff;
        return size == 1 ? ax : (c.gpr[Cpu.RDX] & 0xffff) << 16 | ax;
    }

    private static void setNarrowQuotient(Cpu c, int size, long quotient, long remainder) {
        c.setRegister(Instruction.GPR, Cpu.RAX, size, quotient);
        if (size == 1) {
            c.setRegister(Instruction.GPR_HIGH, Cpu.RAX, 1, remainder);
        } else {
            c.setRegister(Instruction.GPR, Cpu.RDX, 2, remainder);
        }
    }

    private static long signExtended(long value, int size) {
        int unused = 64 - (size << 3);
        return value << unused >> unused;
    }

    /**
     * The unsigned quotient of high:low by a divisor greater than high, by long division with
     * 32-bit digits (Knuth, The Art of Computer Programming vol. 2, 4.3.1, algorithm D).
     */
    static long divide128(long high, long low, long divisor) {
        int shift = Long.numberOfLeadingZeros(divisor);
        long d = divisor << shift;
        // Shifting by 64 - 0 would shift by 0.
        long top = high << shift | low >>> 1 >>> 63 - shift;
        long bottom = low << shift;
        long first = digit(top, bottom >>> 32, d);
        long rest = (top << 32 | bottom >>> 32) - first * d;
        long second = digit(rest, bottom & 0xffffffffL, d);
        return first << 32 | second;
    }

    /** One 32-bit digit of (high * 2^32 + next) / d, for a d whose top bit is set. */
    private static long digit(long high, long next, long d) {
        long d1 = d >>> 32;
        long d0 = d & 0xffffffffL;
        long q = Long.divideUnsigned(high, d1);
        long r = high - q * d1;
        while (q >>> 32 != 0 || Long.compareUnsigned(q * d0, r << 32 | next) > 0) {
            q--;
            r += d1;
            if (r >>> 32 != 0) {
                break;
            }
        }
        return q;
    }
}
