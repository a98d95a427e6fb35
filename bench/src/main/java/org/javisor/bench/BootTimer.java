package org.javisor.bench;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Measures from outside how long a process takes from its start to the guest's prompt. */
final class BootTimer {
    /** Rows of the table. */
    static final String WALL = "boot";

    static final String PROCESSOR = "boot-cpu";

    private static final Duration PATIENCE = Duration.ofMinutes(2);
    private static final Duration POWER_OFF = Duration.ofSeconds(30);

    /** Lines of {@code javisor run --stats}. */
    private static final Pattern INSTRUCTIONS = Pattern.compile(" *instructions +([0-9,]{1,30})");

    private static final Pattern SPEED = Pattern.compile(" *speed +([0-9.]{1,20}) MIPS");

    private BootTimer() {}

    /** Boots once and adds a sample to either row, or a failure. */
    static void measure(Engine.OfGuests engine, Boot boot, Workplace workplace, Results results)
            throws InterruptedException {
        long start = System.nanoTime();
        try (GuestProcess guest =
                new GuestProcess(workplace, engine.fastestStart(boot), GuestFiles.PROMPT)) {
            guest.await(GuestFiles.PROMPT, PATIENCE);
            long wall = System.nanoTime() - start;
            Duration processor = guest.processorTime();
            results.add(WALL, engine.label(), Sample.once(wall));
            if (!processor.isZero()) {
                results.add(PROCESSOR, engine.label(), Sample.once(processor.toNanos()));
            }
        } catch (SampleException e) {
            results.fail(WALL, engine.label(), e.getMessage());
        }
    }

    /** Boots and powers off once more and notes how many instructions that took. */
    static void count(Engine.Javisor engine, Boot boot, Workplace workplace, Results results)
            throws InterruptedException {
        try (GuestProcess guest =
                new GuestProcess(workplace, engine.withStatistics(boot), GuestFiles.PROMPT)) {
            guest.await(GuestFiles.PROMPT, PATIENCE);
            guest.send("poweroff -f");
            if (guest.awaitEnd(POWER_OFF)) {
                figures(guest.errors())
                        .ifPresent(text -> results.note(engine.label() + ": " + text));
            }
        } catch (SampleException e) {
            results.fail(WALL, engine.label(), e.getMessage());
        }
    }

    /** What {@code --stats} printed about a boot and power-off, in words. */
    static Optional<String> figures(List<String> lines) {
        Optional<String> instructions = find(INSTRUCTIONS, lines);
        Optional<String> speed = find(SPEED, lines);
        return instructions.isPresent() && speed.isPresent()
                ? Optional.of(
                        "a boot and power-off took %s instructions at %s MIPS"
                                .formatted(instructions.get(), speed.get()))
                : Optional.empty();
    }

    private static Optional<String> find(Pattern pattern, List<String> lines) {
        return lines.stream()
                .map(pattern::matcher)
                .filter(Matcher::matches)
                .map(matcher -> matcher.group(1))
                .findFirst();
    }
}
