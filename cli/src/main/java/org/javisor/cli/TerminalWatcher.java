package org.javisor.cli;

import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/**
 * A shell that outlives this process: should the process die without giving the terminal back (kill
 * -9, a crash of the JVM), the shell does it. It notices by the end of its standard input, which
 * the dead process held open.
 */
final class TerminalWatcher {
    /**
     * Where there is setsid, the shell starts over in a session of its own, so that what kills this
     * process's whole group spares it. The terminal is then reached by its name instead of
     * /dev/tty.
     */
    private static final String SCRIPT =
            """
            trap '' HUP INT QUIT TERM TSTP TTIN TTOU
            terminal=$1
            saved=$(stty -g <"$terminal") || exit 1
            echo ready
            read -r word
            [ "$word" = done ] || stty "$saved" <"$terminal"
            """;

    private final Optional<Process> shell;

    private TerminalWatcher(Optional<Process> shell) {
        this.shell = shell;
    }

    /**
     * Starts the shell and waits until it knows the terminal's settings; where there is no shell,
     * nobody watches.
     */
    static TerminalWatcher start() {
        try {
            Process process =
                    new ProcessBuilder(
                                    "sh",
                                    "-c",
                                    """
                                    terminal=$(readlink /proc/$PPID/fd/0) || terminal=/dev/tty
                                    [ -c "$terminal" ] || terminal=/dev/tty
                                    if [ "$terminal" != /dev/tty ] && command -v setsid >/dev/null; then
                                        exec setsid sh -c "$1" watcher "$terminal"
                                    fi
                                    exec sh -c "$1" watcher "$terminal"
                                    """,
                                    "javisor-terminal",
                                    SCRIPT)
                            .redirectError(ProcessBuilder.Redirect.DISCARD)
                            .start();
            process.inputReader().readLine();
            return new TerminalWatcher(Optional.of(process));
        } catch (IOException | UncheckedIOException e) {
            return new TerminalWatcher(Optional.empty());
        }
    }

    /** The terminal has been given back; the shell may go. */
    void dismiss() {
        shell.ifPresent(
                process -> {
                    try (OutputStream in = process.getOutputStream()) {
                        in.write("done\n".getBytes(StandardCharsets.US_ASCII));
                    } catch (IOException e) {
                        // Gone already.
                    }
                });
    }
}
