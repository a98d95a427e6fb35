package org.javisor.filesystem;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The field's own tools, e2fsprogs. Tests are skipped visibly where they are not installed. */
final class Peer {
    private static final List<String> PLACES = List.of("/usr/sbin", "/sbin", "/usr/bin", "/bin");

    private Peer() {}

    /** Output of a run of e2fsck that found nothing to correct. */
    static void check(Path image) {
        Result result = run("e2fsck", "-f", "-n", image.toString());
        assertThat(result.status()).as(result.output()).isZero();
    }

    /** What debugfs says to a request. */
    static String debugfs(Path image, String request) {
        return run("debugfs", "-R", request, image.toString()).output();
    }

    private record Result(int status, String output) {}

    private static Result run(String name, String... arguments) {
        Path program =
                PLACES.stream()
                        .map(place -> Path.of(place, name))
                        .filter(Files::isExecutable)
                        .findFirst()
                        .orElse(Path.of(name));
        assumeTrue(program.isAbsolute(), name + " (package e2fsprogs) is not installed");
        List<String> command = new ArrayList<>(List.of(program.toString()));
        command.addAll(List.of(arguments));
        try {
            Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
            process.getOutputStream().close();
            String output =
                    new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            return new Result(process.waitFor(), output);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
