package org.javisor.kvm;

import java.util.Map;

/** How often a processor has left the guest, why, and how long it took to be let in again. */
final class ExitCounts {
    /** Reasons beyond KVM's own: a kick or other signal, and an instruction carried out here. */
    static final int KICK = 40, RESCUE = 41;

    private static final int KINDS = 42;

    private final long[] count = new long[KINDS];
    private final long[] nanos = new long[KINDS];

    /** Written by the processor's thread only; read by others without synchronization. */
    void add(int kind, long spent) {
        int slot = kind >= 0 && kind < KINDS ? kind : RunPage.EXIT_UNKNOWN;
        count[slot]++;
        nanos[slot] += spent;
    }

    void report(Map<String, Long> counters) {
        for (int kind = 0; kind < KINDS; kind++) {
            if (count[kind] != 0) {
                counters.merge("exits." + name(kind), count[kind], Long::sum);
                counters.merge("exit-nanos." + name(kind), nanos[kind], Long::sum);
            }
        }
    }

    private static String name(int kind) {
        return switch (kind) {
            case RunPage.EXIT_IO -> "port";
            case RunPage.EXIT_DEBUG -> "debug";
            case RunPage.EXIT_HLT -> "halt";
            case RunPage.EXIT_MMIO -> "mmio";
            case RunPage.EXIT_IRQ_WINDOW_OPEN -> "interrupt-window";
            case RunPage.EXIT_SHUTDOWN -> "shutdown";
            case RunPage.EXIT_FAIL_ENTRY -> "fail-entry";
            case RunPage.EXIT_INTR, KICK -> "kick";
            case RunPage.EXIT_SET_TPR -> "task-priority";
            case RunPage.EXIT_INTERNAL_ERROR -> "internal-error";
            case RunPage.EXIT_SYSTEM_EVENT -> "system-event";
            case RunPage.EXIT_IOAPIC_EOI -> "end-of-interrupt";
            case RunPage.EXIT_RDMSR -> "rdmsr";
            case RunPage.EXIT_WRMSR -> "wrmsr";
            case RunPage.EXIT_DIRTY_RING_FULL -> "dirty-ring-full";
            case RESCUE -> "emulation";
            default -> "reason-" + kind;
        };
    }
}
