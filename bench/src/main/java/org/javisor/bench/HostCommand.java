package org.javisor.bench;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * A command of the host that has run to its end.
 *
 * @param status its exit status
 * @param output what it printed, errors included
 */
record HostCommand(int status, String output) {
    /**
     * Runs it.
     *
     * @return empty if there is no such command
     * @throws SampleException if it does not end in time
     */
    static Optional<HostCommand> run(Workplace workplace, int seconds, List<String> command)
            throws SampleException, InterruptedException {
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.redirectInput(ProcessBuilder.Redirect.from(new java.io.File("/dev/null")));
        builder.environment().put("LC_ALL", "C");
        Process process;
        try {
            process = workplace.start(builder);
        } catch (IOException e) {
            return Optional.empty();
        }
        AtomicBoolean late = new AtomicBoolean();
        Thread deadline =
                Thread.ofVirtual()
                        .start(
                                () -> {
                                    try {
                                        TimeUnit.SECONDS.sleep(seconds);
                                        late.set(true);
                                        workplace.end(process);
                                    } catch (InterruptedException e) {
                                        Thread.currentThread().interrupt();
                                    }
                                });
        String lateness = "no end within %d s".formatted(seconds);
        try {
            byte[] output = process.getInputStream().readAllBytes();
            int status = process.waitFor();
            if (late.get()) {
                throw new SampleException(lateness);
            }
            return Optional.of(new HostCommand(status, new String(output, StandardCharsets.UTF_8)));
        } catch (IOException e) {
            // Ending a process may close its output while it is being read.
            throw new SampleException(
                    late.get() ? lateness : "its output cannot be read: " + Text.reason(e));
        } finally {
            deadline.interrupt();
            workplace.end(process);
        }
    }

    /** The first line of what it printed. */
    String firstLine() {
        return output.lines().findFirst().map(Text::printable).orElse("");
    }
}
