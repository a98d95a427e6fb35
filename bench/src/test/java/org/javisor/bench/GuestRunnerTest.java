package org.javisor.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A shell stands in for the guest. */
@Timeout(60)
class GuestRunnerTest {
    private static final GuestProgram CRC = GuestProgram.named("crc").orElseThrow();
    private static final GuestProgram FORK = GuestProgram.named("fork").orElseThrow();

    private final Results results = new Results(Series.Estimate.MEDIAN);
    private Workplace workplace;

    @BeforeEach
    void needAShell() {
        assumeThat(Path.of("/bin/sh")).exists();
        workplace = new Workplace();
    }

    @AfterEach
    void end() {
        workplace.close();
        assertThat(workplace.directory()).doesNotExist();
    }

    private GuestRunner guest(String script) {
        return new GuestRunner("shell", List.of("/bin/sh", "-c", script), workplace, results);
    }

    private static String answering(String answer) {
        return """
        echo noise; echo 'ready 6.0'
        while read -r verb name time; do
            case $verb in
                clock) echo 'uptime 5.25' ;;
                run) %s ;;
            esac
        done
        """
                .formatted(answer);
    }

    @Test
    void asksTheGuestForOneProgramAfterTheOther() throws Exception {
        try (GuestRunner runner =
                guest(
                        answering(
                                "printf '%s 3 %s00 00000000000000aa\\r\\n' $name $time;"
                                        + " echo end 0"))) {
            assertThat(runner.run(CRC, 20)).isEqualTo(new Sample(3, 2000, "00000000000000aa"));
            assertThat(runner.run(FORK, 30)).isEqualTo(new Sample(3, 3000, "00000000000000aa"));
            assertThat(results.guestKernels()).isEqualTo(", Linux 6.0");
        }
    }

    @Test
    void startsAFreshGuest_whenAProgramHasFailed() throws Exception {
        Path starts = workplace.directory().resolve("starts");
        try (GuestRunner runner =
                guest(
                        "echo >>%s;".formatted(starts)
                                + answering(
                                        "[ $name = crc ] && { echo 'crc: oops'; echo end 139; }"
                                                + " || { echo $name 1 1 00000000000000aa;"
                                                + " echo end 0; }"))) {
            assertThatThrownBy(() -> runner.run(CRC, 1)).hasMessage("status 139: crc: oops");
            assertThat(runner.run(FORK, 1).iterations()).isEqualTo(1);
            assertThat(Files.readString(starts)).hasSize(2);
        }
    }

    @Test
    void saysWhy_whenTheGuestEnds() {
        try (GuestRunner runner = guest("echo ready 6.0; read -r a; echo 'no memory' >&2")) {
            assertThatThrownBy(() -> runner.run(CRC, 1))
                    .isInstanceOf(SampleException.class)
                    .hasMessage("boot: the guest ended: no memory");
        }
    }

    @Test
    void givesUp_whenTheGuestNeverStarts() {
        try (GuestRunner runner = guest("exit 1")) {
            for (int i = 0; i < 2; i++) {
                assertThatThrownBy(() -> runner.run(CRC, 1)).hasMessageContaining("ended");
            }
            assertThatThrownBy(() -> runner.run(CRC, 1)).hasMessage("the guest does not start");
        }
    }

    @Test
    void endsWhatRuns_whenTheWorkplaceCloses() throws Exception {
        Process process = workplace.start(new ProcessBuilder("/bin/sh", "-c", "sleep 1000 & wait"));
        workplace.close();
        assertThat(process.isAlive()).isFalse();
        assertThatThrownBy(() -> workplace.start(new ProcessBuilder("true")))
                .hasMessage("the benchmarks are being ended");
    }

    @Test
    void endsACommand_whenItTakesTooLong() {
        assertThatThrownBy(
                        () -> HostCommand.run(workplace, 1, List.of("/bin/sh", "-c", "sleep 1000")))
                .hasMessage("no end within 1 s");
    }
}
