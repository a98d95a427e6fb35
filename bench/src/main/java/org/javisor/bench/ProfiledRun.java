package org.javisor.bench;

import java.io.IOException;
import java.io.PrintStream;
import java.time.Duration;
import java.util.Optional;
import org.javisor.image.CachedImage;

/** One program in one guest, for a profiler to look at. */
final class ProfiledRun {
    private static final Duration BOOT = Duration.ofMinutes(5);
    private static final Duration END = Duration.ofMinutes(1);

    /** Finding the number of iterations takes about as long again; a slow engine cannot cut one. */
    private static final int PATIENCE = 20;

    private final BenchPlan plan;
    private final String launcher;
    private final PrintStream out;

    /**
     * @param plan its first program and engine are meant
     */
    ProfiledRun(BenchPlan plan, String launcher, PrintStream out) {
        this.plan = plan;
        this.launcher = launcher;
        this.out = out;
    }

    /**
     * Returns the exit status.
     *
     * @param meanwhile a shell command to run beside the program
     */
    int execute(Optional<String> meanwhile) throws InterruptedException {
        Workplace workplace = new Workplace();
        Runtime.getRuntime().addShutdownHook(new Thread(workplace::close, "bench-end"));
        try (workplace) {
            CachedImage image = BenchImage.get(launcher, workplace);
            GuestSources.Binary binary = GuestSources.compile(workplace);
            Boot boot = GuestFiles.programs(image, binary.file(), plan.cpus(), workplace);
            GuestProgram program = plan.programs().getFirst();
            if (!binary.programs().contains(program)) {
                throw new BenchException(
                        BenchException.HOST_CANNOT,
                        "%s needs the static libcrypto (Debian: apt-get install libssl-dev)"
                                .formatted(program.name()));
            }
            return plan.engines().getFirst() instanceof Engine.OfGuests engine
                    ? run(program, engine, boot, meanwhile, workplace)
                    : BenchException.USAGE;
        } catch (SampleException e) {
            throw new BenchException(BenchException.FAILURE, e.getMessage());
        }
    }

    private int run(
            GuestProgram program,
            Engine.OfGuests engine,
            Boot boot,
            Optional<String> meanwhile,
            Workplace workplace)
            throws SampleException, InterruptedException {
        try (GuestProcess guest = new GuestProcess(workplace, engine.command(boot), "")) {
            guest.await("ready ", BOOT);
            out.printf(
                    "%s: process %d runs %s for at least %d ms%n",
                    engine.label(), guest.number(), program.name(), plan.milliseconds());
            out.flush();
            Optional<Process> companion =
                    meanwhile.isPresent()
                            ? Optional.of(start(workplace, meanwhile.get(), guest.number()))
                            : Optional.empty();
            guest.send("run " + program.name() + " " + plan.milliseconds());
            String line = guest.receive(END.plusMillis((long) plan.milliseconds() * PATIENCE));
            Sample sample = Sample.parse(program.name(), line);
            out.printf(
                    "%s: %d iterations, %s each%n",
                    program.name(), sample.iterations(), Text.time(sample.nanosPerIteration()));
            int status = companion.isPresent() ? companion.get().waitFor() : 0;
            guest.send("end");
            if (guest.awaitEnd(END)) {
                guest.errors().stream().map(Text::printable).forEach(out::println);
            }
            return status == 0 ? 0 : BenchException.FAILURE;
        }
    }

    private static Process start(Workplace workplace, String command, long number) {
        ProcessBuilder shell = new ProcessBuilder("/bin/sh", "-c", command);
        shell.environment().put("PID", String.valueOf(number));
        shell.redirectOutput(ProcessBuilder.Redirect.INHERIT);
        shell.redirectError(ProcessBuilder.Redirect.INHERIT);
        try {
            return workplace.start(shell);
        } catch (IOException e) {
            throw new BenchException(
                    BenchException.HOST_CANNOT, "Cannot start a shell: " + Text.reason(e));
        }
    }
}
