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
import org.javisor.machine.EngineOptions;
import org.javisor.machine.Machine;
import org.javisor.machine.MachineConfig;
import org.javisor.machine.MachineEnd;
import org.javisor.machine.MachineListener;
import org.javisor.machine.MachineState;
import org.javisor.machine.VirtioDevices;
import org.javisor.machine.WatchdogAction;

/** One guest from its files to its exit status. */
final class GuestRun {
    /** What a kernel is built with that can mount shared folders. */
    private static final String SHARES = "CONFIG_9P_FS";

    /** How many lines of the console a report of a crash shows. */
    private static final int REPORTED_LINES = 12;

    private static final Duration USUAL_GRACE = Duration.ofSeconds(10);

    /** systemd stops its services one after the other, and gives each up to 90 seconds. */
    private static final Duration LONG_GRACE = Duration.ofSeconds(90);

    private static final Duration LAST_OUTPUT = Duration.ofSeconds(5);

    private final Surroundings surroundings;
    private final Messages messages;
    private final RunOptions options;
    private final List<String> command;
    private final GuestPorts ports;
    private final Optional<Readiness> readiness;
    private Optional<DebianGuest> debian = Optional.empty();
    private volatile boolean waitedInVain;
    private Optional<Thread> waiter = Optional.empty();
    private volatile boolean withKeyboard;

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
        this.readiness = options.waitFor.map(Readiness::new);
    }

    int execute() throws InterruptedException {
        // Before the terminal is touched: building an image takes a while and shows its progress.
        debian = findDebian();
        readiness.ifPresent(ports::tell);
        // A command whose output goes to a file or a pipe must not have it translated by a
        // terminal.
        boolean interactive =
                surroundings.stdinTerminal()
                        && (command.isEmpty() || surroundings.stdoutTerminal());
        Optional<HostTerminal> terminal = interactive ? HostTerminal.open() : Optional.empty();
        try {
            debian.ifPresent(this::prepare);
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

    private Optional<DebianGuest> findDebian() {
        String name = options.image.orElse(RunOptions.DEFAULT_IMAGE);
        return options.kernel.isEmpty() && DebianGuest.named(surroundings, name)
                ? Optional.of(DebianGuest.obtain(surroundings, messages, options, name))
                : Optional.empty();
    }

    private void prepare(DebianGuest guest) {
        options.networks.useUserModeByDefault();
        ports.expectBooted();
        if (!command.isEmpty() && !options.verbose && surroundings.stderrTerminal()) {
            ports.showProgress(new PullProgress(surroundings, messages));
        }
        if (guest.kept()) {
            ports.leaveTheEndToTheGuest();
        }
    }

    private MachineConfig configure(Optional<HostTerminal> terminal) {
        MachineConfig.Builder builder;
        if (options.kernel.isPresent()) {
            builder = MachineConfig.builder(options.kernel.get());
            options.initrd.ifPresent(builder::initrd);
            options.append.ifPresent(builder::commandLine);
        } else {
            BootFiles files =
                    debian.map(
                                    guest ->
                                            guest.bootFiles(
                                                    guestCommand(terminal),
                                                    size(terminal),
                                                    terminalType(terminal)))
                            .orElseGet(() -> TinyImage.bootFiles(image(), session(terminal)));
            String added = options.append.map(words -> " " + words).orElse("");
            builder =
                    MachineConfig.builder(files.kernel())
                            .initrd(files.initrd())
                            .commandLine(files.commandLine() + added)
                            .control(ports::control);
        }
        options.name.ifPresent(builder::name);
        debian.ifPresent(guest -> builder.device(VirtioDevices.disk(0, guest.disk())));
        options.devices.plug(builder, surroundings.environment(), debian.isPresent() ? 1 : 0);
        options.waitFor.flatMap(Readiness::guestPort).ifPresent(options.networks::reach);
        options.networks.plug(builder, messages);
        return builder.memory(options.memory)
                .cpus(options.cpus)
                .engine(options.engine)
                .cpu(options.cpu)
                .engineOptions(
                        new EngineOptions(
                                options.stats,
                                options.codeCache,
                                options.interruptChips,
                                options.translation.verify,
                                options.translation.perfMap))
                .console(ports::console)
                .rebootOnReset(!options.noReboot)
                .listener(new Announcer())
                .build();
    }

    /** The image without a disk. */
    private CachedImage image() {
        CachedImage image = obtain();
        if (!options.devices.shares.isEmpty() && !image.kernelHas(SHARES)) {
            throw new CliException(
                    ExitCode.USAGE,
                    "The kernel of the image %s has no 9P client, so --share would show nothing; take %s"
                            .formatted(image.name(), "tiny:generic or debian"));
        }
        return image;
    }

    private CachedImage obtain() {
        ImageDefinition definition = Catalog.named(options.image.orElse(RunOptions.DEFAULT_IMAGE));
        ImageStore store = ImageStore.ofUser(surroundings.environment());
        Optional<CachedImage> cached = store.find(definition);
        if (cached.isPresent()) {
            return cached.get();
        }
        messages.say("Fetching the image " + definition.name() + ", once");
        return ImageWork.run(
                surroundings,
                messages,
                progress ->
                        store.obtain(
                                definition,
                                options.pull.settings(surroundings.environment()),
                                progress));
    }

    private TinySession session(Optional<HostTerminal> terminal) {
        return new TinySession(
                guestCommand(terminal), size(terminal), terminalType(terminal), options.verbose);
    }

    private static TerminalSize size(Optional<HostTerminal> terminal) {
        return terminal.map(HostTerminal::size).orElse(TerminalSize.USUAL);
    }

    private String terminalType(Optional<HostTerminal> terminal) {
        return terminal.isPresent()
                ? surroundings.environment().getOrDefault("TERM", "vt100")
                : "dumb";
    }

    private Optional<GuestCommand> guestCommand(Optional<HostTerminal> terminal) {
        return command.isEmpty()
                ? Optional.empty()
                : Optional.of(
                        GuestCommand.ofProcess(
                                command,
                                terminal.isPresent()
                                        ? GuestCommand.Input.TERMINAL
                                        : GuestCommand.Input.PIPE));
    }

    // During

    private int run(Machine machine, Optional<HostTerminal> terminal) throws InterruptedException {
        if (command.isEmpty() || options.verbose) {
            messages.say("Engine: " + machine.engine().reason());
        }
        try (EndRequests requests =
                        new EndRequests(surroundings.signals(), machine, messages, grace());
                HostSignals.Subscription resizes = onResize(terminal);
                HostSignals.Subscription resumes = onContinue(machine);
                DebuggerPort debuggers = DebuggerPort.open(options, messages)) {
            Optional<Keyboard> keyboard = terminal.map(host -> attach(host, machine));
            debuggers.start(machine);
            if (terminal.isEmpty()) {
                startInput();
            }
            startWaiting(machine);
            Optional<MachineEnd> end = await(machine);
            terminal.ifPresent(HostTerminal::close);
            messages.rawTerminal(false);
            boolean quit = keyboard.map(Keyboard::quit).orElse(false);
            int code =
                    waitedInVain
                            ? ExitCode.TIMEOUT
                            : end.map(e -> report(e, requests, quit))
                                    .orElseGet(this::reportTimeout);
            code = reportNotReady(code, quit || requests.received().isPresent());
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

    /** What a device has paused goes on. */
    private HostSignals.Subscription onContinue(Machine machine) {
        return surroundings
                .signals()
                .on(
                        HostSignals.Signal.CONT,
                        () -> {
                            if (machine.state() == MachineState.PAUSED) {
                                machine.resume();
                            }
                        });
    }

    private Keyboard attach(HostTerminal terminal, Machine machine) {
        messages.say(
                options.escape.code() < 0
                        ? "There is no escape key; SIGTERM ends the guest"
                        : "Escape is %s (then h for help)".formatted(options.escape.label()));
        terminal.enterRaw();
        withKeyboard = true;
        messages.rawTerminal(true);
        Keyboard keyboard = new Keyboard(surroundings.in(), machine, messages, options.escape);
        keyboard.start();
        return keyboard;
    }

    private void startInput() {
        if (command.isEmpty()) {
            ports.startTyping(
                    options.kernel.isEmpty(), options.kernel.isEmpty() && debian.isEmpty());
        } else {
            ports.startPipe();
        }
    }

    private Duration grace() {
        return options.grace.orElse(debian.isPresent() ? LONG_GRACE : USUAL_GRACE);
    }

    private void startWaiting(Machine machine) {
        waiter =
                readiness.map(
                        waiting ->
                                Thread.ofPlatform()
                                        .name("wait")
                                        .daemon()
                                        .start(() -> waitFor(waiting, machine)));
    }

    private void waitFor(Readiness waiting, Machine machine) {
        WaitFor wanted = options.waitFor.orElseThrow();
        long start = System.nanoTime();
        try {
            boolean come = waiting.await(options.networks, options.waitTimeout);
            Duration taken = Duration.ofNanos(System.nanoTime() - start);
            if (come) {
                messages.say("Ready after %.1f s: %s".formatted(taken.toMillis() / 1e3, wanted));
            } else {
                messages.say(
                        "Waited %s in vain for %s; the console showed last: %s"
                                .formatted(
                                        inWords(options.waitTimeout), wanted, waiting.lastLine()));
                waitedInVain = true;
                machine.stop();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
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

    /** A guest that ends before it has come so far is a failure, unless the user ended it. */
    private int reportNotReady(int code, boolean wished) throws InterruptedException {
        if (readiness.isEmpty() || waitedInVain) {
            return code;
        }
        Readiness waiting = readiness.get();
        if (waiting.hasCome()) {
            waiter.orElseThrow().join(LAST_OUTPUT);
            return code;
        }
        messages.say(
                "The guest ended before %s had come; the console showed last: %s"
                        .formatted(options.waitFor.orElseThrow(), waiting.lastLine()));
        return code == ExitCode.OK && command.isEmpty() && !wished ? ExitCode.FAILURE : code;
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
            String way =
                    withKeyboard && options.escape.code() >= 0
                            ? options.escape.label() + " c"
                            : "kill -CONT " + ProcessHandle.current().pid();
            messages.say("The guest is paused: %s. To let it go on: %s".formatted(cause, way));
        }

        @Override
        public void differed(String report) {
            report.lines().forEach(messages::line);
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
