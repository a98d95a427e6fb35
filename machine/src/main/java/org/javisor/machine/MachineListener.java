package org.javisor.machine;

/**
 * Hears of a machine's events, on one of the machine's own threads. A listener returns soon, and
 * calls no method of the machine that waits.
 */
public interface MachineListener {
    /** Hears nothing. */
    MachineListener NONE = new MachineListener() {};

    /**
     * The guest has reset the machine, which starts again; {@code cause} is one of the machine's
     * reset sources.
     */
    default void reset(String cause) {}

    /** A device has paused the machine, until {@link Machine#resume()}. */
    default void paused(String cause) {}

    /** The guest has let its watchdog timer run out; {@code action} follows. */
    default void watchdogExpired(WatchdogAction action) {}

    /** The guest's kernel has reported a panic; the line as printed, free of control characters. */
    default void panicked(String line) {}

    /**
     * The translator and the interpreter, which was to carry out everything as well, differ; the
     * report has many lines. The machine ends.
     */
    default void differed(String report) {}

    /** The machine has ended; no further event follows. */
    default void ended(MachineEnd end) {}
}
