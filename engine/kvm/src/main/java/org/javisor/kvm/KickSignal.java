package org.javisor.kvm;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The signal that makes a thread leave {@code KVM_RUN}. It does nothing else: its handler is a
 * function of the C library that only computes ({@code abs}), it is none of the signals that
 * HotSpot or the JDK's networking use, and whatever other system call it interrupts finds out by
 * EINTR, which the JDK's calls repeat.
 *
 * <p>The handler is the process's, so there is one for all machines; it is installed once and
 * stays.
 */
final class KickSignal {
    /** The first real-time signal that programs may use, counted by the C library, and the last. */
    private static final int FIRST = 40, LAST = 60;

    /** {@code struct sigaction} of the C library: handler, mask of 1,024 bits, flags, restorer. */
    private static final int ACTION_SIZE = 152;

    private static final int SIGNAL = install();
    private static final int PROCESS = LinuxCalls.processId();

    private KickSignal() {}

    /** Makes the thread leave KVM_RUN with EINTR; no effect on a thread that has ended. */
    static void send(int thread) {
        LinuxCalls.signal(PROCESS, thread, SIGNAL);
    }

    /** Installs the handler, if this has not happened yet. */
    static void prepare() {
        if (SIGNAL == 0) {
            throw new AssertionError("All real-time signals are in use");
        }
    }

    private static int install() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment previous = arena.allocate(ACTION_SIZE, 8);
            MemorySegment action = arena.allocate(ACTION_SIZE, 8);
            action.set(ValueLayout.ADDRESS, 0, LinuxCalls.function("abs"));
            for (int signal = FIRST; signal <= LAST; signal++) {
                int known = LinuxCalls.sigaction(signal, MemorySegment.NULL, previous);
                boolean free = known == 0 && previous.get(ValueLayout.JAVA_LONG, 0) == 0;
                if (free && LinuxCalls.sigaction(signal, action, MemorySegment.NULL) == 0) {
                    return signal;
                }
            }
        }
        return 0;
    }
}
