package org.javisor.bench;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.javisor.machine.EngineChoice;
import org.javisor.machine.EngineSelection;
import org.javisor.machine.MachineException;

/**
 * What is to be measured.
 *
 * @param boots whether boots are
 * @param engines in the order in which they take turns
 * @param notes what is left out and why
 * @param milliseconds how long a program runs at least
 * @param cpus processors of the programs' guests
 */
record BenchPlan(
        boolean boots,
        List<GuestProgram> programs,
        List<Engine> engines,
        List<String> notes,
        int runs,
        int milliseconds,
        int cpus,
        Series.Estimate estimate) {
    /** What the boots are called among the programs. */
    static final String BOOT = "boot";

    /**
     * Makes sense of what the user asked for.
     *
     * @param programs names, or none for all
     * @param engines labels, or none for all that work here
     * @param runOptions further options of {@code javisor run}
     * @throws IllegalArgumentException if a name is unknown
     * @throws MachineException if an engine that was asked for does not work here
     */
    static BenchPlan of(
            String launcher,
            List<String> programs,
            List<String> engines,
            List<String> runOptions,
            int runs,
            int milliseconds,
            int cpus,
            Series.Estimate estimate) {
        for (String name : programs) {
            if (!name.equals(BOOT) && GuestProgram.named(name).isEmpty()) {
                throw new IllegalArgumentException(
                        "'" + Text.printable(name) + "' is not a program; --list shows them");
            }
        }
        List<String> notes = new ArrayList<>();
        return new BenchPlan(
                programs.isEmpty() || programs.contains(BOOT),
                GuestProgram.all().stream()
                        .filter(p -> programs.isEmpty() || programs.contains(p.name()))
                        .toList(),
                engines(launcher, runOptions, engines, notes),
                List.copyOf(notes),
                runs,
                milliseconds,
                cpus,
                estimate);
    }

    /** Whether anything runs in a guest. */
    boolean hasGuests() {
        return engines.stream().anyMatch(Engine.OfGuests.class::isInstance);
    }

    private static List<Engine> engines(
            String launcher, List<String> runOptions, List<String> asked, List<String> notes) {
        Map<String, Engine> known = new LinkedHashMap<>();
        known.put(Engine.NATIVE, new Engine.Native());
        for (EngineChoice choice : EngineChoice.values()) {
            if (choice != EngineChoice.AUTO) {
                known.put(choice.label(), new Engine.Javisor(choice.label(), launcher, runOptions));
            }
        }
        known.put(Engine.QEMU, new Engine.Qemu());
        for (String label : asked) {
            if (!known.containsKey(label)) {
                throw new IllegalArgumentException(
                        "'%s' is not an engine: %s"
                                .formatted(
                                        Text.printable(label), String.join(", ", known.keySet())));
            }
        }
        return known.values().stream()
                .filter(engine -> asked.isEmpty() || asked.contains(engine.label()))
                .filter(engine -> works(engine, !asked.isEmpty(), notes))
                .toList();
    }

    private static boolean works(Engine engine, boolean asked, List<String> notes) {
        return switch (engine) {
            case Engine.Native ignored -> true;
            case Engine.Javisor javisor -> {
                try {
                    EngineChoice choice = EngineChoice.named(javisor.label()).orElseThrow();
                    EngineSelection.select(choice);
                    Optional<String> reservation =
                            asked ? Optional.empty() : EngineSelection.reservation(choice);
                    reservation.ifPresent(
                            why -> notes.add(choice.label() + " is left out: it is " + why));
                    yield reservation.isEmpty();
                } catch (MachineException e) {
                    if (asked) {
                        throw e;
                    }
                    yield false;
                }
            }
            case Engine.Qemu ignored -> {
                boolean installed = installed(Engine.Qemu.COMMAND);
                if (!installed) {
                    notes.add(
                            "qemu is left out: there is no %s (Debian: apt-get install %s)"
                                    .formatted(Engine.Qemu.COMMAND, "qemu-system-x86"));
                }
                yield installed;
            }
        };
    }

    private static boolean installed(String command) {
        for (String directory :
                System.getenv().getOrDefault("PATH", "").split(File.pathSeparator)) {
            if (!directory.isEmpty() && Files.isExecutable(Path.of(directory, command))) {
                return true;
            }
        }
        return false;
    }
}
