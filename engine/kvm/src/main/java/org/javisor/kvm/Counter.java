package org.javisor.kvm;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * A processor's time-stamp counter: its place relative to the machine's clock, and its standing
 * still while the machine is paused. The counter itself runs in hardware; only its offset from the
 * host's is set (Linux Documentation/virt/kvm/devices/vcpu.rst, KVM_VCPU_TSC_CTRL).
 */
final class Counter {
    private static final int GROUP = 0, OFFSET = 0;

    /** Counters that differ by less, in microseconds, are the same. */
    private static final long TOLERANCE = 1000;

    private final KvmHandle vcpu;
    private final MachineTime time;
    private final int khz;
    private final boolean hasOffset;

    /** Ticks beyond those since the machine's clock began, as the guest or a state has set it. */
    private volatile long lead;

    private long pausedApplied;

    /**
     * @param first whose offset to share, so that counters agree to the tick
     */
    Counter(KvmHandle vcpu, MachineTime time, int khz, java.util.Optional<Counter> first) {
        this.vcpu = vcpu;
        this.time = time;
        this.khz = khz;
        hasOffset = access(Ioctl.HAS_DEVICE_ATTR, 0) == 0;
        pausedApplied = time.paused();
        if (hasOffset && first.isPresent() && first.get().hasOffset) {
            setOffset(first.get().offset());
            pausedApplied = first.get().pausedApplied;
        } else {
            ModelRegisters.set(vcpu, ModelRegisters.TSC, time.ticks(khz));
        }
    }

    int khz() {
        return khz;
    }

    /** What the guest would read now; from any thread. */
    long now() {
        return time.ticks(khz) + lead;
    }

    /** Before the guest goes on: takes off what the counter has run while the machine stood. */
    void resume() {
        long paused = time.paused();
        if (paused != pausedApplied) {
            long ticks = MachineTime.toTicks(paused - pausedApplied, khz);
            pausedApplied = paused;
            if (hasOffset) {
                setOffset(offset() - ticks);
            } else {
                long now = ModelRegisters.get(vcpu, ModelRegisters.TSC);
                ModelRegisters.set(vcpu, ModelRegisters.TSC, now - ticks);
            }
            int ignored = vcpu.tryCall(Ioctl.KVMCLOCK_CTRL, 0);
        }
    }

    /** The lead, found out by looking at the counter: the guest may have written it. */
    long lead() {
        resume();
        long found = ModelRegisters.get(vcpu, ModelRegisters.TSC) - time.ticks(khz);
        if (Math.abs(found - lead) > TOLERANCE * khz / 1000) {
            lead = found;
        }
        return lead;
    }

    void setLead(long ticks) {
        if (lead() != ticks) {
            if (hasOffset) {
                setOffset(offset() + ticks - lead);
            } else {
                ModelRegisters.set(vcpu, ModelRegisters.TSC, time.ticks(khz) + ticks);
            }
            lead = ticks;
        }
    }

    private long offset() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment value = arena.allocate(8, 8);
            return access(Ioctl.GET_DEVICE_ATTR, value.address()) == 0
                    ? value.get(ValueLayout.JAVA_LONG, 0)
                    : 0;
        }
    }

    private void setOffset(long offset) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment value = arena.allocate(8, 8);
            value.set(ValueLayout.JAVA_LONG, 0, offset);
            int ignored = access(Ioctl.SET_DEVICE_ATTR, value.address());
        }
    }

    private int access(Ioctl request, long address) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment attribute = arena.allocate(Layouts.DEVICE_ATTR);
            Fields.putInt(attribute, Layouts.DEVICE_ATTR, "group", GROUP);
            Fields.putLong(attribute, Layouts.DEVICE_ATTR, "attr", OFFSET);
            Fields.putLong(attribute, Layouts.DEVICE_ATTR, "addr", address);
            return vcpu.tryCall(request, attribute);
        }
    }
}
