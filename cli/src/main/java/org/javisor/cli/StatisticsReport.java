package org.javisor.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.javisor.machine.MachineStatistics;

/** A machine's figures as lines for a person. */
final class StatisticsReport {
    private static final String EXIT_TIME = "exit-nanos.";

    private StatisticsReport() {}

    static List<String> lines(MachineStatistics statistics) {
        long instructions = statistics.engine().instructions();
        double runSeconds = statistics.engine().runNanos() / 1e9;
        double machineSeconds = statistics.machineTime().toNanos() / 1e9;
        double mips = runSeconds > 0 ? instructions / runSeconds / 1e6 : 0;
        List<String> lines = new ArrayList<>();
        lines.add(row("machine time", "%.2f s", machineSeconds));
        lines.add(row("time in " + statistics.engineName(), "%.2f s", runSeconds));
        // An engine that lets the host's processor run the guest cannot count them.
        if (instructions > 0) {
            lines.add(row("instructions", "%,d", instructions));
            lines.add(row("speed", "%.1f MIPS", mips));
        }
        addCounters(lines, statistics.engine().counters(), instructions);
        addAccesses(lines, "port ", statistics.portAccesses());
        addAccesses(lines, "mmio ", statistics.mmioAccesses());
        if (statistics.resets() > 0) {
            lines.add(count("resets", statistics.resets()));
        }
        return lines;
    }

    /**
     * An exit's count has the time it took beside it, which the engine counts apart; that of
     * interpreted instructions their share of all.
     */
    private static void addCounters(
            List<String> lines, Map<String, Long> counters, long instructions) {
        counters.forEach(
                (name, count) -> {
                    Long nanos = counters.get(name.replaceFirst("^exits\\.", EXIT_TIME));
                    if (name.startsWith("exits.") && nanos != null && nanos > 0) {
                        lines.add(
                                count(name, count)
                                        + "%,12.1f µs each, %,.1f s"
                                                .formatted(nanos / 1e3 / count, nanos / 1e9));
                    } else if (name.startsWith("interpreted") && instructions > 0) {
                        lines.add(
                                count(name, count)
                                        + " %9.4f %%".formatted(100.0 * count / instructions));
                    } else if (!name.startsWith(EXIT_TIME)) {
                        lines.add(count(name, count));
                    }
                });
    }

    /** The busiest first; what was never touched is left out. */
    private static void addAccesses(List<String> lines, String prefix, Map<String, Long> accesses) {
        accesses.entrySet().stream()
                .filter(entry -> entry.getValue() > 0)
                .sorted(
                        Map.Entry.<String, Long>comparingByValue()
                                .reversed()
                                .thenComparing(Map.Entry.comparingByKey()))
                .forEach(entry -> lines.add(count(prefix + entry.getKey(), entry.getValue())));
    }

    private static String count(String name, long count) {
        return row(name, "%,d", count);
    }

    private static String row(String name, String format, Object value) {
        return String.format(Locale.ROOT, "  %-28s %18s", name, format.formatted(value));
    }
}
