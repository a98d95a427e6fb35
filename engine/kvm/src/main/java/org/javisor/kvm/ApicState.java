package org.javisor.kvm;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.javisor.device.LocalApicState;

/**
 * A local APIC inside the kernel as the record that every engine's goes on from. The kernel gives
 * the page of registers as software sees it (KVM_GET_LAPIC; Intel SDM vol. 3A, table 11-1).
 */
final class ApicState {
    // Offsets of registers
    private static final int TASK_PRIORITY = 0x80, LOGICAL_DESTINATION = 0xd0;
    private static final int DESTINATION_FORMAT = 0xe0, SPURIOUS = 0xf0;
    private static final int IN_SERVICE = 0x100, TRIGGER_MODE = 0x180, REQUEST = 0x200;
    private static final int ERROR_STATUS = 0x280, COMMAND_LOW = 0x300, COMMAND_HIGH = 0x310;
    private static final int LVT_TIMER = 0x320, TIMER_INITIAL = 0x380, TIMER_CURRENT = 0x390;
    private static final int TIMER_DIVIDE = 0x3e0;

    private static final int ENTRIES = 6, STEP = 0x10, VECTORS = 256;
    private static final int ONE_SHOT = 0, PERIODIC = 1, DEADLINE = 2;
    private static final int MSR_DEADLINE = 0x6e0;

    private final KvmHandle vcpu;
    private final VcpuRegisters registers;

    ApicState(KvmHandle vcpu, VcpuRegisters registers) {
        this.vcpu = vcpu;
        this.registers = registers;
    }

    LocalApicState save() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment page = arena.allocate(Layouts.LAPIC);
            vcpu.call(Ioctl.GET_LAPIC, page);
            int[] lvt = new int[ENTRIES];
            for (int n = 0; n < ENTRIES; n++) {
                lvt[n] = get(page, LVT_TIMER + STEP * n);
            }
            long[] requested = vectors(page, REQUEST);
            long[] inService = vectors(page, IN_SERVICE);
            takeBack(registers.injectedInterrupt(), requested, inService);
            long command = get(page, COMMAND_LOW) & 0xffffffffL;
            return new LocalApicState(
                    1,
                    registers.apicBase(),
                    get(page, TASK_PRIORITY),
                    get(page, LOGICAL_DESTINATION),
                    get(page, DESTINATION_FORMAT),
                    get(page, SPURIOUS),
                    get(page, ERROR_STATUS),
                    0,
                    command | (long) get(page, COMMAND_HIGH) << 32,
                    lvt,
                    requested,
                    inService,
                    vectors(page, TRIGGER_MODE),
                    false,
                    false,
                    timer(page, lvt[0]));
        }
    }

    /**
     * An interrupt that the processor has accepted and not begun to handle waits in the controller
     * again. That of a PIC cannot wait there, and is not in service here.
     */
    private static void takeBack(int vector, long[] requested, long[] inService) {
        if (vector >= 0 && (inService[vector >> 6] >> vector & 1) != 0) {
            inService[vector >> 6] &= ~(1L << vector);
            requested[vector >> 6] |= 1L << vector;
        }
    }

    private LocalApicState.Timer timer(MemorySegment page, int lvt) {
        int initial = get(page, TIMER_INITIAL);
        int current = get(page, TIMER_CURRENT);
        int divide = get(page, TIMER_DIVIDE) & 0xb;
        long done = Integer.toUnsignedLong(initial) - Integer.toUnsignedLong(current);
        boolean running = initial != 0 && (mode(lvt) == PERIODIC || current != 0);
        long deadline = mode(lvt) == DEADLINE ? ModelRegisters.get(vcpu, MSR_DEADLINE) : 0;
        return new LocalApicState.Timer(initial, divide, done << shift(divide), running, deadline);
    }

    void restore(LocalApicState state) {
        registers.setApicBase(state.base());
        registers.dropInjectedInterrupt();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment page = arena.allocate(Layouts.LAPIC);
            // Identity and version stay what they are.
            vcpu.call(Ioctl.GET_LAPIC, page);
            put(page, TASK_PRIORITY, state.tpr());
            put(page, LOGICAL_DESTINATION, state.logicalDestination());
            put(page, DESTINATION_FORMAT, state.destinationFormat());
            put(page, SPURIOUS, state.spurious());
            put(page, ERROR_STATUS, state.errorStatus());
            put(page, COMMAND_LOW, (int) state.interruptCommand());
            put(page, COMMAND_HIGH, (int) (state.interruptCommand() >>> 32));
            for (int n = 0; n < ENTRIES; n++) {
                put(page, LVT_TIMER + STEP * n, state.lvt()[n]);
            }
            putVectors(page, REQUEST, state.irr());
            putVectors(page, IN_SERVICE, state.isr());
            putVectors(page, TRIGGER_MODE, state.tmr());
            put(page, TIMER_INITIAL, state.timer().initialCount());
            put(page, TIMER_DIVIDE, state.timer().divide());
            put(page, TIMER_CURRENT, current(state.lvt()[0], state.timer()));
            int result = vcpu.tryCall(Ioctl.SET_LAPIC, page);
            if (result < 0) {
                throw new IllegalArgumentException(
                        "KVM cannot hold this local APIC: " + LinuxCalls.describe(-result));
            }
        }
        if (mode(state.lvt()[0]) == DEADLINE) {
            ModelRegisters.set(vcpu, MSR_DEADLINE, state.timer().deadline());
        }
    }

    /** What is left of the count, or of its period. */
    private static int current(int lvt, LocalApicState.Timer timer) {
        long initial = Integer.toUnsignedLong(timer.initialCount());
        long done = timer.elapsedNanos() >>> shift(timer.divide());
        if (initial == 0 || mode(lvt) == DEADLINE) {
            return 0;
        }
        if (mode(lvt) == PERIODIC) {
            return (int) (initial - done % initial);
        }
        // One that is due goes off at once.
        return timer.running() ? (int) Math.max(1, initial - done) : 0;
    }

    private static int mode(int lvt) {
        int mode = lvt >> 17 & 3;
        return mode == PERIODIC || mode == DEADLINE ? mode : ONE_SHOT;
    }

    /** The divide value's exponent: 000b is 2, 110b is 128, 111b is 1. */
    private static int shift(int divide) {
        int code = divide & 3 | divide >> 1 & 4;
        return code + 1 & 7;
    }

    private static long[] vectors(MemorySegment page, int at) {
        long[] words = new long[VECTORS / 64];
        for (int n = 0; n < VECTORS / 32; n++) {
            words[n / 2] |= (get(page, at + STEP * n) & 0xffffffffL) << 32 * (n & 1);
        }
        return words;
    }

    private static void putVectors(MemorySegment page, int at, long[] words) {
        for (int n = 0; n < VECTORS / 32; n++) {
            put(page, at + STEP * n, (int) (words[n / 2] >>> 32 * (n & 1)));
        }
    }

    private static int get(MemorySegment page, int register) {
        return page.get(ValueLayout.JAVA_INT, register);
    }

    private static void put(MemorySegment page, int register, int value) {
        page.set(ValueLayout.JAVA_INT, register, value);
    }
}
