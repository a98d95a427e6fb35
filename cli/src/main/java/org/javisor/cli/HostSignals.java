package org.javisor.cli;

import org.jline.utils.Signals;

/** Signals that other processes send to this one. */
interface HostSignals {
    /** A signal with its name after SIG and its number. */
    enum Signal {
        HUP(1),
        INT(2),
        TERM(15),
        CONT(18),
        WINCH(28);

        private final int number;

        Signal(int number) {
            this.number = number;
        }

        int number() {
            return number;
        }
    }

    /** Ends a subscription; the signal does again what it did before. */
    interface Subscription extends AutoCloseable {
        @Override
        void close();
    }

    /** Calls the action for each of the signals, on a thread of its own. */
    Subscription on(Signal signal, Runnable action);

    static HostSignals ofProcess() {
        return (signal, action) -> {
            Object before = Signals.register(signal.name(), action);
            return () -> Signals.unregister(signal.name(), before);
        };
    }
}
