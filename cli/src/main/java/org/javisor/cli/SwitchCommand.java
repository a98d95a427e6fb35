package org.javisor.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.javisor.network.NetworkException;
import org.javisor.network.SwitchDirectory;
import org.javisor.network.SwitchServer;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code javisor switch}: the named switches that machines join. */
@Command(
        name = "switch",
        description = "Make, list and remove switches that machines join with --net switch=NAME.",
        synopsisSubcommandLabel = "COMMAND")
final class SwitchCommand implements Runnable {
    @Spec private CommandSpec spec;

    private SwitchCommand() {}

    static CommandLine commandLine(Surroundings surroundings, Messages messages) {
        CommandLine line = new CommandLine(new SwitchCommand());
        line.addSubcommand("create", new Create(surroundings, messages));
        line.addSubcommand("list", new Ls(surroundings), "ls");
        line.addSubcommand("rm", new Rm(surroundings));
        line.addSubcommand("serve", new Serve(surroundings));
        return line;
    }

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "Say what to do: create, list or rm");
    }

    private static SwitchDirectory directory(Surroundings surroundings) {
        return SwitchDirectory.ofUser(surroundings.environment());
    }

    private static CliException failed(NetworkException e) {
        int code =
                switch (e.code()) {
                    case BAD_OPTION -> ExitCode.USAGE;
                    case HOST_CANNOT, FILE, PORT_TAKEN -> ExitCode.HOST_CANNOT;
                    case NO_SWITCH -> ExitCode.FAILURE;
                };
        return new CliException(code, e.getMessage());
    }

    @Command(
            name = "create",
            description = "Make a switch. It is a process of its own and stays until removed.")
    private static final class Create implements Runnable {
        private static final long PATIENCE = TimeUnit.SECONDS.toNanos(60);
        private static final long PAUSE = 50;

        private final Surroundings surroundings;
        private final Messages messages;

        @Parameters(paramLabel = "NAME", description = "What machines call it.")
        private String name = "";

        Create(Surroundings surroundings, Messages messages) {
            this.surroundings = surroundings;
            this.messages = messages;
        }

        @Override
        public void run() {
            SwitchDirectory switches = directory(surroundings);
            try {
                SwitchServer.check(switches, name);
            } catch (NetworkException e) {
                throw failed(e);
            }
            Process process = start();
            long end = System.nanoTime() + PATIENCE;
            while (switches.status(name).isEmpty()) {
                if (!process.isAlive() || System.nanoTime() > end) {
                    process.destroy();
                    throw new CliException(
                            ExitCode.HOST_CANNOT,
                            "The switch does not start; 'javisor switch serve "
                                    + name
                                    + "' says why");
                }
                try {
                    process.waitFor(PAUSE, TimeUnit.MILLISECONDS);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    throw new CliException(ExitCode.FAILURE, "Interrupted");
                }
            }
            messages.say("The switch " + name + " is there; join it with --net switch=" + name);
        }

        /** This program once more, away from this terminal and its signals. */
        private Process start() {
            ProcessHandle.Info self = ProcessHandle.current().info();
            String[] arguments = self.arguments().orElse(new String[0]);
            int main =
                    Arrays.asList(arguments)
                            .indexOf(
                                    Javisor.class.getModule().getName()
                                            + "/"
                                            + Javisor.class.getName());
            if (main < 0 || self.command().isEmpty()) {
                throw new CliException(
                        ExitCode.HOST_CANNOT,
                        "Cannot start a process of its own here; use 'javisor switch serve "
                                + name
                                + "' in another terminal");
            }
            List<String> command = new ArrayList<>();
            if (Files.isExecutable(Path.of("/usr/bin/setsid"))) {
                command.add("/usr/bin/setsid");
            }
            command.add(self.command().get());
            command.addAll(Arrays.asList(arguments).subList(0, main + 1));
            command.addAll(List.of("switch", "serve", name));
            try {
                return new ProcessBuilder(command)
                        .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
                        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                        .redirectError(ProcessBuilder.Redirect.DISCARD)
                        .start();
            } catch (IOException e) {
                throw new CliException(
                        ExitCode.HOST_CANNOT, "Cannot start a process: " + e.getMessage());
            }
        }
    }

    @Command(name = "list", description = "List the switches and how many cards are plugged in.")
    private static final class Ls implements Runnable {
        private final Surroundings surroundings;
        @Spec private CommandSpec spec;

        Ls(Surroundings surroundings) {
            this.surroundings = surroundings;
        }

        @Override
        public void run() {
            PrintWriter out = spec.commandLine().getOut();
            out.printf("%-34s%s%n", "NAME", "CARDS");
            directory(surroundings)
                    .list()
                    .forEach(running -> out.printf("%-34s%d%n", running.name(), running.cards()));
        }
    }

    @Command(name = "rm", description = "Remove a switch; cards that are plugged in lose it.")
    private static final class Rm implements Runnable {
        private final Surroundings surroundings;

        @Parameters(paramLabel = "NAME", description = "The switch, as 'switch list' shows it.")
        private String name = "";

        Rm(Surroundings surroundings) {
            this.surroundings = surroundings;
        }

        @Override
        public void run() {
            try {
                directory(surroundings).stop(name);
            } catch (NetworkException e) {
                throw failed(e);
            }
        }
    }

    @Command(name = "serve", description = "Be a switch, until removed or interrupted.")
    private static final class Serve implements Runnable {
        private final Surroundings surroundings;

        @Parameters(paramLabel = "NAME", description = "What machines call it.")
        private String name = "";

        Serve(Surroundings surroundings) {
            this.surroundings = surroundings;
        }

        @Override
        public void run() {
            try (SwitchServer server = new SwitchServer(directory(surroundings), name)) {
                server.awaitStop();
            } catch (NetworkException e) {
                throw failed(e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
