package org.javisor.guesttests;

import org.javisor.machine.EngineChoice;
import org.javisor.machine.EngineSelection;
import org.javisor.machine.MachineException;
import org.junit.jupiter.api.Assumptions;

/**
 * The engine under which all guests of these tests run: the system property {@code
 * javisor.guests.engine}, a name or {@code auto}. An engine that {@code javisor.guests.done} names
 * is left out, because another run of the tests has it.
 */
final class GuestEngine {
    private GuestEngine() {}

    /**
     * Where the engine does not work, the test is skipped and says why.
     *
     * @return its name, never {@code auto}
     */
    static EngineChoice require() {
        EngineChoice engine = selected("javisor.guests.engine");
        if (System.getProperty("javisor.guests.done") != null
                && engine == selected("javisor.guests.done")) {
            Assumptions.abort("The " + engine.label() + " runs all tests elsewhere");
        }
        return engine;
    }

    private static EngineChoice selected(String property) {
        try {
            EngineChoice wanted = choice(System.getProperty(property, "auto"));
            return choice(EngineSelection.select(wanted).hypervisor().name());
        } catch (MachineException e) {
            return Assumptions.abort(e.getMessage());
        }
    }

    private static EngineChoice choice(String label) {
        return EngineChoice.named(label)
                .orElseThrow(() -> new IllegalArgumentException("No engine " + label));
    }
}
