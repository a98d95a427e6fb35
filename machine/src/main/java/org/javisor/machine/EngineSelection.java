package org.javisor.machine;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;
import org.javisor.hypervisor.Hypervisor;
import org.javisor.interpreter.InterpreterHypervisor;
import org.javisor.kvm.KvmHost;
import org.javisor.translator.TranslatorHypervisor;
import org.javisor.translator.TranslatorOptions;

/**
 * The engine that a machine runs on.
 *
 * @param reason one line for the user: which engine and why
 */
public record EngineSelection(Hypervisor hypervisor, String reason) {
    /**
     * An engine that this program knows of.
     *
     * @param obstacle why it cannot work on this host, or empty
     * @param reservation why it is not to be chosen here without being asked for, though it works;
     *     or empty
     */
    record Candidate(
            EngineChoice choice,
            Supplier<Optional<String>> obstacle,
            Supplier<Optional<String>> reservation,
            Function<EngineOptions, Hypervisor> hypervisor) {}

    /** In the order of preference. An engine is added here and nowhere else. */
    private static List<Candidate> candidates() {
        return List.of(
                new Candidate(
                        EngineChoice.KVM,
                        KvmHost::obstacle,
                        HostKvm::reservation,
                        options -> HostKvm.hypervisor()),
                new Candidate(
                        EngineChoice.TRANSLATOR,
                        TranslatorHypervisor::obstacle,
                        Optional::empty,
                        options ->
                                new TranslatorHypervisor(
                                        new TranslatorOptions(
                                                options.codeCache(),
                                                options.countInstructions(),
                                                options.verify(),
                                                options.perfMap()))),
                new Candidate(
                        EngineChoice.INTERPRETER,
                        Optional::empty,
                        Optional::empty,
                        options -> new InterpreterHypervisor()));
    }

    /**
     * Finds the engine for a choice.
     *
     * @throws MachineException HOST_CANNOT if it does not work here
     */
    public static EngineSelection select(EngineChoice choice) {
        return select(choice, EngineOptions.DEFAULT);
    }

    /**
     * As above, with options for the engine that is chosen.
     *
     * @throws MachineException HOST_CANNOT if it does not work here
     */
    public static EngineSelection select(EngineChoice choice, EngineOptions options) {
        return select(choice, options, candidates());
    }

    static EngineSelection select(
            EngineChoice choice, EngineOptions options, List<Candidate> candidates) {
        List<String> passedOver = new ArrayList<>();
        for (EngineChoice wanted : EngineChoice.values()) {
            if (wanted == EngineChoice.AUTO || choice != EngineChoice.AUTO && choice != wanted) {
                continue;
            }
            Optional<Candidate> candidate = find(wanted, candidates);
            Optional<String> obstacle =
                    candidate.isEmpty()
                            ? Optional.of("not part of this version")
                            : candidate.get().obstacle().get();
            if (obstacle.isEmpty() && choice == EngineChoice.AUTO) {
                obstacle = candidate.orElseThrow().reservation().get();
            }
            if (obstacle.isEmpty()) {
                return new EngineSelection(
                        candidate.orElseThrow().hypervisor().apply(options),
                        reason(wanted, choice, passedOver));
            }
            passedOver.add(wanted.label() + " is " + obstacle.get());
        }
        throw new MachineException(
                MachineException.Code.HOST_CANNOT,
                "No engine: "
                        + String.join(", ", passedOver)
                        + "; --engine auto takes one that works");
    }

    /**
     * Why {@link EngineChoice#AUTO} passes an engine over that works here, or empty: for those who
     * try all that are any good.
     */
    public static Optional<String> reservation(EngineChoice choice) {
        return find(choice, candidates())
                .filter(candidate -> candidate.obstacle().get().isEmpty())
                .flatMap(candidate -> candidate.reservation().get());
    }

    private static Optional<Candidate> find(EngineChoice wanted, List<Candidate> candidates) {
        return candidates.stream().filter(candidate -> candidate.choice() == wanted).findFirst();
    }

    private static String reason(EngineChoice taken, EngineChoice asked, List<String> passedOver) {
        if (asked != EngineChoice.AUTO) {
            return taken.label() + " (as asked for)";
        }
        return passedOver.isEmpty()
                ? taken.label()
                : taken.label() + " (" + String.join(", ", passedOver) + ")";
    }
}
