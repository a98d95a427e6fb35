package org.javisor.interpreter;

/**
 * Addition, subtraction and logic with their flags (Intel SDM vol. 1, 3.4.3.1). Each takes operands
 * of which only the low bits of the operation's size count, and returns the result zero-extended.
 */
final class Arithmetic {
    private Arithmetic() {}

    static long add64(Cpu c, long a, long b) {
        long r = a + b;
        c.flags.set(r, a & b | (a | b) & ~r);
        return r;
    }

    static long add32(Cpu c, long a, long b) {
        int x = (int) a;
        int y = (int) b;
        int r = x + y;
        c.flags.set(r, carries32(x & y | (x | y) & ~r));
        return r & 0xffffffffL;
    }

    static long add(Cpu c, int size, long a, long b) {
        if (size == 8) {
            return add64(c, a, b);
        }
        long r = a + b;
        return narrow(c, size, r, a & b | (a | b) & ~r);
    }

    static long adc64(Cpu c, long a, long b) {
        long r = a + b + (c.flags.cf() ? 1 : 0);
        c.flags.set(r, a & b | (a | b) & ~r);
        return r;
    }

    static long adc32(Cpu c, long a, long b) {
        int x = (int) a;
        int y = (int) b;
        int r = x + y + (c.flags.cf() ? 1 : 0);
        c.flags.set(r, carries32(x & y | (x | y) & ~r));
        return r & 0xffffffffL;
    }

    static long adc(Cpu c, int size, long a, long b) {
        if (size == 8) {
            return adc64(c, a, b);
        }
        long r = a + b + (c.flags.cf() ? 1 : 0);
        return narrow(c, size, r, a & b | (a | b) & ~r);
    }

    static long sub64(Cpu c, long a, long b) {
        long r = a - b;
        c.flags.set(r, ~a & b | (~a | b) & r);
        return r;
    }

    static long sub32(Cpu c, long a, long b) {
        int x = (int) a;
        int y = (int) b;
        int r = x - y;
        c.flags.set(r, carries32(~x & y | (~x | y) & r));
        return r & 0xffffffffL;
    }

    static long sub(Cpu c, int size, long a, long b) {
        if (size == 8) {
            return sub64(c, a, b);
        }
        long r = a - b;
        return narrow(c, size, r, ~a & b | (~a | b) & r);
    }

    static long sbb64(Cpu c, long a, long b) {
        long r = a - b - (c.flags.cf() ? 1 : 0);
        c.flags.set(r, ~a & b | (~a | b) & r);
        return r;
    }

    static long sbb32(Cpu c, long a, long b) {
        int x = (int) a;
        int y = (int) b;
        int r = x - y - (c.flags.cf() ? 1 : 0);
        c.flags.set(r, carries32(~x & y | (~x | y) & r));
        return r & 0xffffffffL;
    }

    static long sbb(Cpu c, int size, long a, long b) {
        if (size == 8) {
            return sbb64(c, a, b);
        }
        long r = a - b - (c.flags.cf() ? 1 : 0);
        return narrow(c, size, r, ~a & b | (~a | b) & r);
    }

    static long and64(Cpu c, long a, long b) {
        long r = a & b;
        c.flags.set(r, 0);
        return r;
    }

    static long and32(Cpu c, long a, long b) {
        int r = (int) (a & b);
        c.flags.set(r, 0);
        return r & 0xffffffffL;
    }

    static long and(Cpu c, int size, long a, long b) {
        return logic(c, size, a & b);
    }

    static long or64(Cpu c, long a, long b) {
        long r = a | b;
        c.flags.set(r, 0);
        return r;
    }

    static long or32(Cpu c, long a, long b) {
        int r = (int) (a | b);
        c.flags.set(r, 0);
        return r & 0xffffffffL;
    }

    static long or(Cpu c, int size, long a, long b) {
        return logic(c, size, a | b);
    }

    static long xor64(Cpu c, long a, long b) {
        long r = a ^ b;
        c.flags.set(r, 0);
        return r;
    }

    static long xor32(Cpu c, long a, long b) {
        int r = (int) (a ^ b);
        c.flags.set(r, 0);
        return r & 0xffffffffL;
    }

    static long xor(Cpu c, int size, long a, long b) {
        return logic(c, size, a ^ b);
    }

    /** Leaves CF as it is. */
    static long inc(Cpu c, int size, long a) {
        boolean carry = c.flags.cf();
        long r = add(c, size, a, 1);
        c.flags.setCarry(carry);
        return r;
    }

    /** Leaves CF as it is. */
    static long dec(Cpu c, int size, long a) {
        boolean carry = c.flags.cf();
        long r = sub(c, size, a, 1);
        c.flags.setCarry(carry);
        return r;
    }

    static long neg(Cpu c, int size, long a) {
        return sub(c, size, 0, a);
    }

    private static long logic(Cpu c, int size, long r) {
        int unused = 64 - (size << 3);
        c.flags.set(r << unused >> unused, 0);
        return r & Cpu.mask(size);
    }

    private static long narrow(Cpu c, int size, long r, long carries) {
        int unused = 64 - (size << 3);
        c.flags.set(r << unused >> unused, carries << unused | carries & 8);
        return r & Cpu.mask(size);
    }

    private static long carries32(int carries) {
        return (long) carries << 32 | carries & 8;
    }
}
