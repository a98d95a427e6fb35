package org.javisor.machine;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/** What happens when a guest lets its watchdog timer run out. */
public enum WatchdogAction {
    /** The machine is reset, as by the chip's own pin. */
    RESET,
    /** The machine ends, with {@link EndReason#WATCHDOG}. */
    POWEROFF,
    /** The machine is paused, to be looked at. */
    PAUSE,
    /** Nothing; the guest can read from the timer that it ran out. */
    NONE;

    /** By its name in lower case. */
    public static Optional<WatchdogAction> named(String name) {
        return Arrays.stream(values()).filter(action -> action.label().equals(name)).findFirst();
    }

    /** Its name in lower case. */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }
}
