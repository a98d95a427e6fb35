package org.javisor.interpreter;

import java.security.SecureRandom;
import org.javisor.x86.Instruction;

/**
 * RDRAND and RDSEED (Intel SDM vol. 2 and vol. 1, 7.3.17), from the host's generator: without them
 * a guest that has no disk and no network gathers entropy for minutes before it lets programs have
 * random numbers.
 */
final class RandomHandlers {
    private RandomHandlers() {}

    static Handler select(Instruction i) {
        return switch (i.op) {
            case RDRAND, RDSEED -> RandomHandlers::random;
            default -> null;
        };
    }

    /** Always succeeds: CF set, the other arithmetic flags clear. */
    private static void random(Cpu c, Instruction i) {
        c.setRegister(Instruction.GPR, i.reg0, i.operandSize, c.random.next());
        c.flags.setArithmetic(Flags.CF);
    }

    /** Random numbers drawn from the host in pieces. Used by one thread. */
    static final class Source {
        private final byte[] buffer = new byte[512];
        private SecureRandom generator;
        private int used = buffer.length;

        long next() {
            if (used == buffer.length) {
                if (generator == null) {
                    generator = new SecureRandom();
                }
                generator.nextBytes(buffer);
                used = 0;
            }
            long value = 0;
            for (int n = 0; n < 8; n++) {
                value = value << 8 | buffer[used] & 0xff;
                buffer[used++] = 0;
            }
            return value;
        }
    }
}
