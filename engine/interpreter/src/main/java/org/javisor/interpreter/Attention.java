package org.javisor.interpreter;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.locks.LockSupport;

/**
 * What is demanded of a processor from outside. Other threads leave a bit and wake the runner, the
 * thread that runs the processor. That one looks at the bits after every block, masked by what the
 * processor would act on now, so that an interrupt held off by IF=0 costs nothing.
 */
final class Attention {
    static final int INTERRUPT = 1, NMI = 2, INIT = 4, STARTUP = 8, EXIT = 16;

    /** Somebody waits for this processor to come to the end of an instruction. */
    static final int SETTLE = 32;

    private static final int SPINS = 1000;
    private static final long PAUSE_NANOS = 20_000;

    private static final VarHandle EVENTS;

    static {
        try {
            EVENTS = MethodHandles.lookup().findVarHandle(Attention.class, "events", int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final Cpu cpu;
    private final CodeRunner codeRunner;

    private volatile int events;
    private volatile Thread runner;

    /** The runner is in the middle of no access to guest memory, and begins none. */
    private volatile boolean settled = true;

    /** The runner's own. */
    private int mask;

    Attention(Cpu cpu, CodeRunner codeRunner) {
        this.cpu = cpu;
        this.codeRunner = codeRunner;
    }

    /** Demands it, from any thread. */
    void post(int event) {
        int before = (int) EVENTS.getAndBitwiseOr(this, event);
        if ((before & event) == 0) {
            codeRunner.attention();
            Thread thread = runner;
            if (thread == Thread.currentThread()) {
                // By an access of this very instruction: the next one comes after the event.
                cpu.endBlock();
            } else if (thread != null) {
                LockSupport.unpark(thread);
            }
        }
    }

    /** Takes demands back, or notes that they are met. */
    void clear(int event) {
        int ignored = (int) EVENTS.getAndBitwiseAnd(this, ~event);
    }

    /** Whether one of these is demanded, be it held off at the moment. */
    boolean posted(int event) {
        return (events & event) != 0;
    }

    boolean anyPosted() {
        return events != 0;
    }

    // For the runner

    /** Of what is posted from now on, the runner acts on this. */
    void heed(int newMask) {
        mask = newMask;
    }

    /** Whether there is something to act on. */
    boolean due() {
        return (events & mask) != 0;
    }

    boolean due(int event) {
        return (events & mask & event) != 0;
    }

    void begin() {
        runner = Thread.currentThread();
        settled = false;
    }

    void end() {
        settled = true;
        runner = null;
    }

    /** Until something is due. */
    void sleep() {
        settled = true;
        while (!due()) {
            LockSupport.park(this);
        }
        settled = false;
    }

    /** The runner is about to be busy elsewhere, for as long as that takes. */
    void enterDevice() {
        if (cpu.mmu.sharedMemory()) {
            settled = true;
        }
    }

    void leaveDevice() {
        if (cpu.mmu.sharedMemory()) {
            settled = false;
        }
    }

    // For the threads of other processors

    /** To be followed by {@link #awaitSettled}. */
    void askToSettle() {
        if (!settled) {
            post(SETTLE);
        }
    }

    /** Waits until the instruction of this processor's is over that was under way when asked. */
    void awaitSettled() {
        for (int n = 0; !settled && (events & SETTLE) != 0; n++) {
            if (n < SPINS) {
                Thread.onSpinWait();
            } else {
                LockSupport.parkNanos(PAUSE_NANOS);
            }
        }
    }
}
