package org.javisor.interpreter;

import java.util.random.RandomGenerator;
import org.javisor.x86.FpuState;
import org.javisor.x86.LittleEndian;

/** Random x87 states and memory operands; the values that go wrong most easily come most often. */
final class X87Operands {
    private final RandomGenerator random;

    X87Operands(RandomGenerator random) {
        this.random = random;
    }

    private boolean oneIn(int n) {
        return random.nextInt(n) == 0;
    }

    private int near(int middle, int distance) {
        return middle - distance + random.nextInt(2 * distance + 1);
    }

    /**
     * Registers mostly full, every rounding and precision, exceptions mostly masked; none is
     * pending. ST(1) is often close to ST(0), so that differences cancel and comparisons meet
     * equals.
     */
    void fill(FpuState s) {
        s.top = random.nextInt(8);
        for (int i = 0; i < 8; i++) {
            register(s, i);
        }
        if (oneIn(4)) {
            int a = s.top;
            int b = a + 1 & 7;
            s.signExponent[b] =
                    s.signExponent[a] ^ (random.nextBoolean() ? 0x8000 : 0) ^ (oneIn(4) ? 1 : 0);
            s.significand[b] = s.significand[a] ^ (oneIn(2) ? 1L << random.nextInt(64) : 0);
        }
        s.valid = oneIn(8) ? random.nextInt(256) : 0xff;
        int masks = oneIn(3) ? random.nextInt(64) : 0x3f;
        int precision = oneIn(2) ? 3 : random.nextInt(4);
        s.control = 0x40 | masks | random.nextInt(4) << 10 | precision << 8;
        s.status =
                random.nextInt(0x80) & (masks | 0x40)
                        | random.nextInt(8) << 8
                        | random.nextInt(2) << 14;
        s.lastInstruction = random.nextLong() & 0xffffffffffL;
        s.lastData = random.nextLong() & 0xffffffffffL;
        s.lastOpcode = random.nextInt(0x800);
        for (int i = 0; i < s.xmm.length; i++) {
            s.xmm[i] = random.nextLong();
        }
    }

    private void register(FpuState s, int i) {
        long sig = significand();
        int exp;
        switch (random.nextInt(32)) {
            case 0 -> {
                exp = 0;
                sig = 0;
            }
            case 1 -> { // denormal
                exp = 0;
                sig >>>= 1 + random.nextInt(63);
            }
            case 2 -> exp = 0; // pseudo-denormal
            case 3 -> { // unnormal
                exp = random.nextInt(0x8000);
                sig &= Long.MAX_VALUE;
            }
            case 4 -> {
                exp = 0x7fff;
                sig = Long.MIN_VALUE;
            }
            case 5 -> exp = 0x7fff;
            case 6 -> exp = 0x7ffe - random.nextInt(70);
            case 7 -> exp = 1 + random.nextInt(70);
            // Where the narrower formats end.
            case 8 -> exp = near(0x3fff - 127 - 12, 20);
            case 9 -> exp = near(0x3fff + 127, 3);
            case 10 -> exp = near(0x3fff - 1023 - 26, 34);
            case 11 -> exp = near(0x3fff + 1023, 3);
            case 12 -> exp = random.nextInt(0x8000);
            case 13, 14, 15, 16 -> exp = near(0x3fff, 3);
            case 17, 18 -> { // a small integer
                long value = random.nextInt(1 << 1 + random.nextInt(16)) + 1;
                int shift = Long.numberOfLeadingZeros(value);
                sig = value << shift;
                exp = 0x3fff + 63 - shift;
            }
            default -> exp = near(0x3fff, 70);
        }
        s.signExponent[i] = exp | (random.nextBoolean() ? 0x8000 : 0);
        s.significand[i] = sig;
    }

    private long significand() {
        long r = random.nextLong();
        return switch (random.nextInt(10)) {
            case 0 -> Long.MIN_VALUE;
            case 1 -> -1L;
            case 2 -> Long.MIN_VALUE | 1;
            case 3 -> r & -1L << 40 | Long.MIN_VALUE;
            case 4 -> r & -1L << 11 | Long.MIN_VALUE;
            case 5 -> r & -1L << random.nextInt(64) | Long.MIN_VALUE;
            case 6 -> -1L << random.nextInt(64);
            case 7 -> Long.MIN_VALUE | 1L << random.nextInt(64);
            default -> r | Long.MIN_VALUE;
        };
    }

    void fill(byte[] memory, X87Form.Operand operand) {
        random.nextBytes(memory);
        switch (operand) {
            case ANYTHING -> {}
            case REAL4 -> LittleEndian.put32(memory, 0, real4());
            case REAL8 -> LittleEndian.put64(memory, 0, real8());
            case REAL10 -> {
                FpuState s = new FpuState();
                register(s, 0);
                LittleEndian.put64(memory, 0, s.significand[0]);
                LittleEndian.put16(memory, 8, s.signExponent[0]);
            }
            case INTEGER -> {
                if (oneIn(3)) {
                    LittleEndian.put64(memory, 0, near(0, 4));
                }
            }
            case DECIMAL -> decimal(memory);
        }
    }

    private int real4() {
        int r = random.nextInt();
        return switch (random.nextInt(10)) {
            case 0 -> r & 0x80000000;
            case 1 -> r & 0x807fffff;
            case 2 -> r & 0x80000000 | 0x7f800000;
            case 3 -> r | 0x7f800000;
            case 4 -> r & 0x80000000 | 0x3f800000;
            default -> r;
        };
    }

    private long real8() {
        long r = random.nextLong();
        return switch (random.nextInt(10)) {
            case 0 -> r & 0x8000000000000000L;
            case 1 -> r & 0x800fffffffffffffL;
            case 2 -> r & 0x8000000000000000L | 0x7ff0000000000000L;
            case 3 -> r | 0x7ff0000000000000L;
            case 4 -> r & 0x8000000000000000L | 0x3ff0000000000000L;
            case 5 -> r & 0x800fffffffffffffL | (long) near(1023, 5) << 52;
            default -> r;
        };
    }

    /** Decimal digits only: what others mean is undefined. */
    private void decimal(byte[] memory) {
        int digits = random.nextInt(19);
        long low = 0;
        int high = random.nextBoolean() ? 0x8000 : 0;
        for (int n = 0; n < digits; n++) {
            long digit = random.nextInt(10);
            if (n < 16) {
                low |= digit << 4 * n;
            } else {
                high |= (int) digit << 4 * (n - 16);
            }
        }
        LittleEndian.put64(memory, 0, low);
        LittleEndian.put16(memory, 8, high);
    }
}
