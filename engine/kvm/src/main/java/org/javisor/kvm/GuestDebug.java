package org.javisor.kvm;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import org.javisor.hypervisor.DebugRequest;
import org.javisor.hypervisor.DebugRequest.Watchpoint;

/**
 * A debugger's wishes, carried out with the processor's debug registers (KVM_SET_GUEST_DEBUG; Intel
 * SDM vol. 3B, 18.2). The guest's own debug registers are out of action meanwhile.
 *
 * <p>There are four; each holds a breakpoint, or an aligned piece of a watched range. When they do
 * not suffice for the breakpoints, the processor is stepped and every address compared. Watched
 * pieces beyond the fourth are not watched.
 */
final class GuestDebug {
    private static final int ENABLE = 1, SINGLE_STEP = 2, HARDWARE = 0x20000, BLOCK_IRQ = 0x100000;
    private static final int REGISTERS = 4;

    /** Conditions of DR7: execution, writes, reads and writes. */
    private static final int EXECUTE = 0, WRITE = 1, ACCESS = 3;

    private final KvmHandle vcpu;
    private final boolean available;
    private DebugRequest request = DebugRequest.NONE;

    /** What the debug registers watch, as linear addresses; breakpoints have length 0. */
    private final long[] address = new long[REGISTERS];

    private final int[] length = new int[REGISTERS];
    private int used;
    private long dr7;
    private boolean stepping;
    private int installed;

    GuestDebug(KvmHandle vcpu, boolean available) {
        this.vcpu = vcpu;
        this.available = available;
    }

    void set(DebugRequest newRequest) {
        request = newRequest;
        used = 0;
        dr7 = 0x400;
        for (Watchpoint watch : newRequest.watchpoints()) {
            addPieces(watch);
        }
        List<Long> breakpoints = newRequest.breakpoints();
        stepping = newRequest.singleStep() || breakpoints.size() > REGISTERS - used;
        if (!stepping) {
            breakpoints.forEach(at -> add(at, 0, EXECUTE));
        }
    }

    private void addPieces(Watchpoint watch) {
        long at = watch.address();
        int left = watch.length();
        while (left > 0 && used < REGISTERS) {
            int size = Math.min(8, Integer.highestOneBit(left));
            while ((at & size - 1) != 0) {
                size >>= 1;
            }
            // There is no condition for reads alone.
            add(at, size, watch.onRead() ? ACCESS : WRITE);
            at += size;
            left -= size;
        }
    }

    private void add(long at, int size, int condition) {
        // LEN: 1, 2, 8, 4 bytes are 0, 1, 2, 3.
        int code = size == 8 ? 2 : size == 4 ? 3 : size == 2 ? 1 : 0;
        address[used] = at;
        length[used] = size;
        dr7 |= 2L << 2 * used | (long) (code << 2 | condition) << 16 + 4 * used;
        used++;
    }

    boolean active() {
        return request.active();
    }

    boolean singleStep() {
        return request.singleStep();
    }

    /** Whether each step is to be looked at by {@link #stopsAt}. */
    boolean stepping() {
        return stepping;
    }

    boolean holdsInterrupts() {
        return request.holdInterrupts();
    }

    boolean stopsAt(long linear) {
        return request.breakpoints().contains(linear);
    }

    /** The watched address that DR6 tells of, or -1. */
    long watched(long dr6) {
        for (int n = 0; n < used; n++) {
            if ((dr6 >> n & 1) != 0 && length[n] != 0) {
                return address[n];
            }
        }
        return -1;
    }

    /**
     * Tells the kernel.
     *
     * @param pass carry out one instruction, whatever stands there, without an interrupt before it
     * @return false if the kernel cannot
     */
    boolean install(boolean pass) {
        int control = 0;
        if (pass || request.active()) {
            control = ENABLE | (pass || stepping ? SINGLE_STEP : 0);
            control |= pass || request.holdInterrupts() ? BLOCK_IRQ : 0;
            control |= used > 0 && !pass ? HARDWARE : 0;
        }
        // Watched accesses count in the passed instruction too, breakpoints do not.
        boolean watches = pass && used > 0 && length[0] != 0;
        control |= watches ? HARDWARE : 0;
        if (control == 0 && installed == 0) {
            return true;
        }
        if (!available) {
            return false;
        }
        installed = control;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment debug = arena.allocate(Layouts.GUEST_DEBUG);
            Fields.putInt(debug, Layouts.GUEST_DEBUG, "control", control);
            int registers = Layouts.offset(Layouts.GUEST_DEBUG, "arch.debugreg");
            for (int n = 0; n < used; n++) {
                debug.set(ValueLayout.JAVA_LONG, registers + 8L * n, address[n]);
            }
            long enabled = dr7;
            for (int n = 0; pass && n < used; n++) {
                enabled &= length[n] == 0 ? ~(3L << 2 * n) : -1;
            }
            debug.set(ValueLayout.JAVA_LONG, registers + 8L * 7, enabled);
            return vcpu.tryCall(Ioctl.SET_GUEST_DEBUG, debug) == 0;
        }
    }
}
