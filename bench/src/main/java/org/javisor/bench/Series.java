package org.javisor.bench;

import java.util.List;
import java.util.Optional;

/**
 * Measurements of one thing.
 *
 * @param values at least one
 */
record Series(List<Double> values) {
    Series {
        values = List.copyOf(values);
        if (values.isEmpty()) {
            throw new IllegalArgumentException("A series of nothing");
        }
    }

    /** Which of several measurements speaks for all. */
    enum Estimate {
        MEDIAN,
        /** What is left where a host is busy with other things, which only ever make it slower. */
        FASTEST
    }

    double estimate(Estimate how) {
        return switch (how) {
            case MEDIAN -> median();
            case FASTEST -> minimum();
        };
    }

    /** The middle one; of an even number the mean of the two in the middle. */
    double median() {
        List<Double> sorted = values.stream().sorted().toList();
        int middle = sorted.size() / 2;
        return sorted.size() % 2 == 1
                ? sorted.get(middle)
                : (sorted.get(middle - 1) + sorted.get(middle)) / 2;
    }

    double minimum() {
        return values.stream().mapToDouble(Double::doubleValue).min().orElseThrow();
    }

    double maximum() {
        return values.stream().mapToDouble(Double::doubleValue).max().orElseThrow();
    }

    /** The mean that suits ratios; of none there is none. */
    static Optional<Double> geometricMean(List<Double> ratios) {
        return ratios.isEmpty()
                ? Optional.empty()
                : Optional.of(
                        Math.exp(ratios.stream().mapToDouble(Math::log).average().orElseThrow()));
    }
}
