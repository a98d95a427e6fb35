package org.javisor.interpreter;

import org.javisor.hypervisor.VcpuState;

/**
 * The segment registers with their hidden parts, and the checks of protected mode (Intel SDM vol.
 * 3A, 3.4 and 5.2 to 5.6). Attributes are in the form of {@link VcpuState.Segment}.
 */
final class Segments {
    static final int PRESENT = 0x80,
            LONG = 0x2000,
            BIG = 0x4000,
            GRANULAR = 0x8000,
            NOT_SYSTEM = 0x10;
    private static final int CODE = 8, WRITABLE_OR_READABLE = 2, EXPAND_DOWN = 4;

    final int[] selector = new int[8];
    final long[] base = new long[8];

    /** In bytes, 0 to FFFFFFFFh. */
    final long[] limit = new long[8];

    final int[] attributes = new int[8];

    /** The segment is all of the 32-bit address space and may be written: nothing to check. */
    private final boolean[] flat = new boolean[8];

    void set(int register, int newSelector, long newBase, long newLimit, int newAttributes) {
        selector[register] = newSelector & 0xffff;
        base[register] = newBase;
        limit[register] = newLimit & 0xffffffffL;
        attributes[register] = newAttributes;
        int type = PRESENT | NOT_SYSTEM | CODE | WRITABLE_OR_READABLE | EXPAND_DOWN;
        flat[register] =
                newBase == 0
                        && limit[register] == 0xffffffffL
                        && (newAttributes & type) == (PRESENT | NOT_SYSTEM | WRITABLE_OR_READABLE);
    }

    /**
     * A null selector: unusable outside 64-bit code. Base and limit keep their values, as on
     * Intel's processors.
     */
    void setNull(int register, int newSelector) {
        set(register, newSelector, base[register], limit[register], 0);
    }

    /** Real-mode (and virtual-8086) load. The limit keeps its value ("unreal mode"). */
    void setReal(int register, int newSelector) {
        long keptLimit = limit[register];
        set(register, newSelector, (long) (newSelector & 0xffff) << 4, keptLimit, 0x93);
    }

    int dpl(int register) {
        return attributes[register] >> 5 & 3;
    }

    boolean stack32() {
        return (attributes[Cpu.SS] & BIG) != 0;
    }

    /**
     * Outside 64-bit code: the linear address of {@code size} bytes at an offset, checked against
     * the segment.
     */
    long linear(Cpu cpu, int register, long offset, int size, boolean write) {
        if (flat[register] || allowed(cpu, register, offset, size, write)) {
            return base[register] + offset & 0xffffffffL;
        }
        throw register == Cpu.SS ? GuestFault.ss0() : GuestFault.gp0();
    }

    /** Whether {@link #linear} would allow all of a range. */
    boolean covers(Cpu cpu, int register, long offset, int length, boolean write) {
        return flat[register] || allowed(cpu, register, offset, length, write);
    }

    private boolean allowed(Cpu cpu, int register, long offset, int size, boolean write) {
        int access = attributes[register];
        long last = offset + size - 1;
        if (!cpu.control.protectedMode()) {
            return last <= limit[register];
        }
        if ((access & PRESENT) == 0) {
            return false;
        }
        boolean code = (access & CODE) != 0;
        if (write
                ? code || (access & WRITABLE_OR_READABLE) == 0
                : code && (access & WRITABLE_OR_READABLE) == 0) {
            return false;
        }
        if (!code && (access & EXPAND_DOWN) != 0) {
            long top = (access & BIG) != 0 ? 0xffffffffL : 0xffff;
            return offset > limit[register] && last <= top;
        }
        return last <= limit[register];
    }
}
