package org.javisor.interpreter;

/**
 * RFLAGS. The arithmetic flags are kept lazily: most results are overwritten before anybody asks.
 *
 * <p>A lazy record is the result, sign-extended from the operation's size to 64 bits, and the
 * vector of carries (or borrows) out of each bit, shifted so that the carry out of the operation's
 * top bit is bit 63 and the carry into it bit 62; the carry out of bit 3 stands at bit 3. Then CF
 * is bit 63, OF bit 63 xor bit 62, AF bit 3.
 */
final class Flags {
    static final int CF = 1, PF = 4, AF = 0x10, ZF = 0x40, SF = 0x80, OF = 0x800;
    static final int ARITHMETIC = CF | PF | AF | ZF | SF | OF;
    static final int TF = 0x100,
            IF = 0x200,
            DF = 0x400,
            IOPL = 0x3000,
            NT = 0x4000,
            RF = 0x10000,
            VM = 0x20000;
    static final int AC = 0x40000, VIF = 0x80000, VIP = 0x100000, ID = 0x200000;

    /** The bits software can set; bit 1 always reads as one. */
    static final int DEFINED =
            ARITHMETIC | TF | IF | DF | IOPL | NT | RF | VM | AC | VIF | VIP | ID;

    private boolean lazy;
    private long result;
    private long carries;

    /** The arithmetic flags while they are not lazy. */
    private int eager;

    /** The system flags and DF; bit 1 set. */
    int system = 2;

    void set(long newResult, long newCarries) {
        result = newResult;
        carries = newCarries;
        lazy = true;
    }

    /** Sets CF and OF beside a result, AF clear: shifts, multiplications. */
    void set(long newResult, boolean cf, boolean of) {
        set(newResult, (cf ? 1L << 63 : 0) | (cf != of ? 1L << 62 : 0));
    }

    /** Changes CF alone. */
    void setCarry(boolean cf) {
        if (!lazy) {
            eager = eager & ~CF | (cf ? CF : 0);
        } else if (carries < 0 != cf) {
            // Both bits, so that OF stays.
            carries ^= 3L << 62;
        }
    }

    /** Changes CF and OF alone: rotates. */
    void setCarryOverflow(boolean cf, boolean of) {
        if (lazy) {
            carries = carries & ~(3L << 62) | (cf ? 1L << 63 : 0) | (cf != of ? 1L << 62 : 0);
        } else {
            eager = eager & ~(CF | OF) | (cf ? CF : 0) | (of ? OF : 0);
        }
    }

    /** Changes ZF alone. */
    void setZero(boolean zf) {
        setArithmetic(arithmetic() & ~ZF | (zf ? ZF : 0));
    }

    boolean cf() {
        return lazy ? carries < 0 : (eager & CF) != 0;
    }

    boolean zf() {
        return lazy ? result == 0 : (eager & ZF) != 0;
    }

    boolean sf() {
        return lazy ? result < 0 : (eager & SF) != 0;
    }

    boolean of() {
        return lazy ? (carries ^ carries << 1) < 0 : (eager & OF) != 0;
    }

    boolean pf() {
        return lazy ? (Integer.bitCount((int) result & 0xff) & 1) == 0 : (eager & PF) != 0;
    }

    boolean af() {
        return lazy ? (carries & 8) != 0 : (eager & AF) != 0;
    }

    boolean lessThan() {
        return lazy ? (result ^ carries ^ carries << 1) < 0 : sf() != of();
    }

    /** A condition code as Jcc, SETcc and CMOVcc encode it. */
    boolean condition(int code) {
        boolean base =
                switch (code >> 1) {
                    case 0 -> of();
                    case 1 -> cf();
                    case 2 -> zf();
                    case 3 -> cf() || zf();
                    case 4 -> sf();
                    case 5 -> pf();
                    case 6 -> lessThan();
                    default -> zf() || lessThan();
                };
        return base != ((code & 1) != 0);
    }

    int arithmetic() {
        if (!lazy) {
            return eager;
        }
        return (cf() ? CF : 0)
                | (pf() ? PF : 0)
                | (af() ? AF : 0)
                | (zf() ? ZF : 0)
                | (sf() ? SF : 0)
                | (of() ? OF : 0);
    }

    void setArithmetic(int bits) {
        eager = bits & ARITHMETIC;
        lazy = false;
    }

    long value() {
        return system | arithmetic();
    }

    /** Takes over all of RFLAGS. */
    void setValue(long value) {
        system = (int) value & DEFINED & ~ARITHMETIC | 2;
        setArithmetic((int) value);
    }

    boolean has(int bits) {
        return (system & bits) != 0;
    }

    int iopl() {
        return system >> 12 & 3;
    }
}
