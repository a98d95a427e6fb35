package org.javisor.cli;

import java.io.PrintStream;
import org.javisor.storage.ByteSize;
import org.javisor.storage.Progress;

/** Shows on a terminal how far a copy has come; elsewhere nothing. */
final class DiskProgress implements Progress, AutoCloseable {
    private static final long REDRAW_NANOS = 100_000_000L;

    private final PrintStream err;
    private final boolean terminal;
    private final String doing;
    private long drawn;
    private boolean dirty;

    DiskProgress(Surroundings surroundings, String doing) {
        this.err = surroundings.err();
        this.terminal = surroundings.stderrTerminal();
        this.doing = doing;
    }

    @Override
    public void at(long done, long total) {
        long now = System.nanoTime();
        if (!terminal || dirty && now - drawn < REDRAW_NANOS) {
            return;
        }
        drawn = now;
        dirty = true;
        err.printf(
                "\rjavisor: %s, %d%% of %s\u001b[K",
                doing, total == 0 ? 100 : (long) (100.0 * done / total), ByteSize.show(total));
        err.flush();
    }

    /** Takes the line away. */
    @Override
    public void close() {
        if (dirty) {
            err.print("\r\u001b[K");
            err.flush();
        }
    }
}
