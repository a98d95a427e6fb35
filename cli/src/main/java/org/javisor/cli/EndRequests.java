package org.javisor.cli;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.javisor.machine.Machine;
import org.javisor.machine.MachineState;

/**
 * What other processes ask of a running guest by signals: the first presses its power button, and
 * if it has not switched itself off when the grace has passed, or a second signal comes, it ends.
 */
final class EndRequests implements AutoCloseable {
    private static final Duration BETWEEN_PRESSES = Duration.ofSeconds(2);

    private final Machine machine;
    private final Messages messages;
    private final Duration grace;
    private final List<HostSignals.Subscription> subscriptions = new ArrayList<>();
    private Optional<HostSignals.Signal> received = Optional.empty();

    EndRequests(HostSignals signals, Machine machine, Messages messages, Duration grace) {
        this.machine = machine;
        this.messages = messages;
        this.grace = grace;
        for (HostSignals.Signal signal :
                List.of(HostSignals.Signal.HUP, HostSignals.Signal.INT, HostSignals.Signal.TERM)) {
            subscriptions.add(signals.on(signal, () -> arrived(signal)));
        }
    }

    private void arrived(HostSignals.Signal signal) {
        boolean first;
        synchronized (this) {
            first = received.isEmpty();
            received = Optional.of(signal);
        }
        // A paused guest hears of no button.
        if (!first || grace.isZero() || machine.state() == MachineState.PAUSED) {
            machine.stop();
            return;
        }
        messages.say(
                "SIG%s: pressing the guest's power button; it ends in %d s at the latest"
                        .formatted(signal, grace.toSeconds()));
        Thread.ofVirtual().name("power-button").start(this::press);
    }

    /** Presses again and again: a guest that still boots does not see it yet. */
    private void press() {
        long end = System.nanoTime() + grace.toNanos();
        try {
            long left;
            while ((left = end - System.nanoTime()) > 0) {
                machine.pressPowerButton();
                Duration wait = Duration.ofNanos(Math.min(left, BETWEEN_PRESSES.toNanos()));
                if (machine.awaitEnd(wait).isPresent()) {
                    return;
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        machine.stop();
    }

    /** The last signal that arrived. */
    synchronized Optional<HostSignals.Signal> received() {
        return received;
    }

    @Override
    public void close() {
        subscriptions.forEach(HostSignals.Subscription::close);
    }
}
