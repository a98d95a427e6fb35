package org.javisor.testkit;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/**
 * The handler of {@link HostStubs} in front of HotSpot's, for the signals that Linux makes of
 * processor exceptions. Layout of struct sigaction as in the C libraries of x86-64 Linux.
 */
final class HostSignals {
    private static final int[] SIGNALS = {4, 5, 7, 8, 11}; // ILL, TRAP, BUS, FPE, SEGV
    private static final int ACTION_SIZE = 152;
    private static final int FLAGS = 136;
    private static final int SA_SIGINFO = 4, SA_ONSTACK = 0x0800_0000;

    private final Arena arena = Arena.ofShared();
    private final MemorySegment previous = arena.allocate(SIGNALS.length * ACTION_SIZE, 8);
    private final MethodHandle sigaction;

    HostSignals(Linker linker, MemorySegment mapping) {
        var p = ValueLayout.ADDRESS;
        var i = ValueLayout.JAVA_INT;
        sigaction =
                linker.downcallHandle(
                        linker.defaultLookup().findOrThrow("sigaction"),
                        FunctionDescriptor.of(i, i, p, p));
        MemorySegment action = arena.allocate(ACTION_SIZE, 8);
        action.set(ValueLayout.JAVA_LONG, 0, mapping.address() + HostStubs.HANDLER);
        action.set(i, FLAGS, SA_SIGINFO | SA_ONSTACK);
        for (int n = 0; n < SIGNALS.length; n++) {
            MemorySegment old = previous.asSlice((long) n * ACTION_SIZE, ACTION_SIZE);
            // The chain must be whole before the new handler can be called.
            set(SIGNALS[n], MemorySegment.NULL, old);
            long handler = old.get(ValueLayout.JAVA_LONG, 0);
            mapping.set(ValueLayout.JAVA_LONG, HostStubs.PREVIOUS + 8L * SIGNALS[n], handler);
            set(SIGNALS[n], action, MemorySegment.NULL);
        }
    }

    void restore() {
        for (int n = 0; n < SIGNALS.length; n++) {
            set(
                    SIGNALS[n],
                    previous.asSlice((long) n * ACTION_SIZE, ACTION_SIZE),
                    MemorySegment.NULL);
        }
        arena.close();
    }

    private void set(int signal, MemorySegment action, MemorySegment old) {
        try {
            int result = (int) sigaction.invokeExact(signal, action, old);
            if (result != 0) {
                throw new IllegalStateException("sigaction failed for signal " + signal);
            }
        } catch (RuntimeException e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }
}
