package org.javisor.bench;

import java.io.PrintStream;
import java.time.Duration;
import org.javisor.image.CachedImage;

/** Mixed work in one guest for minutes or hours; what goes wrong shows in its output. */
final class SoakRun {
    private static final Duration BOOT = Duration.ofMinutes(5);

    /** One round of a kind, with all others at it too, on a slow engine and a busy host. */
    private static final Duration SILENCE = Duration.ofMinutes(10);

    private static final Duration END = Duration.ofMinutes(1);
    private static final String FAILED = "FAILED";

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
        boolean failed = false;
        try (GuestProcess guest = new GuestProcess(workplace, engine.withStatistics(boot), "")) {
            guest.await("ready ", BOOT);
            out.printf(
                    "%s: process %d, %d processors, %d minutes%n",
                    engine.label(), guest.number(), boot.cpus(), minutes);
            guest.send("soak " + 60L * minutes);
            String line = guest.receive(SILENCE);
            while (!line.startsWith("end ")) {
                failed |= line.startsWith(FAILED);
                out.println(Text.printable(line));
                out.flush();
                line = guest.receive(SILENCE);
            }
            failed |= !line.equals("end 0");
            guest.send("end");
            if (guest.awaitEnd(END)) {
                guest.errors().stream().map(Text::printable).forEach(out::println);
            } else {
                out.println(FAILED + " to power off");
                failed = true;
            }
        }
        out.println(failed ? "The soak has found something" : "The soak ended clean");
        return failed ? BenchException.FAILURE : 0;
    }
}
