package org.javisor.interpreter;

import java.util.Arrays;
import java.util.List;
import org.javisor.hypervisor.DebugRequest;
import org.javisor.x86.Instruction;

/** Where a debugger wants the processor to stop, and what it has been told so far. */
final class DebugStops {
    private static final long PAGE = -4096;

    private final Cpu cpu;
    private DebugRequest request = DebugRequest.NONE;

    /** Where the debugger wants to stop, in ascending order, and the pages of these addresses. */
    private long[] breakpoints = {};

    private long[] breakpointPages = {};
    private boolean cutsBlocks;

    /** The debugger knows that the processor stands at {@link #passedAddress}: it is to go on. */
    private boolean passing;

    private long passedAddress;

    /** Where a watched access was that it has not been told of, or -1. */
    private long watchHit = -1;

    private long reported = -1;

    /** The guest's own breakpoints that matched, as bits of DR6. */
    private int guestHits;

    DebugStops(Cpu cpu) {
        this.cpu = cpu;
    }

    void request(DebugRequest wanted) {
        request = wanted;
        breakpoints = wanted.breakpoints().stream().mapToLong(Long::longValue).sorted().toArray();
        breakpointPages = Arrays.stream(breakpoints).map(at -> at & PAGE).sorted().toArray();
        cutsBlocks = breakpoints.length != 0 || !wanted.watchpoints().isEmpty();
    }

    /** First and last byte of each range to be watched, for the debugger and for the guest. */
    long[] watchedRanges() {
        List<DebugRequest.Watchpoint> watchpoints = request.watchpoints();
        long[] ranges = new long[2 * (4 + watchpoints.size())];
        int used = 0;
        for (int n = 0; n < 4; n++) {
            if (cpu.debug.enabled(n) && (cpu.debug.condition(n) & 1) != 0) {
                long start = cpu.debug.address[n] & -cpu.debug.length(n);
                ranges[used++] = start;
                ranges[used++] = start + cpu.debug.length(n) - 1;
            }
        }
        for (DebugRequest.Watchpoint w : watchpoints) {
            ranges[used++] = w.address();
            ranges[used++] = w.address() + w.length() - 1;
        }
        return Arrays.copyOf(ranges, used);
    }

    /** Blocks have to be run with an eye on breakpoints and watched accesses. */
    boolean cutBlocks() {
        return cutsBlocks;
    }

    boolean singleStep() {
        return request.singleStep();
    }

    /** Instructions have to go one at a time. */
    boolean needCare() {
        return passing || request.singleStep();
    }

    /** Interrupts have to wait. */
    boolean holdInterrupts(boolean running) {
        return request.holdInterrupts() || passing && !request.singleStep() && running;
    }

    // Breakpoints

    /** Whether to stop before the instruction at this address. */
    boolean stopBefore(long linear) {
        return !(passing && linear == passedAddress) && at(linear);
    }

    private boolean at(long linear) {
        return Arrays.binarySearch(breakpoints, linear) >= 0;
    }

    /** How many instructions of the block at this address come before one with a breakpoint. */
    int before(Block block, long linear) {
        Instruction[] decoded = block.instructions;
        if (Arrays.binarySearch(breakpointPages, linear & PAGE) >= 0) {
            long at = linear;
            for (int n = 0; n < decoded.length; n++) {
                if (at(at)) {
                    return n;
                }
                at += decoded[n].length;
            }
        }
        return decoded.length;
    }

    // Accesses

    /** Told of every data access to a page with watched bytes. */
    void access(long linear, int size, boolean write) {
        guestHits |= cpu.debug.matches(linear, size, write);
        for (DebugRequest.Watchpoint w : request.watchpoints()) {
            boolean counts = write ? w.onWrite() : w.onRead();
            boolean touched = linear - w.address() < w.length() && w.address() - linear < size;
            if (counts && touched && watchHit == -1) {
                watchHit = linear - w.address() < 0 ? w.address() : linear;
            }
        }
        if (guestHits != 0 || watchHit != -1) {
            cpu.endBlock();
        }
    }

    boolean accessSeen() {
        return watchHit != -1;
    }

    void forgetGuestHits() {
        guestHits = 0;
    }

    int guestHits() {
        return guestHits;
    }

    // What the debugger knows

    void begin() {
        watchHit = -1;
        reported = -1;
    }

    /** The processor stops for the debugger before the instruction at this address. */
    void stopAt(long linear) {
        reported = watchHit;
        passing = true;
        passedAddress = linear;
    }

    /** The processor goes on from where it stopped. */
    void goOn() {
        passing = false;
    }

    /** The debugger may have moved the processor to this address. */
    void moved(long linear) {
        passing &= linear == passedAddress;
    }

    /** The watched address whose access was the reason to stop, or -1. */
    long reported() {
        return reported;
    }
}
