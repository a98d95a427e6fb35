package org.javisor.bench;

import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * Runs programs in one guest that stays up, idle in between. A guest that fails is replaced by a
 * fresh one for the next program.
 */
final class GuestRunner implements Runner {
    private static final Duration BOOT = Duration.ofMinutes(5);
    private static final Duration ANSWER = Duration.ofMinutes(1);

    /** Iterations cannot be cut short, and finding their number takes about as long again. */
    private static final int PATIENCE = 20;

    /** The guest counts uptime in hundredths of seconds, so less than this shows nothing. */
    private static final double SHORTEST_CLOCK_CHECK = 5;

    private static final double TOLERANCE = 0.02;

    private final String engine;
    private final List<String> command;
    private final Workplace workplace;
    private final Results results;
    private Optional<GuestProcess> guest = Optional.empty();
    private ClockReading firstReading = new ClockReading(0, 0);
    private int failedBoots;

    /** The guest's and the host's seconds at one moment. */
    private record ClockReading(double guest, double host) {}

    /**
     * @param engine its label
     * @param command starts a guest whose first process is this module's init
     * @param results for notes on the guest
     */
    GuestRunner(String engine, List<String> command, Workplace workplace, Results results) {
        this.engine = engine;
        this.command = List.copyOf(command);
        this.workplace = workplace;
        this.results = results;
    }

    @Override
    public Sample run(GuestProgram program, int milliseconds)
            throws SampleException, InterruptedException {
        GuestProcess running = guest();
        try {
            running.send("run " + program.name() + " " + milliseconds);
            Duration patience = ANSWER.plusMillis((long) milliseconds * PATIENCE);
            String line = running.receive(patience);
            String end = line.startsWith("end ") ? line : running.await("end ", ANSWER);
            if (!end.equals("end 0")) {
                throw new SampleException(
                        "status %s: %s".formatted(end.substring(4), Text.printable(line)));
            }
            return Sample.parse(program.name(), line);
        } catch (SampleException e) {
            abandon();
            throw e;
        }
    }

    private GuestProcess guest() throws SampleException, InterruptedException {
        if (guest.isPresent()) {
            return guest.get();
        }
        if (failedBoots > 1) {
            throw new SampleException("the guest does not start");
        }
        failedBoots++;
        GuestProcess started = new GuestProcess(workplace, command, "");
        guest = Optional.of(started);
        try {
            String ready = started.await("ready ", BOOT);
            results.guestKernel(Text.printable(ready.substring("ready ".length())));
            firstReading = readClock(started);
        } catch (SampleException e) {
            abandon();
            throw new SampleException("boot: " + e.getMessage());
        }
        failedBoots = 0;
        return started;
    }

    private ClockReading readClock(GuestProcess from) throws SampleException, InterruptedException {
        from.send("clock");
        String line = from.await("uptime ", ANSWER);
        try {
            return new ClockReading(Double.parseDouble(line.substring(7)), System.nanoTime() / 1e9);
        } catch (NumberFormatException e) {
            throw new SampleException("not a time: " + Text.printable(line));
        }
    }

    /**
     * The programs measure themselves by the guest's clock, so it had better be right.
     *
     * @throws SampleException if the guest does not answer any more
     */
    void checkClock() throws SampleException, InterruptedException {
        if (guest.isEmpty()) {
            return;
        }
        ClockReading now = readClock(guest.get());
        double host = now.host() - firstReading.host();
        double error = (now.guest() - firstReading.guest()) / host - 1;
        if (host < SHORTEST_CLOCK_CHECK) {
            return;
        }
        String finding =
                String.format(
                        Locale.ROOT,
                        "guest clock %+.2f %% of the host's over %.0f s",
                        100 * error,
                        host);
        if (Math.abs(error) > TOLERANCE) {
            results.fail("clock", engine, finding + ": its times are not to be trusted");
        } else {
            results.note(engine + ": " + finding);
        }
    }

    private void abandon() {
        guest.ifPresent(GuestProcess::close);
        guest = Optional.empty();
    }

    @Override
    public void close() {
        abandon();
    }
}
