package org.javisor.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/** What a reader must know about the host to judge the figures. */
final class HostDescription {
    private HostDescription() {}

    static String processor() {
        return "%s, %d processors"
                .formatted(cpuModel(), Runtime.getRuntime().availableProcessors());
    }

    private static String cpuModel() {
        return cpuinfo("model name").map(Text::printable).orElse(System.getProperty("os.arch"));
    }

    /** The first processor's line of that name in Linux's list. */
    private static Optional<String> cpuinfo(String name) {
        try (Stream<String> lines = Files.lines(Path.of("/proc/cpuinfo"))) {
            return lines.filter(line -> line.startsWith(name))
                    .findFirst()
                    .map(line -> line.substring(line.indexOf(':') + 1).strip());
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    /**
     * The TSC's frequency, where Linux tells: in a virtual machine it takes the processor's for the
     * same.
     */
    static Optional<Long> tscKilohertz() {
        return cpuinfo("flags")
                .filter(flags -> (" " + flags + " ").contains(" hypervisor "))
                .flatMap(flags -> cpuinfo("cpu MHz"))
                .filter(megahertz -> megahertz.matches("[0-9]{1,6}\\.[0-9]{1,6}"))
                .map(megahertz -> Math.round(Double.parseDouble(megahertz) * 1000));
    }

    static String system() {
        return System.getProperty("os.name") + " " + System.getProperty("os.version");
    }

    static String java() {
        return Runtime.version() + ", " + System.getProperty("java.vm.name");
    }

    /** How many threads want a processor lately; a question mark where that is not known. */
    static String load() {
        try {
            return Files.readString(Path.of("/proc/loadavg")).split(" ")[0];
        } catch (IOException e) {
            return "?";
        }
    }

    /** The first line of what a command says about its version, or "not installed". */
    static String version(Workplace workplace, String command) throws InterruptedException {
        try {
            return HostCommand.run(workplace, 10, List.of(command, "--version"))
                    .map(HostCommand::firstLine)
                    .orElse("not installed");
        } catch (SampleException e) {
            return String.format(Locale.ROOT, "%s: %s", command, e.getMessage());
        }
    }
}
