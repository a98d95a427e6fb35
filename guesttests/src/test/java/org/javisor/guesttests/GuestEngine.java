package org.javisor.guesttests;

import org.javisor.machine.EngineChoice;
import org.javisor.machine.EngineSelection;
import org.javisor.machine.MachineException;
import org.junit.jupiter.api.Assumptions;

/** The engine under which all guests of these tests run: {@code -Djavisor.engine=}, a name. */
final class GuestEngine {
    private GuestEngine() {}

    /** Where the engine does not work, the test is skipped and says why. */
    static EngineChoice require() {
        String label = System.getProperty("javisor.engine", EngineChoice.AUTO.label());
        EngineChoice choice =
                EngineChoice.named(label)
                        .orElseThrow(() -> new IllegalArgumentException("No engine " + label));
        try {
            EngineSelection.select(choice);
        } catch (MachineException e) {
            Assumptions.abort(e.getMessage());
        }
        return choice;
    }
}
