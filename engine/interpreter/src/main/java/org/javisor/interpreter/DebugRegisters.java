package org.javisor.interpreter;

/** DR0 to DR3, DR6 and DR7 (Intel SDM vol. 3B, 17.2). */
final class DebugRegisters {
    static final long DR6_FIXED = 0xffff0ff0L;
    static final long DR6_BD = 1 << 13, DR6_BS = 1 << 14;
    static final long DR7_FIXED = 0x400;
    static final long DR7_GD = 1 << 13;

    final long[] address = new long[4];
    long dr6 = DR6_FIXED;
    long dr7 = DR7_FIXED;

    /** Whether DR7 enables any breakpoint, locally or globally. */
    boolean armed() {
        return (dr7 & 0xff) != 0;
    }

    boolean enabled(int n) {
        return (dr7 >>> 2 * n & 3) != 0;
    }

    /** 0 execution, 1 write, 2 port (with CR4.DE), 3 read or write. */
    int condition(int n) {
        return (int) (dr7 >>> 16 + 4 * n) & 3;
    }

    /** Length of breakpoint n in bytes. */
    int length(int n) {
        return switch ((int) (dr7 >>> 18 + 4 * n) & 3) {
            case 0 -> 1;
            case 1 -> 2;
            case 2 -> 8;
            default -> 4;
        };
    }

    /** The B0-B3 bits of the enabled breakpoints that an access touches. */
    int matches(long linear, int size, boolean write) {
        int hits = 0;
        for (int n = 0; n < 4; n++) {
            int condition = condition(n);
            if (enabled(n) && (condition == 3 || condition == 1 && write)) {
                long start = address[n] & -length(n);
                if (linear < start + length(n) && start < linear + size) {
                    hits |= 1 << n;
                }
            }
        }
        return hits;
    }

    /** The B0-B3 bits of the enabled instruction breakpoints at an address. */
    int matchesExecution(long linear) {
        int hits = 0;
        for (int n = 0; n < 4; n++) {
            if (enabled(n) && condition(n) == 0 && address[n] == linear) {
                hits |= 1 << n;
            }
        }
        return hits;
    }
}
