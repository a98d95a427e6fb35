package org.javisor.kvm;

import org.javisor.hypervisor.DebugRequest;
import org.javisor.hypervisor.VcpuState;

/** Where a debugger wants a processor to stop, and how the processor gets past that place again. */
final class DebugStops {
    private final GuestDebug debug;

    /** The next instruction is carried out whatever stands there. */
    private boolean passing;

    private long passedAddress;
    private long watchedAddress = -1;

    DebugStops(GuestDebug debug) {
        this.debug = debug;
    }

    void set(DebugRequest request) {
        debug.set(request);
    }

    boolean passing() {
        return passing;
    }

    long passedAddress() {
        return passedAddress;
    }

    /** As {@link org.javisor.hypervisor.Vcpu#debugAddress()}. */
    long watchedAddress() {
        return watchedAddress;
    }

    /**
     * Before the guest goes on.
     *
     * @param unfinished whether the next entry only finishes an access
     * @return false if the kernel cannot stop for a debugger
     */
    boolean begin(boolean unfinished) {
        watchedAddress = -1;
        if (passing && debug.active() && !unfinished) {
            return debug.install(true);
        }
        passing = false;
        return debug.install(false);
    }

    /** Execution goes on elsewhere, perhaps. */
    void stateSet(VcpuState state) {
        passing &= linear(state) == passedAddress;
    }

    void reset() {
        passing = false;
    }

    /** The address that DR6 tells of, or -1. */
    long watched(long dr6) {
        return debug.watched(dr6);
    }

    /** Whether somebody waits for the end of an instruction. */
    boolean follows() {
        return debug.active() || passing;
    }

    /**
     * After a step or at a breakpoint: whether that is what the debugger waits for.
     *
     * @param at the linear address of the next instruction
     * @param watched the watched address that was accessed, or -1
     */
    boolean stops(long at, long watched) {
        boolean passed = passing;
        passing = false;
        if (debug.singleStep() || watched != -1 || debug.stopsAt(at)) {
            watchedAddress = watched;
            passing = true;
            passedAddress = at;
            return true;
        }
        if (passed) {
            debug.install(false);
        }
        return false;
    }

    /** The linear address of the next instruction. */
    static long linear(VcpuState state) {
        VcpuState.Segment cs = state.segments[VcpuState.CS];
        boolean code64 = (state.efer & 0x400) != 0 && (cs.attributes() & 0x2000) != 0;
        return code64 ? state.rip : state.rip + cs.base() & 0xffffffffL;
    }
}
