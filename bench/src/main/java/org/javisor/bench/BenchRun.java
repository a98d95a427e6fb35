package org.javisor.bench;

import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.javisor.image.CachedImage;

/** The benchmarks from the plan to the table. */
final class BenchRun {
    private final BenchPlan plan;
    private final String launcher;
    private final PrintStream out;
    private final PrintStream err;
    private final Results results;

    BenchRun(BenchPlan plan, String launcher, PrintStream out, PrintStream err) {
        this.plan = plan;
        this.launcher = launcher;
        this.out = out;
        this.err = err;
        this.results = new Results(plan.estimate());
    }

    /** Returns the exit status. */
    int execute(Optional<Path> json) throws InterruptedException {
        Workplace workplace = new Workplace();
        Thread hook = new Thread(workplace::close, "bench-end");
        Runtime.getRuntime().addShutdownHook(hook);
        try (workplace) {
            json.ifPresent(JsonReport::checkWritable);
            plan.notes().forEach(results::note);
            List<String> labels = plan.engines().stream().map(Engine::label).toList();
            String busyBefore = HostDescription.load();
            measure(workplace);
            if (workplace.closed()) {
                // The process is being ended; what was cut off would only confuse.
                return BenchException.FAILURE;
            }
            List<String> header = header(workplace, busyBefore);
            new Report(header, labels, results).lines().forEach(out::println);
            if (json.isPresent()) {
                new JsonReport(header, labels, results).write(json.get());
            }
        }
        return results.failures().isEmpty() ? 0 : BenchException.FAILURE;
    }

    private void measure(Workplace workplace) throws InterruptedException {
        Optional<CachedImage> image =
                plan.hasGuests()
                        ? Optional.of(BenchImage.get(launcher, workplace))
                        : Optional.empty();
        if (plan.boots() && image.isPresent()) {
            measureBoots(GuestFiles.shell(image.get(), workplace), workplace);
        }
        if (!plan.programs().isEmpty() && !workplace.closed()) {
            GuestSources.Binary binary = GuestSources.compile(workplace);
            Optional<Boot> boot =
                    image.map(i -> GuestFiles.programs(i, binary.file(), plan.cpus(), workplace));
            List<GuestProgram> programs =
                    plan.programs().stream().filter(binary.programs()::contains).toList();
            if (programs.size() < plan.programs().size()) {
                results.note(
                        "%s is left out: there is no static libcrypto (Debian: apt-get install %s)"
                                .formatted(GuestProgram.WITH_LIBCRYPTO, "libssl-dev"));
            }
            Map<Engine, Runner> runners = runners(binary.file(), boot, workplace);
            measurePrograms(programs, runners, workplace);
        }
    }

    private void measureBoots(Boot boot, Workplace workplace) throws InterruptedException {
        for (int run = 1; run <= plan.runs() && !workplace.closed(); run++) {
            for (Engine engine : plan.engines()) {
                if (engine instanceof Engine.OfGuests guests) {
                    progress(workplace, "boot %d of %d: %s", run, plan.runs(), engine.label());
                    BootTimer.measure(guests, boot, workplace, results);
                }
            }
        }
        for (Engine engine : plan.engines()) {
            if (engine instanceof Engine.Javisor javisor && !workplace.closed()) {
                progress(workplace, "a boot that is counted: %s", engine.label());
                BootTimer.count(javisor, boot, workplace, results);
            }
        }
    }

    private Map<Engine, Runner> runners(Path binary, Optional<Boot> boot, Workplace workplace) {
        Map<Engine, Runner> runners = new LinkedHashMap<>();
        for (Engine engine : plan.engines()) {
            runners.put(
                    engine,
                    switch (engine) {
                        case Engine.Native ignored -> new NativeRunner(binary, workplace);
                        case Engine.OfGuests guests ->
                                new GuestRunner(
                                        guests.label(),
                                        guests.command(boot.orElseThrow()),
                                        workplace,
                                        results);
                    });
        }
        return runners;
    }

    private void measurePrograms(
            List<GuestProgram> programs, Map<Engine, Runner> runners, Workplace workplace)
            throws InterruptedException {
        try {
            for (int run = 1; run <= plan.runs(); run++) {
                progress(workplace, "programs, run %d of %d", run, plan.runs());
                for (GuestProgram program : programs) {
                    for (Map.Entry<Engine, Runner> entry : runners.entrySet()) {
                        if (workplace.closed()) {
                            return;
                        }
                        measure(program, entry.getKey().label(), entry.getValue());
                    }
                }
            }
            for (Map.Entry<Engine, Runner> entry : runners.entrySet()) {
                checkClock(entry.getKey().label(), entry.getValue());
            }
        } finally {
            runners.values().forEach(Runner::close);
        }
    }

    private void measure(GuestProgram program, String engine, Runner runner)
            throws InterruptedException {
        try {
            results.add(program.name(), engine, runner.run(program, plan.milliseconds()));
        } catch (SampleException e) {
            results.fail(program.name(), engine, e.getMessage());
        }
    }

    private void checkClock(String engine, Runner runner) throws InterruptedException {
        try {
            if (runner instanceof GuestRunner guest) {
                guest.checkClock();
            }
        } catch (SampleException e) {
            results.fail("clock", engine, e.getMessage());
        }
    }

    private void progress(Workplace workplace, String format, Object... arguments) {
        if (!workplace.closed()) {
            err.println("javisor: " + format.formatted(arguments));
        }
    }

    private List<String> header(Workplace workplace, String busyBefore)
            throws InterruptedException {
        List<String> lines = new ArrayList<>();
        lines.add("host      " + HostDescription.processor() + ", " + HostDescription.system());
        lines.add(
                "load      average %s before, %s after"
                        .formatted(busyBefore, HostDescription.load()));
        lines.add("java      " + HostDescription.java());
        if (plan.engines().stream().anyMatch(Engine.Qemu.class::isInstance)) {
            lines.add(
                    "qemu      %s, %s"
                            .formatted(
                                    HostDescription.version(workplace, Engine.Qemu.COMMAND),
                                    Engine.Qemu.DESCRIPTION));
        }
        if (plan.hasGuests()) {
            lines.add(
                    "guest     %s%s, %d MiB, %d processors; boots with 1"
                            .formatted(
                                    BenchImage.NAME,
                                    results.guestKernels(),
                                    GuestFiles.MEMORY,
                                    plan.cpus()));
        }
        lines.add(
                "programs  %s, %s"
                        .formatted(
                                HostDescription.version(workplace, "gcc"), GuestSources.options()));
        lines.add(
                "measured  %d runs of at least %d ms, engines in turn; %s time of an iteration"
                        .formatted(
                                plan.runs(),
                                plan.milliseconds(),
                                plan.estimate().name().toLowerCase(Locale.ROOT)));
        return lines;
    }
}
