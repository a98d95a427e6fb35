package org.javisor.interpreter;

import java.time.Instant;
import org.javisor.device.Clock;
import org.javisor.memory.GuestMemory;

/**
 * KVM's paravirtual clock and steal time (Linux Documentation/virt/kvm/x86/msr.rst and cpuid.rst):
 * the guest reads how TSC ticks become nanoseconds from a structure it has named. The TSC runs at
 * one tick a nanosecond and never stops, so the structure is written once.
 */
final class ParavirtualClock {
    static final int WALL_CLOCK = 0x4b564d00, SYSTEM_TIME = 0x4b564d01, STEAL_TIME = 0x4b564d03;
    private static final int WALL_CLOCK_OLD = 0x11, SYSTEM_TIME_OLD = 0x12;
    static final int[] MSRS = {WALL_CLOCK, SYSTEM_TIME, STEAL_TIME};

    private static final int TSC_STABLE = 1;

    private final GuestMemory memory;
    private final Clock clock;
    private final Cpu cpu;
    private long wallClock;
    private long systemTime;
    private long stealTime;
    private long stolen;

    ParavirtualClock(GuestMemory memory, Clock clock, Cpu cpu) {
        this.memory = memory;
        this.clock = clock;
        this.cpu = cpu;
    }

    static boolean owns(int index) {
        return index == WALL_CLOCK
                || index == SYSTEM_TIME
                || index == STEAL_TIME
                || index == WALL_CLOCK_OLD
                || index == SYSTEM_TIME_OLD;
    }

    void reset() {
        wallClock = 0;
        systemTime = 0;
        stealTime = 0;
        stolen = 0;
    }

    long read(int index) {
        return switch (index) {
            case WALL_CLOCK, WALL_CLOCK_OLD -> wallClock;
            case STEAL_TIME -> stealTime;
            default -> systemTime;
        };
    }

    /**
     * @return false if the value is refused
     */
    boolean write(int index, long value) {
        switch (index) {
            case WALL_CLOCK, WALL_CLOCK_OLD -> {
                wallClock = value;
                writeWallClock(value);
            }
            case STEAL_TIME -> {
                if ((value & 0x3e) != 0) {
                    return false;
                }
                stealTime = value;
                writeStealTime();
            }
            default -> {
                systemTime = value;
                if ((value & 1) != 0) {
                    writeSystemTime(value & ~1L);
                }
            }
        }
        return true;
    }

    /** struct pvclock_wall_clock: the time of day at system time 0. */
    private void writeWallClock(long gpa) {
        Instant boot = clock.wallTime().minusNanos(clock.nanos());
        memory.write32(gpa, 1);
        memory.write32(gpa + 4, (int) boot.getEpochSecond());
        memory.write32(gpa + 8, boot.getNano());
        memory.write32(gpa, 2);
    }

    /** struct pvclock_vcpu_time_info; an odd version says that it is being written. */
    private void writeSystemTime(long gpa) {
        long now = clock.nanos();
        memory.write32(gpa, 1);
        memory.write64(gpa + 8, cpu.vcpu.timeStamp().at(now));
        memory.write64(gpa + 16, now);
        // nanoseconds = (ticks << 1) * 2^31 / 2^32
        memory.write32(gpa + 24, 0x80000000);
        memory.write8(gpa + 28, 1);
        memory.write8(gpa + 29, TSC_STABLE);
        memory.write32(gpa, 2);
    }

    /**
     * Reports time in which the processor wanted to run and the host did not let it, in
     * nanoseconds.
     */
    void addStolen(long nanos) {
        if ((stealTime & 1) != 0 && nanos > 0) {
            stolen += nanos;
            writeStealTime();
        }
    }

    boolean reportsStolenTime() {
        return (stealTime & 1) != 0;
    }

    /** struct kvm_steal_time. */
    private void writeStealTime() {
        if ((stealTime & 1) == 0) {
            return;
        }
        long gpa = stealTime & ~0x3fL;
        int version = memory.read32(gpa + 8);
        memory.write32(gpa + 8, version + 1);
        memory.write64(gpa, stolen);
        memory.write32(gpa + 8, version + 2);
    }
}
