package org.javisor.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Results as text.
 *
 * @param header lines about where this was measured
 * @param engines labels in the order of the columns
 */
record Report(List<String> header, List<String> engines, Results results) {
    private static final String NOTHING = "-";

    List<String> lines() {
        List<String> lines = new ArrayList<>(header);
        lines.add("");
        lines.addAll(table().lines());
        List<String> notes = new ArrayList<>(speedUps());
        notes.addAll(results.notes());
        if (!notes.isEmpty()) {
            lines.add("");
            notes.forEach(lines::add);
        }
        results.failures().forEach(failure -> lines.add("FAILED " + failure));
        return lines;
    }

    /** What a second processor brings. */
    private List<String> speedUps() {
        List<String> lines = new ArrayList<>();
        for (String engine : engines) {
            Optional<Double> one = results.figure(GuestProgram.ONE_THREAD, engine);
            Optional<Double> two = results.figure(GuestProgram.TWO_THREADS, engine);
            if (one.isPresent() && two.isPresent()) {
                lines.add(
                        "%s: two threads are %s as fast as one"
                                .formatted(engine, Text.ratio(one.get() / two.get())));
            }
        }
        return lines;
    }

    private TextTable table() {
        TextTable table = new TextTable();
        table.row(heads());
        for (String row : results.rows()) {
            table.row(cells(row));
        }
        for (GuestProgram.Group group : GuestProgram.Group.values()) {
            if (!group.averaged()) {
                continue;
            }
            List<String> rows =
                    GuestProgram.all().stream()
                            .filter(program -> program.group() == group)
                            .map(GuestProgram::name)
                            .toList();
            means(group.label(), rows).ifPresent(table::row);
        }
        return table;
    }

    private List<String> heads() {
        List<String> cells = new ArrayList<>(List.of(""));
        for (String engine : engines) {
            cells.add(engine);
            cells.add("min..max");
            bases(engine).forEach(base -> cells.add("/" + base));
        }
        return cells;
    }

    /** What an engine is compared with: the host, and Javisor's engines with QEMU too. */
    private List<String> bases(String engine) {
        List<String> bases = new ArrayList<>();
        if (!engine.equals(Engine.NATIVE)) {
            if (engines.contains(Engine.NATIVE)) {
                bases.add(Engine.NATIVE);
            }
            if (engines.contains(Engine.QEMU) && !engine.equals(Engine.QEMU)) {
                bases.add(Engine.QEMU);
            }
        }
        return bases;
    }

    private List<String> cells(String row) {
        List<String> cells = new ArrayList<>(List.of(row));
        for (String engine : engines) {
            Optional<Double> figure = results.figure(row, engine);
            Optional<Series> series = results.series(row, engine);
            cells.add(figure.map(Text::time).orElse(NOTHING));
            cells.add(
                    series.map(s -> Text.range(s.minimum(), s.maximum(), figure.orElseThrow()))
                            .orElse(""));
            for (String base : bases(engine)) {
                cells.add(results.ratio(row, engine, base).map(Text::ratio).orElse(""));
            }
        }
        return cells;
    }

    private Optional<List<String>> means(String label, List<String> rows) {
        List<String> cells = new ArrayList<>(List.of("mean, " + label));
        boolean any = false;
        for (String engine : engines) {
            cells.add("");
            cells.add("");
            for (String base : bases(engine)) {
                Optional<Double> mean =
                        Series.geometricMean(
                                rows.stream()
                                        .flatMap(row -> results.ratio(row, engine, base).stream())
                                        .toList());
                any |= mean.isPresent();
                cells.add(mean.map(Text::ratio).orElse(""));
            }
        }
        return any ? Optional.of(cells) : Optional.empty();
    }
}
