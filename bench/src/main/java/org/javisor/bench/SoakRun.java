package org.javisor.bench;

import java.io.PrintStream;
import java.time.Duration;
import org.javisor.image.CachedImage;

/** A {@link Soak} of the benchmark's programs, whose results the host knows. */
final class SoakRun {
    private static final Duration BOOT = Duration.ofMinutes(5);

    private static final Duration END = Duration.ofMinutes(1);

    private final BenchPlan plan;
    private final String launcher;
    private final PrintStream out;

    /**
     * @param plan its first engine is meant
     */
    SoakRun(BenchPlan plan, String launcher, PrintStream out) {
        this.plan = plan;
        this.launcher = launcher;
        this.out = out;
    }

    /** Returns the exit status: a failure if any round went wrong or the guest fell silent. */
    int execute(int minutes) throws InterruptedException {
        Workplace workplace = new Workplace();
        Runtime.getRuntime().addShutdownHook(new Thread(workplace::close, "bench-end"));
        try (workplace) {
            CachedImage image = BenchImage.get(launcher, workplace);
            GuestSources.Binary binary = GuestSources.compile(workplace);
            Boot boot =
                    GuestFiles.programs(
                            image,
                            binary.file(),
                            checksums(binary, workplace),
                            plan.cpus(),
                            workplace);
            return plan.engines().getFirst() instanceof Engine.OfGuests engine
                    ? run(engine, boot, minutes, workplace)
                    : BenchException.USAGE;
        } catch (SampleException e) {
            throw new BenchException(BenchException.FAILURE, e.getMessage());
        }
    }

    /** What the programs compute on the host, by name. */
    private static String checksums(GuestSources.Binary binary, Workplace workplace)
            throws SampleException, InterruptedException {
        StringBuilder text = new StringBuilder();
        NativeRunner host = new NativeRunner(binary.file(), workplace);
        for (GuestProgram program : binary.programs()) {
            text.append(program.name()).append(' ');
            text.append(host.run(program, 1).checksum()).append('\n');
        }
        return text.toString();
    }

    private int run(Engine.OfGuests engine, Boot boot, int minutes, Workplace workplace)
            throws SampleException, InterruptedException {
        try (GuestProcess guest = new GuestProcess(workplace, engine.withStatistics(boot), "")) {
            guest.await("ready ", BOOT);
            out.printf(
                    "%s: process %d, %d processors, %d minutes%n",
                    engine.label(), guest.number(), boot.cpus(), minutes);
            Soak soak = new Soak(guest, out);
            soak.run(minutes);
            guest.send("end");
            if (guest.awaitEnd(END)) {
                guest.errors().stream().map(Text::printable).forEach(out::println);
            } else {
                soak.fail("to power off");
            }
            return soak.conclude();
        }
    }
}
