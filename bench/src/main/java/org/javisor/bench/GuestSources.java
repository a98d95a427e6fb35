package org.javisor.bench;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The guest's files that this module brings: C sources and the guest's init. */
final class GuestSources {
    private static final String HEADER = "bench.h";
    private static final String MAIN = "main.c";
    private static final String IO = "io.c";
    private static final int SECONDS_TO_COMPILE = 120;

    /** One plain build for every processor: what a distribution's packages are built like. */
    private static final List<String> OPTIONS =
            List.of(
                    "-std=gnu11",
                    "-D_GNU_SOURCE",
                    "-O2",
                    "-Wall",
                    "-Wextra",
                    "-static",
                    "-pthread");

    private GuestSources() {}

    /** For the report: what the compiler is told. */
    static String options() {
        return String.join(" ", OPTIONS.stream().filter(o -> !o.startsWith("-W")).toList());
    }

    /** One of this module's guest files. */
    static byte[] file(String name) {
        try (InputStream in = GuestSources.class.getResourceAsStream("guest/" + name)) {
            return in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException("Cannot read this program's own file " + name, e);
        }
    }

    /**
     * The binary, static, and the programs that are in it.
     *
     * @param programs without those that need a library which is missing here
     */
    record Binary(Path file, List<GuestProgram> programs) {}

    /**
     * Builds the programs.
     *
     * @throws BenchException if there is no compiler, or it fails
     */
    static Binary compile(Workplace workplace) throws InterruptedException {
        boolean libcrypto = hasLibcrypto(workplace);
        List<GuestProgram> programs =
                GuestProgram.all().stream()
                        .filter(p -> libcrypto || !p.name().equals(GuestProgram.WITH_LIBCRYPTO))
                        .toList();
        return new Binary(compile(workplace, programs, libcrypto), programs);
    }

    /** What a guest's own compiler is given: all that needs nothing but the C library. */
    static List<String> compiledInGuests() {
        List<String> sources = new ArrayList<>(List.of(HEADER));
        GuestProgram.all().stream()
                .filter(program -> !program.name().equals(GuestProgram.WITH_LIBCRYPTO))
                .map(GuestProgram::source)
                .distinct()
                .forEach(sources::add);
        return sources;
    }

    /** Whether the compiler finds OpenSSL's static library; with it come the headers. */
    private static boolean hasLibcrypto(Workplace workplace) throws InterruptedException {
        String name = "libcrypto.a";
        // Where it finds none, it says the bare name again.
        return run(workplace, List.of("gcc", "-print-file-name=" + name))
                .filter(gcc -> gcc.status() == 0 && !gcc.firstLine().equals(name))
                .isPresent();
    }

    /**
     * Builds the program that exercises disks and networks, static too.
     *
     * @throws BenchException if there is no compiler, or it fails
     */
    static Path compileIo(Workplace workplace) throws InterruptedException {
        Path source = workplace.write(IO, file(IO));
        Path binary = workplace.directory().resolve("io");
        List<String> command = new ArrayList<>(List.of("gcc"));
        command.addAll(OPTIONS);
        command.addAll(List.of("-o", binary.toString(), source.toString()));
        build(workplace, command);
        return binary;
    }

    private static Path compile(Workplace workplace, List<GuestProgram> programs, boolean libcrypto)
            throws InterruptedException {
        Path directory = workplace.directory().resolve("guest");
        Path binary = workplace.directory().resolve("programs");
        List<String> command = new ArrayList<>(List.of("gcc"));
        command.addAll(OPTIONS);
        command.addAll(List.of("-o", binary.toString()));
        try {
            Files.createDirectories(directory);
            Files.write(directory.resolve(HEADER), file(HEADER));
            List<String> sources = new ArrayList<>(List.of(MAIN));
            programs.forEach(program -> sources.add(program.source()));
            for (String source : sources.stream().distinct().toList()) {
                Path target = directory.resolve(source);
                command.add(Files.write(target, file(source)).toString());
            }
        } catch (IOException e) {
            throw new BenchException(
                    BenchException.HOST_CANNOT,
                    "Cannot write to the temporary directory: " + Text.reason(e),
                    e);
        }
        if (libcrypto) {
            command.addAll(List.of("-DHAVE_LIBCRYPTO", "-lcrypto"));
        }
        command.add("-lm");
        build(workplace, command);
        return binary;
    }

    private static void build(Workplace workplace, List<String> command)
            throws InterruptedException {
        Optional<HostCommand> compiler = run(workplace, command);
        if (compiler.isEmpty()) {
            throw new BenchException(
                    BenchException.HOST_CANNOT,
                    "There is no C compiler; install gcc and the static C library"
                            + " (Debian: apt-get install gcc libc6-dev)");
        }
        if (compiler.get().status() != 0) {
            throw new BenchException(
                    BenchException.HOST_CANNOT,
                    "gcc cannot build the guest programs: " + reason(compiler.get().output()));
        }
    }

    private static Optional<HostCommand> run(Workplace workplace, List<String> command)
            throws InterruptedException {
        try {
            return HostCommand.run(workplace, SECONDS_TO_COMPILE, command);
        } catch (SampleException e) {
            throw new BenchException(
                    BenchException.HOST_CANNOT,
                    "gcc cannot build the guest programs: " + e.getMessage());
        }
    }

    private static String reason(String output) {
        String line =
                output.lines()
                        .filter(l -> l.contains("error") || l.contains("cannot find"))
                        .findFirst()
                        .orElse(output.lines().findFirst().orElse("no reason given"));
        String hint = line.contains("cannot find -l") ? " (Debian: apt-get install libc6-dev)" : "";
        return Text.printable(line) + hint;
    }
}
