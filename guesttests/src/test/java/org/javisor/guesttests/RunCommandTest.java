package org.javisor.guesttests;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The {@code javisor} command as a process of its own, with a real guest. */
@Tag("engine")
@Timeout(value = 5, unit = TimeUnit.MINUTES)
class RunCommandTest {
    @TempDir Path directory;

    private record Result(int status, byte[] output, String errors) {}

    private Result javisor(String input, String... arguments)
            throws IOException, InterruptedException {
        List<String> line = new ArrayList<>();
        line.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        line.add("-XX:+UseSerialGC");
        line.add("--enable-native-access=ALL-UNNAMED");
        line.add("-cp");
        line.add(
                System.getProperty(
                        "surefire.test.class.path", System.getProperty("java.class.path")));
        line.add("org.javisor.cli.Javisor");
        line.addAll(List.of(arguments));
        Path in = Files.writeString(directory.resolve("in"), input);
        Path out = directory.resolve("out");
        Path err = directory.resolve("err");
        Process process =
                new ProcessBuilder(line)
                        .redirectInput(in.toFile())
                        .redirectOutput(out.toFile())
                        .redirectError(err.toFile())
                        .start();
        try {
            assertThat(process.waitFor(4, TimeUnit.MINUTES)).as("ended").isTrue();
        } finally {
            process.destroyForcibly();
        }
        return new Result(
                process.exitValue(),
                Files.readAllBytes(out),
                Files.readString(err, StandardCharsets.UTF_8));
    }

    /** All bytes come through as they are: none is a terminal's. */
    @Test
    void passesInputOutputAndStatus_whenACommandIsRun() throws IOException, InterruptedException {
        GuestImage.require("tiny");
        String script = "printf '\\000\\001\\004\\021\\r\\n\\n\\t\\377\\200'; cat; exit 7";

        String engine = "--engine=" + GuestEngine.require().label();
        Result result = javisor("line 1\nline 2", "run", engine, "tiny", "--", "sh", "-c", script);

        assertThat(result.errors()).isEmpty();
        assertThat(result.output())
                .isEqualTo(
                        "\0\1\4\21\r\n\n\t\u00ff\u0080line 1\nline 2"
                                .getBytes(StandardCharsets.ISO_8859_1));
        assertThat(result.status()).isEqualTo(7);
    }

    /** It would start, and the folder would be nowhere. */
    @Test
    void refusesASharedFolder_whenTheImagesKernelCannotMountIt()
            throws IOException, InterruptedException {
        GuestImage.require("tiny");
        Result result = javisor("", "run", "tiny", "--share", directory + ":x", "--", "true");

        assertThat(result.output()).isEmpty();
        assertThat(result.errors()).hasLineCount(1).contains("tiny", "9P", "tiny:generic");
        assertThat(result.status()).isEqualTo(2);
    }
}
