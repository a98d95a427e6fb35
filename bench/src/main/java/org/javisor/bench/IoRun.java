package org.javisor.bench;

import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.javisor.image.CachedImage;

/** Disks and networks of guests, the engines in turn. */
final class IoRun {
    /** Size of each disk; it stays in the host's page cache. */
    private static final int MEBIBYTES = 256;

    /** For what a guest does besides the time that it is given. */
    private static final Duration ANSWER = Duration.ofSeconds(30);

    private final BenchPlan plan;
    private final String launcher;
    private final PrintStream out;
    private final PrintStream err;
    private final Results results;

    IoRun(BenchPlan plan, String launcher, PrintStream out, PrintStream err) {
        this.plan = plan;
        this.launcher = launcher;
        this.out = out;
        this.err = err;
        results = new Results(plan.estimate());
    }

    /** Returns the exit status. */
    int execute(Optional<Path> json) throws InterruptedException {
        Workplace workplace = new Workplace();
        Runtime.getRuntime().addShutdownHook(new Thread(workplace::close, "bench-end"));
        String busyBefore = HostDescription.load();
        try (workplace) {
            json.ifPresent(JsonReport::checkWritable);
            plan.notes().forEach(results::note);
            CachedImage image = BenchImage.get(launcher, workplace);
            Boot boot =
                    GuestFiles.io(image, GuestSources.compileIo(workplace), plan.cpus(), workplace);
            List<IoGuests> all = new ArrayList<>();
            try (IoHost host = new IoHost()) {
                for (Engine engine : plan.engines()) {
                    if (engine instanceof Engine.OfGuests guests && !workplace.closed()) {
                        all.add(
                                new IoGuests(
                                        guests, launcher, boot, MEBIBYTES, workplace, results));
                    }
                }
                measure(all, host, workplace);
            } catch (SampleException e) {
                throw new BenchException(BenchException.FAILURE, e.getMessage());
            } finally {
                all.forEach(IoGuests::close);
            }
            if (workplace.closed()) {
                return BenchException.FAILURE;
            }
            List<String> labels = all.stream().map(IoGuests::label).toList();
            List<String> header = header(workplace, busyBefore);
            new Report(header, labels, results).lines().forEach(out::println);
            json.ifPresent(file -> new JsonReport(header, labels, results).write(file));
        }
        return results.failures().isEmpty() ? 0 : BenchException.FAILURE;
    }

    private void measure(List<IoGuests> all, IoHost host, Workplace workplace)
            throws InterruptedException {
        for (IoTest test : IoTest.first()) {
            carryOut(test, all, host, workplace, IoGuests.Round.MEASURED);
        }
        err.println("javisor: disks and networks, once unmeasured");
        for (IoTest test : IoTest.repeated()) {
            carryOut(test, all, host, workplace, IoGuests.Round.REHEARSAL);
        }
        for (int run = 1; run <= plan.runs(); run++) {
            err.printf("javisor: disks and networks, run %d of %d%n", run, plan.runs());
            for (IoTest test : IoTest.repeated()) {
                carryOut(test, all, host, workplace, IoGuests.Round.MEASURED);
            }
        }
    }

    private void carryOut(
            IoTest test, List<IoGuests> all, IoHost host, Workplace workplace, IoGuests.Round round)
            throws InterruptedException {
        for (IoGuests guests : all) {
            if (!workplace.closed()) {
                String command = test.command(host.port(), plan.milliseconds());
                guests.carryOut(test, command, ANSWER.plusMillis(plan.milliseconds()), round);
            }
        }
    }

    private List<String> header(Workplace workplace, String busyBefore)
            throws InterruptedException {
        return List.of(
                "host      " + HostDescription.processor() + ", " + HostDescription.system(),
                "load      average %s before, %s after"
                        .formatted(busyBefore, HostDescription.load()),
                "java      " + HostDescription.java(),
                "qemu      %s, %s"
                        .formatted(
                                HostDescription.version(workplace, Engine.Qemu.COMMAND),
                                Engine.Qemu.DESCRIPTION),
                "guest     %s%s, %d MiB, %d processors, two disks of %d MiB"
                        .formatted(
                                BenchImage.NAME,
                                results.guestKernels(),
                                GuestFiles.MEMORY,
                                plan.cpus(),
                                MEBIBYTES),
                "measured  %d runs of %d ms, engines in turn; %s time of a MiB, of a request (4 KiB), of a ping"
                        .formatted(
                                plan.runs(),
                                plan.milliseconds(),
                                plan.estimate().name().toLowerCase(Locale.ROOT)));
    }
}
