package org.javisor.interpreter;

/** How long a processor has been running, halts apart. Written by its own thread, read by any. */
final class BusyTime {
    private volatile long nanos;
    private volatile long since;
    private volatile boolean busy;

    void begin() {
        since = System.nanoTime();
        busy = true;
    }

    void end() {
        if (busy) {
            busy = false;
            nanos += System.nanoTime() - since;
        }
    }

    long nanos() {
        return nanos + (busy ? System.nanoTime() - since : 0);
    }
}
