package org.javisor.testkit;

import java.util.List;

/**
 * Code and the states in which an engine is compared with the host's processor, complete: nothing
 * of it is made from a seed.
 *
 * @param kind how the code is to be read
 * @param base address of {@link HostProcessor#baseAddress}, which states and code refer to
 * @param offset of the code in the code memory
 * @param states run one after the other
 */
record OracleCase(Kind kind, long base, int offset, byte[] code, List<Start> states) {
    /** What the code is. */
    enum Kind {
        /** One instruction of 64-bit code. */
        BITS64("64"),
        /** One instruction of 32-bit code. */
        BITS32("32"),
        /** Many instructions of 64-bit code. */
        PROGRAM("program");

        private final String label;

        Kind(String label) {
            this.label = label;
        }

        String label() {
            return label;
        }
    }

    /**
     * A state to begin in.
     *
     * @param data the operand memory's writable pages
     * @param operand where the memory operand lies in it
     */
    record Start(UserState registers, byte[] data, long operand) {}

    OracleCase {
        states = List.copyOf(states);
    }

    boolean as32() {
        return kind == Kind.BITS32;
    }

    /** Where the code ends. */
    long end() {
        return base + HostStubs.CODE + offset + code.length;
    }

    /** The same code with other states. */
    OracleCase with(List<Start> other) {
        return new OracleCase(kind, base, offset, code, other);
    }
}
