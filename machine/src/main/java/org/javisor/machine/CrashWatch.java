package org.javisor.machine;

import java.util.List;
import java.util.function.Consumer;
import org.javisor.device.Clock;

/**
 * Reads what the guest says on its two serial ports, to either of which its kernel may log, and
 * knows from it whether that kernel has panicked or is about to restart the machine.
 */
final class CrashWatch {
    /** How long a kernel that reported a panic must stay silent to be believed. */
    private static final long SILENCE_NANOS = 1_000_000_000L;

    private final ConsoleTail console = new ConsoleTail();
    private final ConsoleTail control = new ConsoleTail();
    private final Clock clock;
    private final Clock.Alarm alarm;
    private final Consumer<String> reported;
    private final Consumer<String> hung;

    /**
     * @param reported hears of a panic's line as soon as it is printed, on the processor's thread
     * @param hung hears of it when the kernel hangs after a panic, on the clock's thread
     */
    CrashWatch(Clock clock, Consumer<String> reported, Consumer<String> hung) {
        this.clock = clock;
        this.reported = reported;
        this.hung = hung;
        this.alarm = clock.newAlarm(this::silent);
    }

    /** A byte on the first port. */
    void console(byte value) {
        observe(console, value);
    }

    /** A byte on the second port. */
    void control(byte value) {
        observe(control, value);
    }

    private void observe(ConsoleTail port, byte value) {
        switch (port.add(value)) {
            case NOTHING -> {}
            case PANIC_REPORTED -> reported.accept(port.panic());
            case PANIC_COMPLETE -> alarm.arm(clock.nanos() + SILENCE_NANOS);
        }
    }

    private void silent() {
        if (console.silentSincePanic() || control.silentSincePanic()) {
            hung.accept(panic());
        }
    }

    /** The panic's line, or empty. */
    String panic() {
        return panicked().panic();
    }

    /** Whether the kernel has said that it restarts the machine. */
    boolean restartAnnounced() {
        return console.restartAnnounced() || control.restartAnnounced();
    }

    /** The last lines of the first port. */
    List<String> consoleLines() {
        return console.lines();
    }

    /** The last lines of the port with a panic on it, or of the first one. */
    List<String> tellingLines() {
        return panicked().lines();
    }

    private ConsoleTail panicked() {
        return control.panic().isEmpty() ? console : control;
    }

    /** The guest starts over: what it said before no longer counts. */
    void newBoot() {
        console.newBoot();
        control.newBoot();
    }
}
