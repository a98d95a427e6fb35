package org.javisor.cli;

import java.io.IOException;
import java.util.Optional;
import org.javisor.gdb.GdbServer;
import org.javisor.machine.Machine;

/** The port for debuggers of one guest, if the user wants one; starts the guest in any case. */
final class DebuggerPort implements AutoCloseable {
    private final Optional<GdbServer> server;
    private final boolean wait;
    private final Messages messages;

    private DebuggerPort(Optional<GdbServer> server, boolean wait, Messages messages) {
        this.server = server;
        this.wait = wait;
        this.messages = messages;
    }

    /**
     * @throws CliException if the port cannot be had
     */
    static DebuggerPort open(RunOptions options, Messages messages) {
        return new DebuggerPort(options.gdb.map(DebuggerPort::listen), options.gdbWait, messages);
    }

    private static GdbServer listen(int port) {
        try {
            return GdbServer.listen(port);
        } catch (IOException e) {
            throw new CliException(
                    ExitCode.FAILURE,
                    "Cannot listen for debuggers on port %d: %s; 0 takes any that is free"
                            .formatted(port, e.getMessage()),
                    e);
        }
    }

    void start(Machine machine) {
        if (wait) {
            machine.startPaused();
        } else {
            machine.start();
        }
        server.ifPresent(
                gdb -> {
                    messages.say(
                            (wait ? "Waiting for gdb: " : "For gdb: ")
                                    + "'target remote localhost:%d'".formatted(gdb.port()));
                    gdb.serve(machine, messages::say);
                });
    }

    @Override
    public void close() {
        server.ifPresent(GdbServer::close);
    }
}
