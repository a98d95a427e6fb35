package org.javisor.cli;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import org.javisor.hypervisor.CpuModel;
import org.javisor.machine.EngineChoice;
import org.javisor.machine.EngineOptions;
import org.javisor.machine.InterruptChips;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.TypeConversionException;

/** The options of {@code javisor run}. */
final class RunOptions {
    static final String DEFAULT_IMAGE = "tiny";

    @Parameters(
            arity = "0..1",
            paramLabel = "IMAGE",
            description = "The guest to run, as 'image ls' shows it (default: tiny).")
    Optional<String> image = Optional.empty();

    @Option(
            names = {"-m", "--memory"},
            paramLabel = "SIZE",
            converter = MemorySize.class,
            description = "The guest's memory: 512M, 2GiB, or MiB without a unit (default: 512M).")
    long memory = 512L << 20;

    @Option(
            names = {"-c", "--cpus"},
            paramLabel = "N",
            description = "The number of virtual processors, 1 to 255 (default: 1).")
    int cpus = 1;

    @Option(
            names = "--engine",
            paramLabel = "NAME",
            converter = EngineConverter.class,
            description = "auto, kvm, translator or interpreter (default: auto).")
    EngineChoice engine = EngineChoice.AUTO;

    @Option(
            names = "--cpu",
            paramLabel = "MODEL",
            converter = CpuConverter.class,
            description = {
                "max, x86-64-v2 or x86-64-v3 (default: max, all that the",
                "engine has here)."
            })
    CpuModel cpu = CpuModel.MAX;

    @Option(
            names = "--name",
            paramLabel = "NAME",
            description = {
                "A name for messages; a guest with a disk of its own is kept",
                "under it and found again the next time."
            })
    Optional<String> name = Optional.empty();

    @Option(
            names = "--kernel",
            paramLabel = "FILE",
            description = "Boot this Linux kernel (bzImage or vmlinux) instead of an image.")
    Optional<Path> kernel = Optional.empty();

    @Option(
            names = "--initrd",
            paramLabel = "FILE",
            description = "Its initial RAM disk; needs --kernel.")
    Optional<Path> initrd = Optional.empty();

    @Option(
            names = "--append",
            paramLabel = "WORDS",
            description = {
                "The kernel's command line (default with --kernel:",
                "'console=ttyS0 panic=-1'); with an image, words to add to its own."
            })
    Optional<String> append = Optional.empty();

    @Option(
            names = "--timeout",
            paramLabel = "TIME",
            converter = TimeSpan.class,
            description = "End the guest after 30s, 5m, … and exit with 6.")
    Optional<Duration> timeout = Optional.empty();

    @Option(
            names = "--grace",
            paramLabel = "TIME",
            converter = TimeSpan.class,
            description = {
                "How long a guest may take to switch itself off after",
                "SIGTERM has pressed its power button (default: 10s;",
                "90s for a guest with a disk of its own)."
            })
    Optional<Duration> grace = Optional.empty();

    @Option(
            names = "--wait",
            paramLabel = "WHAT",
            converter = WaitFor.Converter.class,
            description = {
                "Say when the guest has come so far: boot, ssh, log:REGEX (on",
                "its console) or port:N; ssh and port add a forward if need be."
            })
    Optional<WaitFor> waitFor = Optional.empty();

    @Option(
            names = "--wait-timeout",
            paramLabel = "TIME",
            converter = TimeSpan.class,
            description = "End the guest if it has not, and exit with 6 (default: 10m).")
    Duration waitTimeout = Duration.ofMinutes(10);

    @Option(
            names = "--escape",
            paramLabel = "KEY",
            converter = EscapeKey.Converter.class,
            description =
                    "The key that leaves the guest's console: ^], Ctrl-a, none (default: ^]).")
    EscapeKey escape = new EscapeKey(']' ^ 0x40);

    @Option(names = "--no-reboot", description = "End instead of rebooting when the guest resets.")
    boolean noReboot;

    @Option(
            names = "--code-cache",
            paramLabel = "SIZE",
            converter = MemorySize.class,
            description = "Memory for translated code, 1M to 1G (default: 128M).")
    long codeCache = EngineOptions.DEFAULT.codeCache();

    @Option(
            names = "--irqchip",
            paramLabel = "WHOSE",
            converter = InterruptChipsConverter.class,
            description = {
                "Interrupt controllers and timer: kernel (the engine's),",
                "split (its local APICs only), own (Javisor's); auto takes the",
                "first that the engine has (default: auto)."
            })
    InterruptChips interruptChips = InterruptChips.AUTO;

    @Option(names = "--stats", description = "Show figures at the end.")
    boolean stats;

    @Option(
            names = {"-v", "--verbose"},
            description = "Show what the guest's kernel says while an image boots.")
    boolean verbose;

    @Option(
            names = "--log",
            paramLabel = "LEVEL",
            description = "off, error, warn, info, debug or trace (default: warn).")
    LogLevel log = LogLevel.WARN;

    @Option(
            names = "--gdb",
            paramLabel = "PORT",
            description = {
                "Let gdb attach to this TCP port on the loopback interface;",
                "0 takes one that is free."
            })
    Optional<Integer> gdb = Optional.empty();

    @Option(
            names = "--gdb-wait",
            description = "Wait for gdb before the guest's first instruction.")
    boolean gdbWait;

    @Mixin TranslationOptions translation = new TranslationOptions();

    @Mixin DeviceOptions devices = new DeviceOptions();

    @Mixin NetworkOptions networks = new NetworkOptions();

    @Mixin DebianOptions debian = new DebianOptions();

    @Mixin PullOptions pull = new PullOptions();

    static final class InterruptChipsConverter implements ITypeConverter<InterruptChips> {
        @Override
        public InterruptChips convert(String text) {
            return InterruptChips.named(text)
                    .orElseThrow(
                            () ->
                                    new TypeConversionException(
                                            "'%s' is not one of auto, kernel, split and own"
                                                    .formatted(text)));
        }
    }

    static final class EngineConverter implements ITypeConverter<EngineChoice> {
        @Override
        public EngineChoice convert(String text) {
            return EngineChoice.named(text)
                    .orElseThrow(
                            () ->
                                    new TypeConversionException(
                                            "'"
                                                    + text
                                                    + "' is not an engine: auto, kvm, translator,"
                                                    + " interpreter"));
        }
    }

    /** Reads a CPU model's name. */
    static final class CpuConverter implements ITypeConverter<CpuModel> {
        @Override
        public CpuModel convert(String text) {
            return CpuModel.named(text)
                    .orElseThrow(
                            () ->
                                    new TypeConversionException(
                                            "'"
                                                    + text
                                                    + "' is not a CPU model: max, x86-64-v2,"
                                                    + " x86-64-v3"));
        }
    }
}
