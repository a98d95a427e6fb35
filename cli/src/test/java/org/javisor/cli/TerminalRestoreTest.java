package org.javisor.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.javisor.testkit.FakeKernel;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The real command on a terminal made by script(1), which skips where there is none. */
@Timeout(120)
class TerminalRestoreTest {
    /**
     * Runs the command in $1's place and tells the terminal's settings before, during and after it.
     */
    private static final String SESSION =
            """
            cd %s
            stty -g >before
            (
                until stty -a </dev/tty | grep -q -e ' -icanon'; do sleep 0.1; done
                echo raw >during
                %s
            ) &
            sh -c 'echo $$ >pid; exec %s run --kernel vmlinuz --engine interpreter --timeout 60s'
            echo $? >status
            for attempt in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
                stty -g >after
                cmp -s before after && break
                sleep 0.2
            done
            """;

    @TempDir Path directory;

    private void session(String whenRaw) throws IOException, InterruptedException {
        assumeThat(Path.of("/usr/bin/script")).exists();
        FakeKernel.in(directory);
        Path session = directory.resolve("session");
        Files.writeString(session, SESSION.formatted(directory, whenRaw, command()));
        Process process =
                new ProcessBuilder("script", "-qec", "sh " + session, "/dev/null")
                        .redirectErrorStream(true)
                        .redirectOutput(directory.resolve("output").toFile())
                        .start();
        assertThat(process.waitFor(100, TimeUnit.SECONDS)).isTrue();
        assertThat(directory.resolve("during")).as(read("output")).exists();
        assertThat(read("after")).isEqualTo(read("before"));
    }

    /** This very program in a JVM of its own. */
    private static String command() {
        return String.join(
                " ",
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                Javisor.class.getName());
    }

    private String read(String name) throws IOException {
        return Files.readString(directory.resolve(name)).strip();
    }

    @Test
    void isRestored_whenTheUserQuits() throws Exception {
        session("kill -TERM $(cat pid); kill -TERM $(cat pid)");
        assertThat(read("status")).isEqualTo("143");
        assertThat(read("output")).contains("Escape is Ctrl-]");
    }

    @Test
    void isRestored_whenTheProcessIsKilled() throws Exception {
        session("kill -KILL $(cat pid)");
        assertThat(read("status")).isEqualTo("137");
    }
}
