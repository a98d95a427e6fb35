package org.javisor.hypervisor;

import java.util.List;

/**
 * What a debugger wants of a processor.
 *
 * @param singleStep stop after each instruction; a repeated string instruction counts each time
 * @param holdInterrupts deliver neither interrupts nor NMIs meanwhile, so that a step leads to the
 *     next instruction and not into a handler; they stay pending
 * @param breakpoints linear addresses to stop before
 * @param watchpoints data accesses to stop after
 */
public record DebugRequest(
        boolean singleStep,
        boolean holdInterrupts,
        List<Long> breakpoints,
        List<Watchpoint> watchpoints) {
    public static final DebugRequest NONE = new DebugRequest(false, false, List.of(), List.of());

    /** A range of linear addresses, in bytes, and which accesses count. */
    public record Watchpoint(long address, int length, boolean onRead, boolean onWrite) {}

    public DebugRequest {
        breakpoints = List.copyOf(breakpoints);
        watchpoints = List.copyOf(watchpoints);
    }

    public boolean active() {
        return singleStep || !breakpoints.isEmpty() || !watchpoints.isEmpty();
    }
}
