package org.javisor.bench;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** What has been measured so far: samples by row (a program or a boot) and engine. */
final class Results {
    private final Series.Estimate estimate;
    private final Map<String, Map<String, List<Sample>>> samples = new LinkedHashMap<>();
    private final Map<String, String> checksums = new LinkedHashMap<>();
    private final Set<String> failures = new LinkedHashSet<>();
    private final Set<String> notes = new LinkedHashSet<>();
    private final Set<String> guestKernels = new LinkedHashSet<>();

    /**
     * @param estimate what is compared
     */
    Results(Series.Estimate estimate) {
        this.estimate = estimate;
    }

    /** Adds a sample; one whose checksum differs from the first one's is a failure instead. */
    void add(String row, String engine, Sample sample) {
        String expected = checksums.computeIfAbsent(row, first -> sample.checksum());
        if (!expected.equals(sample.checksum())) {
            fail(
                    row,
                    engine,
                    "wrong result: %s instead of %s".formatted(sample.checksum(), expected));
            return;
        }
        samples.computeIfAbsent(row, r -> new LinkedHashMap<>())
                .computeIfAbsent(engine, e -> new ArrayList<>())
                .add(sample);
    }

    void fail(String row, String engine, String why) {
        failures.add(engine + ": " + row + ": " + why);
    }

    /** A line to stand below the table, once. */
    void note(String line) {
        notes.add(line);
    }

    /** The kernel that a guest says it runs. */
    void guestKernel(String release) {
        guestKernels.add(release);
    }

    /** What the guests say their kernels are, or nothing. */
    String guestKernels() {
        return guestKernels.isEmpty() ? "" : ", Linux " + String.join(" and ", guestKernels);
    }

    /** The rows that have a sample. */
    List<String> rows() {
        return List.copyOf(samples.keySet());
    }

    List<Sample> samples(String row, String engine) {
        return List.copyOf(samples.getOrDefault(row, Map.of()).getOrDefault(engine, List.of()));
    }

    /** Nanoseconds an iteration. */
    Optional<Series> series(String row, String engine) {
        List<Sample> found = samples(row, engine);
        return found.isEmpty()
                ? Optional.empty()
                : Optional.of(new Series(found.stream().map(Sample::nanosPerIteration).toList()));
    }

    /** The one figure for all samples, in nanoseconds an iteration. */
    Optional<Double> figure(String row, String engine) {
        return series(row, engine).map(series -> series.estimate(estimate));
    }

    /** How many times as long as {@code base} an engine takes. */
    Optional<Double> ratio(String row, String engine, String base) {
        return figure(row, engine)
                .flatMap(slow -> figure(row, base).map(fast -> slow / fast))
                .filter(Double::isFinite);
    }

    List<String> failures() {
        return List.copyOf(failures);
    }

    List<String> notes() {
        return List.copyOf(notes);
    }
}
