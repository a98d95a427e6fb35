package org.javisor.testkit;

import java.util.concurrent.locks.LockSupport;
import org.javisor.hypervisor.ExitReason;
import org.javisor.hypervisor.Vcpu;

/** Runs a processor up to the exit that it is asked for, and no longer than some seconds. */
final class Watchdog implements AutoCloseable {
    private static final long LIMIT = 20_000_000_000L;
    private static final long INTERVAL = 500_000_000L;

    private final Vcpu vcpu;
    private final Thread thread;
    private volatile long started;
    private volatile boolean running;
    private volatile boolean late;
    private volatile boolean closed;

    Watchdog(Vcpu vcpu) {
        this.vcpu = vcpu;
        thread = Thread.ofPlatform().daemon().start(this::watch);
    }

    private void watch() {
        while (!closed) {
            LockSupport.parkNanos(INTERVAL);
            if (running && System.nanoTime() - started > LIMIT) {
                late = true;
                vcpu.requestExit();
            }
        }
    }

    /**
     * Runs the processor.
     *
     * @throws NoEndException if it does not come to its end
     */
    void run() {
        started = System.nanoTime();
        running = true;
        ExitReason reason = vcpu.run();
        running = false;
        if (late) {
            late = false;
            throw new NoEndException("no end, rip " + Long.toHexString(vcpu.state().rip));
        }
        if (reason != ExitReason.REQUESTED) {
            throw new NoEndException(("ended with " + reason + " " + vcpu.failure()).trim());
        }
    }

    @Override
    public void close() {
        closed = true;
        LockSupport.unpark(thread);
    }

    /** The guest ended otherwise than by coming to its end, or not at all. */
    static final class NoEndException extends RuntimeException {
        NoEndException(String message) {
            super(message);
        }
    }
}
