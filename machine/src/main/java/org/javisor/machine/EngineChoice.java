package org.javisor.machine;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/** Which engine is to run the guest's instructions. */
public enum EngineChoice {
    /** The first that works of the others, in their order here. */
    AUTO,
    /** The host's processor through Linux's KVM. */
    KVM,
    /** Javisor's own binary translator; x86-64 hosts only. */
    TRANSLATOR,
    /** Pure Java; works everywhere. */
    INTERPRETER;

    /** The name on command lines: lower case. */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }

    public static Optional<EngineChoice> named(String label) {
        return Arrays.stream(values()).filter(choice -> choice.label().equals(label)).findFirst();
    }
}
