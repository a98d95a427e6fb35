package org.javisor.machine;

import java.util.Arrays;
import java.util.Optional;

/** Whose interrupt controllers and timer serve a machine. */
public enum InterruptChips {
    /** As much as possible the engine's, in the order of this list. */
    AUTO,
    /** The engine's local APICs, I/O APIC, PICs and timer. */
    KERNEL,
    /** The engine's local APICs; everything else is Javisor's. */
    SPLIT,
    /** Javisor's, and virtio notifications stop the processor: what every engine can do. */
    OWN;

    /** What users call it. */
    public String label() {
        return name().toLowerCase(java.util.Locale.ROOT);
    }

    public static Optional<InterruptChips> named(String label) {
        return Arrays.stream(values()).filter(chips -> chips.label().equals(label)).findFirst();
    }

    boolean allows(InterruptChips chips) {
        return this == AUTO || this == chips;
    }
}
