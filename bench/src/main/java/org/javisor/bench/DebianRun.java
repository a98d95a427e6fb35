package org.javisor.bench;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.javisor.image.BootFiles;
import org.javisor.image.CachedImage;
import org.javisor.image.DebianImage;
import org.javisor.image.DebianSession;
import org.javisor.image.GuestSeed;
import org.javisor.image.ImageStore;
import org.javisor.image.Initramfs;
import org.javisor.image.TerminalSize;

/** The boot of a whole Debian, and programs from its packages, the engines in turn. */
final class DebianRun {
    /** What {@code --programs} may name; the boots are always there. */
    static final List<String> TASKS = List.of("python", "gcc", "javac", "java", "node");

    private static final String IMAGE = "bench";
    private static final String BUILD =
            "./javisor image build bench --suite trixie --size 6G"
                    + " --packages python3,gcc,libc6-dev,openjdk-21-jdk-headless,nodejs";

    /** In MiB, each. */
    private static final int MEMORY = 1536;

    private static final List<String> OWN_FILES =
            List.of("loop", "soak", "work.py", "Work.java", "work.js");
    private static final String SEED = "seed/bench/";

    private final BenchPlan plan;
    private final List<String> tasks;
    private final PrintStream out;
    private final PrintStream err;
    private final Results results;

    /**
     * @param tasks some of {@link #TASKS}, or none for all
     */
    DebianRun(BenchPlan plan, List<String> tasks, PrintStream out, PrintStream err) {
        this.plan = plan;
        this.tasks = tasks.isEmpty() ? TASKS : List.copyOf(tasks);
        this.out = out;
        this.err = err;
        results = new Results(plan.estimate());
    }

    /** Returns the exit status. */
    int execute() throws InterruptedException {
        CachedImage image = image();
        Workplace workplace = new Workplace();
        Runtime.getRuntime().addShutdownHook(new Thread(workplace::close, "bench-end"));
        String busyBefore = HostDescription.load();
        try (workplace) {
            plan.notes().forEach(results::note);
            Boot boot = boot(image, plan.cpus(), workplace);
            measure(boot, image.disk().orElseThrow(), workplace);
            if (workplace.closed()) {
                return BenchException.FAILURE;
            }
            List<String> labels =
                    plan.engines().stream()
                            .filter(Engine.OfGuests.class::isInstance)
                            .map(Engine::label)
                            .toList();
            new Report(header(workplace, busyBefore), labels, results)
                    .lines()
                    .forEach(out::println);
        }
        return results.failures().isEmpty() ? 0 : BenchException.FAILURE;
    }

    /**
     * Mixed work in one guest, of the plan's first engine, instead of measurements.
     *
     * @return the exit status
     */
    int soak(int minutes) throws InterruptedException {
        CachedImage image = image();
        Workplace workplace = new Workplace();
        Runtime.getRuntime().addShutdownHook(new Thread(workplace::close, "bench-end"));
        try (workplace) {
            if (!(plan.engines().getFirst() instanceof Engine.OfGuests engine)) {
                return BenchException.USAGE;
            }
            Boot boot = boot(image, plan.cpus(), workplace);
            Path disk = image.disk().orElseThrow();
            try (DebianMachine machine = new DebianMachine(engine, boot, disk, workplace)) {
                machine.boot(results);
                return machine.soak(minutes, out);
            }
        } catch (SampleException e) {
            throw new BenchException(BenchException.FAILURE, e.getMessage());
        }
    }

    private static CachedImage image() {
        return ImageStore.ofUser(System.getenv())
                .find(IMAGE)
                .filter(found -> found.disk().isPresent())
                .orElseThrow(
                        () ->
                                new BenchException(
                                        BenchException.HOST_CANNOT,
                                        "There is no image '%s'; make it with '%s'"
                                                .formatted(IMAGE, BUILD)));
    }

    /** What every engine starts: the image's kernel, its first boot's part, and our files. */
    private static Boot boot(CachedImage image, int cpus, Workplace workplace) {
        BootFiles files =
                DebianImage.bootFiles(
                        image,
                        new DebianSession(
                                GuestSeed.of(IMAGE),
                                Optional.empty(),
                                TerminalSize.USUAL,
                                "dumb",
                                false,
                                false));
        ByteArrayOutputStream initrd = new ByteArrayOutputStream();
        initrd.writeBytes(files.initrd());
        try {
            Initramfs more = new Initramfs(initrd);
            for (String name : OWN_FILES) {
                more.file(SEED + name, 0755, GuestSources.file("debian/" + name));
            }
            for (String source : GuestSources.compiledInGuests()) {
                more.file(SEED + source, 0644, GuestSources.file(source));
            }
            more.finish();
        } catch (IOException e) {
            throw new UncheckedIOException("Cannot read the guest programs", e);
        }
        return new Boot(
                files.kernel(),
                workplace.write("debian.cpio", initrd.toByteArray()),
                files.commandLine(),
                MEMORY,
                cpus);
    }

    private void measure(Boot boot, Path disk, Workplace workplace) throws InterruptedException {
        List<DebianMachine> last = new ArrayList<>();
        try {
            for (int run = 1; run <= plan.runs(); run++) {
                last.forEach(DebianMachine::close);
                last.clear();
                for (Engine engine : plan.engines()) {
                    if (engine instanceof Engine.OfGuests guests && !workplace.closed()) {
                        progress("boot %d of %d: %s", run, plan.runs(), engine.label());
                        boot(guests, boot, disk, workplace).ifPresent(last::add);
                    }
                }
            }
            for (int run = 1; run <= plan.runs(); run++) {
                for (String task : tasks) {
                    progress("%s, run %d of %d", task, run, plan.runs());
                    for (DebianMachine machine : last) {
                        if (!workplace.closed()) {
                            machine.measure(task, results);
                        }
                    }
                }
            }
        } finally {
            last.forEach(DebianMachine::close);
        }
    }

    private Optional<DebianMachine> boot(
            Engine.OfGuests engine, Boot boot, Path disk, Workplace workplace)
            throws InterruptedException {
        DebianMachine machine = null;
        try {
            machine = new DebianMachine(engine, boot, disk, workplace);
            machine.boot(results);
            return Optional.of(machine);
        } catch (SampleException e) {
            results.fail(DebianMachine.LOGIN, engine.label(), e.getMessage());
            if (machine != null) {
                machine.close();
            }
            return Optional.empty();
        }
    }

    private void progress(String format, Object... arguments) {
        err.println("javisor: " + format.formatted(arguments));
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
                                Engine.Qemu.GUESTS),
                "guest     Debian%s, %d MiB, %d processors, one disk"
                        .formatted(results.guestKernels(), MEMORY, plan.cpus()),
                "measured  %d runs, engines in turn; %s time"
                        .formatted(plan.runs(), plan.estimate().name().toLowerCase(Locale.ROOT)));
    }
}
