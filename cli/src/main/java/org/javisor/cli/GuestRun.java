package org.javisor.cli;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.javisor.image.BootFiles;
import org.javisor.image.CachedImage;
import org.javisor.image.Catalog;
import org.javisor.image.GuestCommand;
import org.javisor.image.ImageDefinition;
import org.javisor.image.ImageStore;
import org.javisor.image.TerminalSize;
import org.javisor.image.TinyImage;
import org.javisor.image.TinySession;
import org.javisor.machine.Machine;
import org.javisor.machine.MachineConfig;
import org.javisor.machine.MachineEnd;
import org.javisor.machine.MachineListener;
import org.javisor.machine.WatchdogAction;

/** One guest from its files to its exit status. */
final class GuestRun {
    /** How many lines of the console a report of a crash shows. */
    private static final int REPORTED_LINES = 12;

    private static final Duration LAST_OUTPUT = Duration.ofSeconds(5);

    private final Surroundings surroundings;
    private final Messages messages;
    private final RunOptions options;
    private final List<String> command;
    private final GuestPorts ports;

    GuestRun(
            Surroundings surroundings,
            Messages messages,
            RunOptions options,
            List<String> command) {
        this.surroundings = surroundings;
        this.messages = messages;
        this.options = options;
        this.command = command;
        this.ports = new GuestPorts(surroundings, messages, options.verbose);
    }

    int execute() throws InterruptedException {
        // A command whose output goes to a file or a pipe must not have it translated by a
        // terminal.
        boolean interactive =
                surroundings.stdinTerminal()
                        && (command.isEmpty() || surroundings.stdoutTerminal());
        Optional<HostTerminal> terminal = interactive ? HostTerminal.open() : Optional.empty();
        try {
            MachineConfig config = configure(terminal);
            try (Machine machine = surroundings.machines().apply(config)) {
                ports.connect(machine);
                return run(machine, terminal);
            }
        } finally {
            terminal.ifPresent(HostTerminal::close);
            messages.rawTerminal(false);
        }
    }

    // Before

    private MachineConfig configure(Optional<HostTerminal> terminal) {
        MachineConfig.Builder builder;
        if (options.kernel.isPresent()) {
            builder = MachineConfig.builder(options.kernel.get());
            options.initrd.ifPresent(builder::initrd);
            options.append.ifPresent(builder::commandLine);
        } else {
            BootFiles files = TinyImage.bootFiles(obtain(), session(terminal));
            String added = options.append.map(words -> " " + words).orElse("");
            builder =
                    MachineConfig.builder(files.kernel())
                            .initrd(files.initrd())
                            .commandLine(files.commandLine() + added)
                            .control(ports::control);
        }
        options.name.ifPresent(builder::name);
        options.devices.plug(builder, surroundings.environment());
        options.networks.plug(builder, messages);
        return builder.memory(options.memory)
                .cpus(options.cpus)
                .engine(options.engine)
                .console(ports::console)
                .rebootOnReset(!options.noReboot)
                .listener(new Announcer())
                .build();
    }

    private CachedImage obtain() {
        ImageDefinition definition = Catalog.named(options.image.orElse(RunOptions.DEFAULT_IMAGE));
        ImageStore store = ImageStore.ofUser(surroundings.environment());
        Optional<CachedImage> cached = store.find(definition);
        if (cached.isPresent()) {
            return cached.get();
        }
        messages.say("Fetching the image " + definition.name() + ", once");
        try (PullProgress progress = new PullProgress(surroundings, messages)) {
            return store.obtain(
                    definition, options.pull.settings(surroundings.environment()), progress);
        }
    }

    private TinySession session(Optional<HostTerminal> terminal) {
        TerminalSize size = terminal.map(HostTerminal::size).orElse(TerminalSize.USUAL);
        String type =
                terminal.isPresent()
                        ? surroundings.environment().getOrDefault("TERM", "vt100")
                        : "dumb";
        Optional<GuestCommand> guestCommand =
                command.isEmpty()
                        ? Optional.empty()
                        : Optional.of(
                                GuestCommand.ofProcess(
                                        command,
                                        terminal.isPresent()
                                                ? GuestCommand.Input.TERMINAL
                                                : GuestCommand.Input.PIPE));
        return new TinySession(guestCommand, size, type, options.verbose);
    }

    // During

    private int run(Machine machine, Optional<HostTerminal> terminal) throws InterruptedException {
        if (command.isEmpty() || options.verbose) {
            messages.say("Engine: " + machine.engine().reason());
        }
        try (EndRequests requests =
                        new EndRequests(surroundings.signals(), machine, messages, options.grace);
                HostSignals.Subscription resizes = onResize(terminal);
                DebuggerPort debuggers = DebuggerPort.open(options, messages)) {
            Optional<Keyboard> keyboard = terminal.map(host -> attach(host, machine));
            debuggers.start(machine);
            if (terminal.isEmpty()) {
                startInput();
            }
            Optional<MachineEnd> end = await(machine);
            terminal.ifPresent(HostTerminal::close);
            messages.rawTerminal(false);
            boolean quit = keyboard.map(Keyboard::quit).orElse(false);
            int code = end.map(e -> report(e, requests, quit)).orElseGet(this::reportTimeout);
            if (options.stats) {
                StatisticsReport.lines(machine.statistics()).forEach(messages::line);
            }
            return code;
        }
    }

    private HostSignals.Subscription onResize(Optional<HostTerminal> terminal) {
        return terminal.map(
                        host ->
                                surroundings
                                        .signals()
                                        .on(
                                                HostSignals.Signal.WINCH,
                                                () -> ports.resize(host.size())))
                .orElse(() -> {});
    }

    private Keyboard attach(HostTerminal terminal, Machine machine) {
        messages.say(
                options.escape.code() < 0
                        ? "There is no escape key; SIGTERM ends the guest"
                        : "Escape is %s (then h for help)".formatted(options.escape.label()));
        terminal.enterRaw();
        messages.rawTerminal(true);
        Keyboard keyboard = new Keyboard(surroundings.in(), machine, messages, options.escape);
        keyboard.start();
        return keyboard;
    }

    private void startInput() {
        if (command.isEmpty()) {
            ports.startTyping(options.kernel.isEmpty());
        } else {
            ports.startPipe();
        }
    }

    private Optional<MachineEnd> await(Machine machine) throws InterruptedException {
        if (options.timeout.isEmpty()) {
            return Optional.of(machine.awaitEnd());
        }
        Optional<MachineEnd> end = machine.awaitEnd(options.timeout.get());
        if (end.isEmpty()) {
            machine.stop();
            machine.awaitEnd(LAST_OUTPUT);
        }
        return end;
    }

    // After

    private int reportTimeout() {
        messages.say(
                "The guest was ended after %s".formatted(inWords(options.timeout.orElseThrow())));
        return ExitCode.TIMEOUT;
    }

    private static String inWords(Duration time) {
        return time.toMillis() % 1000 == 0 ? time.toSeconds() + " s" : time.toMillis() + " ms";
    }

    private int report(MachineEnd end, EndRequests requests, boolean quit) {
        if (ports.exitStatus().isPresent()) {
            return ports.exitStatus().getAsInt();
        }
        OptionalInt failure =
                switch (end.reason()) {
                    case POWER_OFF, RESET -> OptionalInt.empty();
                    case PANIC -> crashed("The guest's kernel panicked", end);
                    case TRIPLE_FAULT -> crashed("The guest's processor triple-faulted", end);
                    case WATCHDOG -> crashed("The guest let its watchdog timer run out", end);
                    case FAILURE -> crashed("The machine failed", end);
                    case STOPPED -> stopped(requests, quit);
                };
        if (failure.isPresent()) {
            return failure.getAsInt();
        }
        if (!command.isEmpty()) {
            messages.say("The guest ended without the command's exit status");
            return ExitCode.BEFORE_COMMAND;
        }
        return ExitCode.OK;
    }

    private OptionalInt crashed(String what, MachineEnd end) {
        messages.say(end.detail().isEmpty() ? what : what + ": " + end.detail());
        List<String> tail = end.consoleTail();
        List<String> last = tail.subList(Math.max(0, tail.size() - REPORTED_LINES), tail.size());
        last.forEach(line -> messages.line("  | " + line));
        return OptionalInt.of(command.isEmpty() ? ExitCode.FAILURE : ExitCode.BEFORE_COMMAND);
    }

    private OptionalInt stopped(EndRequests requests, boolean quit) {
        if (ports.outputBroken()) {
            messages.say("Standard output is closed; the guest was ended");
            return OptionalInt.of(command.isEmpty() ? ExitCode.FAILURE : ExitCode.BEFORE_COMMAND);
        }
        if (quit) {
            return OptionalInt.empty();
        }
        return requests.received()
                .map(signal -> OptionalInt.of(ExitCode.signal(signal.number())))
                .orElse(OptionalInt.empty());
    }

    /** Says what happens to the guest as it happens. */
    private final class Announcer implements MachineListener {
        private boolean watchdogTold;

        @Override
        public void reset(String cause) {
            if (command.isEmpty()) {
                messages.say("The guest reboots (" + cause + ")");
            }
        }

        @Override
        public void paused(String cause) {
            String next =
                    options.escape.code() < 0 || !command.isEmpty()
                            ? "SIGTERM ends it"
                            : options.escape.label() + " c lets it go on";
            messages.say("The guest is paused (%s); %s".formatted(cause, next));
        }

        /** The first time only: a guest could let it run out a thousand times a second. */
        @Override
        public void watchdogExpired(WatchdogAction action) {
            if (action == WatchdogAction.NONE && !watchdogTold) {
                watchdogTold = true;
                messages.say("The guest let its watchdog timer run out");
            }
        }
    }
}
