package org.javisor.cli;

import java.io.PrintStream;
import org.javisor.image.ProgressEvent;
import org.javisor.image.ProgressListener;

/** Shows a pull: on a terminal as a line that changes, elsewhere only what a log should have. */
final class PullProgress implements ProgressListener, AutoCloseable {
    private static final long REDRAW_NANOS = 100_000_000L;

    /** A log should show that a long build goes on, and not every step of it. */
    private static final long LOG_NANOS = 20_000_000_000L;

    private final PrintStream err;
    private final boolean terminal;
    private final Messages messages;
    private long drawn;
    private long logged = System.nanoTime();
    private boolean dirty;

    PullProgress(Surroundings surroundings, Messages messages) {
        this.err = surroundings.err();
        this.terminal = surroundings.stderrTerminal();
        this.messages = messages;
    }

    @Override
    public void on(ProgressEvent event) {
        switch (event) {
            case ProgressEvent.Step step -> {
                if (terminal) {
                    draw(step.text());
                } else if (System.nanoTime() - logged > LOG_NANOS) {
                    logged = System.nanoTime();
                    messages.say(step.text());
                }
            }
            case ProgressEvent.Transfer transfer -> {
                long now = System.nanoTime();
                boolean last = transfer.received() == transfer.total();
                if (terminal && (last || now - drawn > REDRAW_NANOS)) {
                    drawn = now;
                    draw(describe(transfer));
                }
            }
            case ProgressEvent.Retry retry -> {
                close();
                messages.say(
                        "Trying %s again (attempt %d): %s"
                                .formatted(retry.name(), retry.attempt(), retry.reason()));
            }
            case ProgressEvent.Waiting waiting -> {
                close();
                messages.say("Waiting for another pull, which holds " + waiting.lock());
            }
        }
    }

    private static String describe(ProgressEvent.Transfer transfer) {
        double mib = 1 << 20;
        return transfer.total() > 0
                ? "%s %.1f of %.1f MiB"
                        .formatted(
                                transfer.name(), transfer.received() / mib, transfer.total() / mib)
                : "%s %.1f MiB".formatted(transfer.name(), transfer.received() / mib);
    }

    private void draw(String text) {
        int width = 78;
        String shown = text.length() > width ? text.substring(0, width) : text;
        err.print("\r" + shown.replaceAll("\\p{Cntrl}", "?") + "\u001b[K");
        err.flush();
        dirty = true;
    }

    /** Takes the changing line away. */
    @Override
    public void close() {
        if (dirty) {
            err.print("\r\u001b[K");
            err.flush();
            dirty = false;
        }
    }
}
