package org.javisor.kvm;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.locks.LockSupport;

/**
 * What other threads want of a processor, and how they get its thread out of the guest or out of
 * sleep.
 *
 * <p>They leave a bit and, if the runner is inside the kernel, set the shared page's wish to exit
 * and send a signal; the wish makes sure that an entry which has not quite happened yet returns at
 * once. The runner clears the wish and says that it goes inside before it looks at the bits, so no
 * event is missed.
 */
final class Attention {
    static final int INTERRUPT = 1, NMI = 2, INIT = 4, STARTUP = 8, EXIT = 16;
    private static final int OUTSIDE = 0, INSIDE = 1, ASLEEP = 2;
    private static final VarHandle EVENTS;

    static {
        try {
            EVENTS = MethodHandles.lookup().findVarHandle(Attention.class, "events", int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final RunPage page;
    private volatile int events;
    private volatile int where = OUTSIDE;
    private volatile Thread runner;
    private volatile int runnerId;
    private boolean closed;

    Attention(RunPage page) {
        this.page = page;
    }

    // From any thread

    void post(int event) {
        int before = (int) EVENTS.getAndBitwiseOr(this, event);
        if ((before & event) != 0) {
            return;
        }
        if (where == INSIDE) {
            kick();
        } else if (where == ASLEEP) {
            LockSupport.unpark(runner);
        }
    }

    /** The page may be about to go: whoever saw the runner inside may come late. */
    private synchronized void kick() {
        if (!closed) {
            page.immediateExit(true);
            KickSignal.send(runnerId);
        }
    }

    void clear(int event) {
        int ignored = (int) EVENTS.getAndBitwiseAnd(this, ~event);
    }

    int events() {
        return events;
    }

    // The runner's

    void begin(int threadId) {
        runner = Thread.currentThread();
        runnerId = threadId;
    }

    void end() {
        where = OUTSIDE;
        runner = null;
    }

    /** Before an entry into the guest: the events to be looked at first. */
    int goInside() {
        page.immediateExit(false);
        where = INSIDE;
        return events;
    }

    void comeOutside() {
        where = OUTSIDE;
    }

    /** From here on until {@link #comeOutside}, {@link #sleep} returns when something is posted. */
    void goToSleep() {
        where = ASLEEP;
    }

    void sleep() {
        LockSupport.park(this);
    }

    /** No kicks from here on. */
    synchronized void close() {
        closed = true;
        page.close();
    }
}
