package org.javisor.bench;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** A guest in a process of its own: its first serial port and its end. */
final class GuestProcess implements AutoCloseable {
    private static final int LONGEST_LINE = 4096;

    /** How many unread lines of a guest that floods its console are kept. */
    private static final int MOST_LINES = 10_000;

    private static final int MOST_ERRORS = 200;

    /** Not a line: no line holds a line feed. */
    private static final String END = "\n";

    private final Workplace workplace;
    private final Process process;
    private final BlockingQueue<String> lines = new LinkedBlockingQueue<>(MOST_LINES + 1);
    private final Deque<String> errors = new ArrayDeque<>();
    private final Thread output;
    private final Thread errorOutput;

    /**
     * Starts a guest.
     *
     * @param prompt ends a line as a line feed does, but stays part of it; may be empty
     */
    GuestProcess(Workplace workplace, List<String> command, String prompt) throws SampleException {
        this.workplace = workplace;
        try {
            process = workplace.start(new ProcessBuilder(command));
        } catch (IOException e) {
            throw new SampleException(
                    "cannot start %s: %s".formatted(command.getFirst(), Text.reason(e)));
        }
        output =
                Thread.ofVirtual()
                        .start(() -> split(process.getInputStream(), prompt, this::addLine));
        errorOutput =
                Thread.ofVirtual().start(() -> split(process.getErrorStream(), "", this::addError));
    }

    private interface LineSink {
        void accept(String line) throws InterruptedException;
    }

    private void addLine(String line) throws InterruptedException {
        lines.put(line);
    }

    private void addError(String line) {
        synchronized (errors) {
            if (!line.equals(END)) {
                errors.add(line);
            }
            if (errors.size() > MOST_ERRORS) {
                errors.remove();
            }
        }
    }

    private static void split(InputStream in, String prompt, LineSink sink) {
        StringBuilder line = new StringBuilder();
        try {
            int next;
            while ((next = in.read()) >= 0) {
                if (next != '\n' && next != '\r' && line.length() < LONGEST_LINE) {
                    line.append((char) next);
                }
                boolean atPrompt = !prompt.isEmpty() && line.toString().endsWith(prompt);
                if (next == '\n' || atPrompt) {
                    sink.accept(line.toString());
                    line.setLength(0);
                }
            }
            sink.accept(END);
        } catch (IOException e) {
            // The process is gone; whoever waits notices by the time that runs out.
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Sends a line to the guest. */
    void send(String line) throws SampleException {
        try {
            OutputStream in = process.getOutputStream();
            in.write((line + "\n").getBytes(StandardCharsets.US_ASCII));
            in.flush();
        } catch (IOException e) {
            throw new SampleException("the guest is gone" + lastError());
        }
    }

    /**
     * The next line from the guest.
     *
     * @throws SampleException if it ends, or says nothing for that long
     */
    String receive(Duration patience) throws SampleException, InterruptedException {
        String line = lines.poll(patience.toMillis(), TimeUnit.MILLISECONDS);
        if (line == null) {
            throw new SampleException("no answer within %d s".formatted(patience.toSeconds()));
        }
        if (line.equals(END)) {
            errorOutput.join(Duration.ofSeconds(1));
            throw new SampleException("the guest ended" + lastError());
        }
        return line;
    }

    /** The first line that begins (or, being the prompt, ends) with that text. */
    String await(String text, Duration patience) throws SampleException, InterruptedException {
        long deadline = System.nanoTime() + patience.toNanos();
        String last = "nothing";
        while (true) {
            Duration left = Duration.ofNanos(Math.max(1, deadline - System.nanoTime()));
            String line;
            try {
                line = receive(left);
            } catch (SampleException e) {
                throw e.getMessage().startsWith("no answer")
                        ? new SampleException(
                                "no '%s' within %d s; last came: %s"
                                        .formatted(
                                                text, patience.toSeconds(), Text.printable(last)))
                        : e;
            }
            last = line.isBlank() ? last : line;
            if (line.startsWith(text) || line.endsWith(text)) {
                return line;
            }
        }
    }

    /** The host's number of the process. */
    long number() {
        return process.pid();
    }

    /** Processor time used so far; zero where the host does not tell. */
    Duration processorTime() {
        return process.info().totalCpuDuration().orElse(Duration.ZERO);
    }

    /** Waits for the process to end by itself. */
    boolean awaitEnd(Duration patience) throws InterruptedException {
        return process.waitFor(patience) && errorOutput.join(patience);
    }

    /** What the process has said on its standard error stream lately. */
    List<String> errors() {
        synchronized (errors) {
            return List.copyOf(errors);
        }
    }

    /** A panic, or else what was said last. */
    private String lastError() {
        List<String> all = errors();
        return all.stream()
                .filter(line -> line.contains("panic"))
                .findFirst()
                .or(() -> all.isEmpty() ? Optional.empty() : Optional.of(all.getLast()))
                .map(line -> ": " + Text.printable(line))
                .orElse("");
    }

    @Override
    public void close() {
        workplace.end(process);
        output.interrupt();
        errorOutput.interrupt();
    }
}
