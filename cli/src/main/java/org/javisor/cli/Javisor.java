package org.javisor.cli;

import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import org.javisor.image.ImageException;
import org.javisor.machine.MachineException;
import org.javisor.storage.StorageException;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The {@code javisor} command. */
@Command(
        name = "javisor",
        description = "Runs unmodified operating systems in virtual machines.",
        versionProvider = Version.class,
        synopsisSubcommandLabel = "COMMAND",
        footer = {
            "",
            "Exit status: 0 fine, 1 failure, 2 wrong usage, 6 timeout, 7 the host cannot;",
            "128+N ended by signal N before the guest had switched itself off.",
            "With '-- COMMAND': the command's own; 125 if it could not be learned."
        })
public final class Javisor implements Runnable {
    private static final String RUN = "run";

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            scope = CommandLine.ScopeType.INHERIT,
            description = "Show this and exit.")
    private boolean help;

    @Option(
            names = {"-V", "--version"},
            versionHelp = true,
            description = "Show the version and exit.")
    private boolean version;

    @Spec private CommandSpec spec;

    private Javisor() {}

    public static void main(String[] arguments) {
        // Halting would lose nothing either, but exit() lets the terminal's shutdown hook run.
        System.exit(execute(Surroundings.ofProcess(), arguments));
    }

    /** Carries out a command line and returns its exit status. */
    static int execute(Surroundings surroundings, String... arguments) {
        if (arguments.length == 1 && arguments[0].equals("version")) {
            // Describing commands to picocli takes longer than everything else together.
            new PrintStream(surroundings.out()).println(new Version().getVersion()[0]);
            return ExitCode.OK;
        }
        int end = Arrays.asList(arguments).indexOf("--");
        List<String> guestCommand =
                end < 0 ? List.of() : List.of(arguments).subList(end + 1, arguments.length);
        String[] own = end < 0 ? arguments : Arrays.copyOf(arguments, end);
        // Describing all commands to picocli takes longer than everything else before the machine.
        boolean onlyRun = own.length > 0 && own[0].equals(RUN);
        return commandLine(surroundings, guestCommand, end >= 0, onlyRun).execute(own);
    }

    private static CommandLine commandLine(
            Surroundings surroundings,
            List<String> guestCommand,
            boolean commandGiven,
            boolean onlyRun) {
        Messages messages = new Messages(surroundings.err());
        CommandLine line = new CommandLine(new Javisor());
        line.addSubcommand(RUN, new RunCommand(surroundings, messages, guestCommand, commandGiven));
        if (!onlyRun) {
            addOthers(line, surroundings, messages);
        }
        line.setCaseInsensitiveEnumValuesAllowed(true);
        line.setOut(new PrintWriter(surroundings.out(), true, StandardCharsets.UTF_8));
        line.setErr(new PrintWriter(surroundings.err(), true, StandardCharsets.UTF_8));
        line.setColorScheme(
                CommandLine.Help.defaultColorScheme(
                        surroundings.stdoutTerminal() ? Ansi.ON : Ansi.OFF));
        line.setParameterExceptionHandler((e, args) -> wrongUsage(messages, e));
        line.setExecutionExceptionHandler(
                (e, command, result) -> failed(messages, e, !guestCommand.isEmpty()));
        return line;
    }

    private static void addOthers(CommandLine line, Surroundings surroundings, Messages messages) {
        line.addSubcommand("image", ImageCommand.commandLine(surroundings, messages));
        line.addSubcommand("switch", SwitchCommand.commandLine(surroundings, messages));
        line.addSubcommand("machine", MachineCommand.commandLine(surroundings));
        line.addSubcommand("doctor", new DoctorCommand(surroundings));
        line.addSubcommand("bench", new BenchCommand());
        line.addSubcommand("completion", new CompletionCommand());
        line.addSubcommand("train", new TrainCommand(surroundings));
        line.addSubcommand("version", new VersionCommand());
        line.addSubcommand("help", new HelpCommand());
    }

    private static int wrongUsage(Messages messages, ParameterException e) {
        String name = e.getCommandLine().getCommandSpec().qualifiedName();
        messages.say(firstLine(e.getMessage()) + "; see '" + name + " --help'");
        return ExitCode.USAGE;
    }

    private static int failed(Messages messages, Exception e, boolean withCommand) {
        int code =
                switch (e) {
                    case CliException cli -> cli.exitCode();
                    case MachineException machine -> codeOf(machine);
                    case ImageException image -> codeOf(image);
                    case StorageException storage -> codeOf(storage);
                    default -> ExitCode.FAILURE;
                };
        boolean expected =
                e instanceof CliException
                        || e instanceof MachineException
                        || e instanceof ImageException
                        || e instanceof StorageException;
        messages.say(
                expected
                        ? firstLine(e.getMessage())
                        : "Internal error: " + firstLine(e.toString()));
        LogSetup.logDefect(e);
        return withCommand && code != ExitCode.USAGE ? ExitCode.BEFORE_COMMAND : code;
    }

    private static int codeOf(MachineException e) {
        return switch (e.code()) {
            case BAD_CONFIGURATION -> ExitCode.USAGE;
            case HOST_CANNOT -> ExitCode.HOST_CANNOT;
            case BAD_BOOT_FILE, WRONG_STATE -> ExitCode.FAILURE;
        };
    }

    private static int codeOf(ImageException e) {
        return switch (e.code()) {
            case UNKNOWN_IMAGE, BAD_MIRROR, BAD_SEED, BAD_RECIPE, TOO_SMALL -> ExitCode.USAGE;
            case NO_MIRROR, NETWORK, DISK_FULL, CACHE, KEYRING -> ExitCode.HOST_CANNOT;
            case NOT_FOUND,
                    HTML_ANSWER,
                    SIGNATURE,
                    EXPIRED,
                    CHECKSUM,
                    TRUNCATED,
                    MALFORMED,
                    PACKAGE_MISSING,
                    SECOND_STAGE,
                    INTERRUPTED ->
                    ExitCode.FAILURE;
        };
    }

    private static int codeOf(StorageException e) {
        return switch (e.code()) {
            case BAD_ARGUMENT -> ExitCode.USAGE;
            case NO_SPACE, ACCESS -> ExitCode.HOST_CANNOT;
            case IO, READ_ONLY, OUT_OF_RANGE, UNSUPPORTED, CORRUPT, LOCKED, NOT_FOUND, BAD_FORMAT ->
                    ExitCode.FAILURE;
        };
    }

    private static String firstLine(String message) {
        return String.valueOf(message).lines().findFirst().orElse("");
    }

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "A command is missing");
    }
}
