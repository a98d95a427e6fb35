package org.javisor.bench;

import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.javisor.image.ImageException;
import org.javisor.machine.MachineException;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code javisor bench}. */
@Command(
        name = "javisor bench",
        description = {
            "Measure guest programs and boots under each engine, natively and under",
            "qemu-system-x86_64 -accel tcg, in turn, and print a table."
        },
        footer = {
            "",
            "Exit status: 0 fine, 1 a measurement failed, 2 wrong usage, 7 the host cannot.",
            "The JMH benchmarks of the hot parts are run by bench/jmh."
        },
        sortOptions = false)
public final class Bench implements Callable<Integer> {
    /** Set by the launcher: the javisor command that is measured. */
    private static final String LAUNCHER = "javisor.launcher";

    /** Of whole machines, which take longer than programs. */
    private static final List<String> USUAL_ENGINES = List.of("translator", Engine.QEMU);

    private static final int MOST_RUNS = 1000;
    private static final int MOST_MILLISECONDS = 60_000;
    private static final int MOST_MINUTES = 100_000;

    @Option(
            names = "--runs",
            paramLabel = "N",
            description = "How often everything is measured (default: ${DEFAULT-VALUE}).")
    private int runs = 3;

    @Option(
            names = "--programs",
            paramLabel = "NAME",
            split = ",",
            description = {
                "Only these; 'boot' are the boots (default: all).",
                "--list shows them."
            })
    private List<String> programs = List.of();

    @Option(
            names = {"--engines", "--engine"},
            paramLabel = "NAME",
            split = ",",
            description = {
                "Only these: native, interpreter, translator, kvm, qemu",
                "(default: all that work here)."
            })
    private List<String> engines = List.of();

    @Option(
            names = "--run-option",
            paramLabel = "OPTION",
            description = {
                "A further option for 'javisor run', as in",
                "--run-option=--code-cache=64M; may be given several times."
            })
    private List<String> runOptions = List.of();

    @Option(
            names = "--profile",
            paramLabel = "NAME",
            description = {
                "Run only this program, once, in a guest of the one engine",
                "that --engine names, and print that process's number",
                "before and its figures afterwards."
            })
    private Optional<String> profile = Optional.empty();

    @Option(
            names = "--soak",
            paramLabel = "MINUTES",
            description = {
                "Instead of measuring: mixed work for so long in a guest of",
                "the one engine that --engine names, its results checked;",
                "with --debian ordinary programs in a whole Debian."
            })
    private int soak;

    @Option(
            names = "--io",
            description = {
                "Instead of programs: disks and networks, in guests of the",
                "engines that --engines names (default: translator, qemu)."
            })
    private boolean io;

    @Option(
            names = "--debian",
            description = {
                "Instead of programs of our own: boots of a whole Debian and",
                "its python, gcc, javac, java and node (--programs), in guests",
                "of the engines that --engines names (default: translator, qemu)."
            })
    private boolean debian;

    @Option(
            names = "--while",
            paramLabel = "COMMAND",
            description = {
                "With --profile: a shell command to run meanwhile, with the",
                "number in $PID, as in --while 'perf record -p $PID sleep 5'."
            })
    private Optional<String> meanwhile = Optional.empty();

    @Option(
            names = "--time",
            paramLabel = "MS",
            description = "How long a program runs at least (default: ${DEFAULT-VALUE}).")
    private int milliseconds = 300;

    @Option(
            names = {"-c", "--cpus"},
            paramLabel = "N",
            description = "Processors of the programs' guests (default: ${DEFAULT-VALUE}).")
    private int cpus = 2;

    @Option(
            names = "--by",
            paramLabel = "WHAT",
            description = {
                "What is shown and compared: median or fastest, for a host",
                "that is busy with other things (default: median)."
            })
    private Series.Estimate estimate = Series.Estimate.MEDIAN;

    @Option(
            names = "--json",
            paramLabel = "FILE",
            description = "Write every single measurement there too.")
    private Optional<Path> json = Optional.empty();

    @Option(names = "--list", description = "List the programs and exit.")
    private boolean list;

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Show this and exit.")
    private boolean help;

    @Spec private CommandSpec spec;

    private final PrintStream out;
    private final PrintStream err;

    private Bench(PrintStream out, PrintStream err) {
        this.out = out;
        this.err = err;
    }

    public static void main(String[] arguments) {
        System.exit(execute(System.out, System.err, arguments));
    }

    /** Carries out a command line and returns its exit status. */
    static int execute(PrintStream out, PrintStream err, String... arguments) {
        CommandLine line = new CommandLine(new Bench(out, err));
        line.setCaseInsensitiveEnumValuesAllowed(true);
        line.setOut(new PrintWriter(out, true, StandardCharsets.UTF_8));
        line.setErr(new PrintWriter(err, true, StandardCharsets.UTF_8));
        line.setColorScheme(CommandLine.Help.defaultColorScheme(Ansi.OFF));
        line.setParameterExceptionHandler(
                (e, args) -> {
                    say(err, firstLine(e.getMessage()) + "; see 'javisor bench --help'");
                    return BenchException.USAGE;
                });
        line.setExecutionExceptionHandler((e, command, result) -> failed(err, e));
        return line.execute(arguments);
    }

    private static int failed(PrintStream err, Exception e) {
        return switch (e) {
            case BenchException bench -> {
                say(err, firstLine(bench.getMessage()));
                yield bench.exitCode();
            }
            case MachineException machine -> {
                say(err, firstLine(machine.getMessage()));
                yield BenchException.HOST_CANNOT;
            }
            case ImageException image -> {
                say(err, firstLine(image.getMessage()));
                yield BenchException.HOST_CANNOT;
            }
            default -> {
                say(err, "Internal error: " + firstLine(e.toString()));
                yield BenchException.FAILURE;
            }
        };
    }

    private static String firstLine(String message) {
        return String.valueOf(message).lines().findFirst().orElse("");
    }

    private static void say(PrintStream err, String text) {
        err.println("javisor: " + text);
    }

    @Override
    public Integer call() throws InterruptedException {
        if (list) {
            out.println(BenchPlan.BOOT);
            GuestProgram.all().forEach(program -> out.println(program.name()));
            return 0;
        }
        refuse(runs < 1 || runs > MOST_RUNS, "--runs is 1 to " + MOST_RUNS);
        refuse(
                milliseconds < 1 || milliseconds > MOST_MILLISECONDS,
                "--time is 1 to " + MOST_MILLISECONDS);
        refuse(cpus < 1 || cpus > 255, "--cpus is 1 to 255");
        String launcher = System.getProperty(LAUNCHER, "");
        if (launcher.isEmpty()) {
            throw new BenchException(
                    BenchException.HOST_CANNOT, "Start the benchmarks with './javisor bench'");
        }
        refuse(
                profile.isPresent() && (engines.size() != 1 || !programs.isEmpty()),
                "--profile needs --engine with one name and no --programs");
        refuse(
                soak != 0 && (engines.size() != 1 || !programs.isEmpty() || profile.isPresent()),
                "--soak needs --engine with one name, and neither --programs nor --profile");
        refuse(soak < 0 || soak > MOST_MINUTES, "--soak is 1 to " + MOST_MINUTES);
        refuse(
                io && (profile.isPresent() || soak != 0),
                "--io goes with neither --profile nor --soak");
        refuse(
                debian && (profile.isPresent() || json.isPresent()),
                "--debian goes with neither --profile nor --json");
        refuse(
                debian && !DebianRun.TASKS.containsAll(programs),
                "--programs of --debian are " + String.join(", ", DebianRun.TASKS));
        refuse(io && debian, "--io and --debian are two runs");
        refuse(meanwhile.isPresent() && profile.isEmpty(), "--while needs --profile");
        BenchPlan plan;
        try {
            plan =
                    BenchPlan.of(
                            launcher,
                            debian ? List.of() : profile.map(List::of).orElse(programs),
                            (io || debian) && engines.isEmpty() ? USUAL_ENGINES : engines,
                            runOptions,
                            runs,
                            milliseconds,
                            cpus,
                            estimate);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), e.getMessage());
        }
        if (profile.isPresent()) {
            refuse(
                    plan.boots() || !plan.hasGuests(),
                    "--profile is for a program (not boot) in a guest (not native)");
            return new ProfiledRun(plan, launcher, out).execute(meanwhile);
        }
        if (io) {
            return new IoRun(plan, launcher, out, err).execute(json);
        }
        if (debian) {
            refuse(!plan.hasGuests(), "--debian is for guests (not native)");
            DebianRun run = new DebianRun(plan, programs, out, err);
            return soak == 0 ? run.execute() : run.soak(soak);
        }
        if (soak != 0) {
            refuse(!plan.hasGuests(), "--soak is for a guest (not native)");
            return new SoakRun(plan, launcher, out).execute(soak);
        }
        return new BenchRun(plan, launcher, out, err).execute(json);
    }

    private void refuse(boolean wrong, String message) {
        if (wrong) {
            throw new ParameterException(spec.commandLine(), message);
        }
    }
}
