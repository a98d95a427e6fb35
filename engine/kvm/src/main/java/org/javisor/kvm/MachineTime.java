package org.javisor.kvm;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.javisor.device.Clock;

/**
 * Keeps the guest's counters in step with the machine's clock. The processor's time-stamp counter
 * goes on while the machine is paused and its clock stands still; before a processor runs again, so
 * much is taken off its counter, the same on all of them.
 */
final class MachineTime {
    /** Two readings of one instant differ by less; a pause takes longer. */
    private static final long NOISE = 50_000;

    private final KvmHandle vm;
    private final Clock clock;
    private final boolean adjustable;

    /** Host time minus machine time when the counters began. */
    private final long begin;

    /** How long the clock has stood still since then, in nanoseconds. */
    private long paused;

    MachineTime(KvmHandle vm, Clock clock, boolean adjustable) {
        this.vm = vm;
        this.clock = clock;
        this.adjustable = adjustable;
        begin = System.nanoTime() - clock.nanos();
    }

    /** How long the machine has been paused since its creation; each pause counts once for all. */
    synchronized long paused() {
        long now = System.nanoTime() - clock.nanos() - begin;
        if (Math.abs(now - paused) > NOISE) {
            if (adjustable) {
                turnBack(now - paused);
            }
            paused = now;
        }
        return paused;
    }

    /** The paravirtual clock's nanoseconds are the kernel's own affair, so it has to be told. */
    private void turnBack(long nanos) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment data = arena.allocate(Layouts.CLOCK_DATA);
            if (vm.tryCall(Ioctl.GET_CLOCK, data) == 0) {
                long now = Fields.getLong(data, Layouts.CLOCK_DATA, "clock");
                data.fill((byte) 0);
                Fields.putLong(data, Layouts.CLOCK_DATA, "clock", Math.max(0, now - nanos));
                int ignored = vm.tryCall(Ioctl.SET_CLOCK, data);
            }
        }
    }

    /** Ticks of a counter that has run since the machine's clock began. */
    long ticks(long khz) {
        return toTicks(clock.nanos(), khz);
    }

    static long toTicks(long nanos, long khz) {
        return Math.multiplyHigh(nanos, khz) == 0
                ? nanos * khz / 1_000_000
                : nanos / 1_000_000 * khz + nanos % 1_000_000 * khz / 1_000_000;
    }
}
