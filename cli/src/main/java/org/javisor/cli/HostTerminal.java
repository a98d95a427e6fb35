package org.javisor.cli;

import java.io.IOException;
import java.util.EnumSet;
import java.util.Optional;
import org.javisor.image.TerminalSize;
import org.jline.terminal.Attributes;
import org.jline.terminal.Attributes.ControlChar;
import org.jline.terminal.Attributes.InputFlag;
import org.jline.terminal.Attributes.LocalFlag;
import org.jline.terminal.Attributes.OutputFlag;
import org.jline.terminal.Size;
import org.jline.terminal.Terminal;
import org.jline.terminal.TerminalBuilder;

/**
 * The user's terminal. Between {@link #enterRaw} and closing it belongs to the guest: every key
 * goes through as it is typed, Ctrl-C included. Closing gives it back as it was; if this process
 * dies without doing so, a {@link TerminalWatcher} does.
 */
final class HostTerminal implements AutoCloseable {
    private final Terminal terminal;
    private final Attributes before;
    private final Thread hook = new Thread(this::restore, "terminal-restore");
    private Optional<TerminalWatcher> watcher = Optional.empty();

    private HostTerminal(Terminal terminal) {
        this.terminal = terminal;
        this.before = terminal.getAttributes();
    }

    /**
     * The terminal behind standard input; empty if it turns out to be none. Asks the terminal
     * nothing: its answers would reach the guest as if they had been typed.
     */
    static Optional<HostTerminal> open() {
        try {
            return Optional.of(
                    new HostTerminal(
                            TerminalBuilder.builder()
                                    .system(true)
                                    .systemOutput(TerminalBuilder.SystemOutput.SysOutOrSysErr)
                                    .dumb(false)
                                    .nativeSignals(false)
                                    .graphemeCluster(false)
                                    .build()));
        } catch (IOException | RuntimeException e) {
            return Optional.empty();
        }
    }

    TerminalSize size() {
        Size size = terminal.getSize();
        // A serial line knows no size and reports zero.
        return size.getRows() == 0 || size.getColumns() == 0
                ? TerminalSize.USUAL
                : new TerminalSize(size.getRows(), size.getColumns());
    }

    /** Hands the terminal to the guest. */
    synchronized void enterRaw() {
        watcher = Optional.of(TerminalWatcher.start());
        Runtime.getRuntime().addShutdownHook(hook);
        terminal.setAttributes(raw(before));
    }

    /**
     * As cfmakeraw(3) does: no editing, no echo, no signals, no translation in either direction.
     */
    private static Attributes raw(Attributes before) {
        Attributes raw = new Attributes(before);
        raw.setLocalFlags(
                EnumSet.of(
                        LocalFlag.ICANON,
                        LocalFlag.ECHO,
                        LocalFlag.ECHONL,
                        LocalFlag.IEXTEN,
                        LocalFlag.ISIG),
                false);
        raw.setInputFlags(
                EnumSet.of(
                        InputFlag.IGNBRK,
                        InputFlag.BRKINT,
                        InputFlag.PARMRK,
                        InputFlag.ISTRIP,
                        InputFlag.INLCR,
                        InputFlag.IGNCR,
                        InputFlag.ICRNL,
                        InputFlag.IXON),
                false);
        raw.setOutputFlag(OutputFlag.OPOST, false);
        raw.setControlChar(ControlChar.VMIN, 1);
        raw.setControlChar(ControlChar.VTIME, 0);
        return raw;
    }

    private synchronized void restore() {
        if (watcher.isPresent()) {
            terminal.setAttributes(before);
            watcher.get().dismiss();
            watcher = Optional.empty();
        }
    }

    @Override
    public void close() {
        restore();
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
            terminal.close();
        } catch (IOException | IllegalStateException e) {
            // The terminal is as it was, and the JVM is about to end.
        }
    }
}
