package org.javisor.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import org.javisor.machine.HostKvm;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CommandsTest {
    @TempDir Path directory;
    private CliFixture cli;

    @BeforeEach
    void fixture() {
        cli = new CliFixture(directory);
    }

    @Test
    void printsOneLine_whenAskedForTheVersion() {
        assertThat(cli.run("version")).isEqualTo(0);
        String line = cli.output();
        assertThat(line).startsWith("javisor ").contains("Java ").hasLineCount(1);
        cli.out.reset();
        assertThat(cli.run("--version")).isEqualTo(0);
        assertThat(cli.output()).isEqualTo(line);
    }

    @Test
    void explainsCommandsAndExitCodes_whenAskedForHelp() {
        assertThat(cli.run("help")).isEqualTo(0);
        assertThat(cli.output())
                .contains("run ", "image ", "doctor ", "125")
                .doesNotContain("train");
        cli.out.reset();
        assertThat(cli.run("help", "run")).isEqualTo(0);
        assertThat(cli.output()).contains("--kernel", "-- COMMAND", "--timeout");
        cli.out.reset();
        assertThat(cli.run("help", "image", "pull")).isEqualTo(0);
        assertThat(cli.output()).contains("--mirror").doesNotContain("\u001b");
    }

    @Test
    void listsCachedAndOtherImages() {
        cli.cacheImage();
        assertThat(cli.run("image", "ls")).isEqualTo(0);
        assertThat(cli.output().lines())
                .anyMatch(line -> line.matches("tiny +0 MiB +2026-01-02 +Debian.*"))
                .anyMatch(line -> line.matches("tiny:generic +- +- +Debian.*"));
    }

    @Test
    void removesAnImage() {
        cli.cacheImage();
        assertThat(cli.run("image", "rm", "tiny")).isEqualTo(0);
        assertThat(cli.run("image", "rm", "tiny")).isEqualTo(1);
    }

    @Test
    void gradesEachFinding_whenTheDoctorLooks() {
        assertThat(cli.run("doctor")).isEqualTo(0);
        assertThat(cli.output().lines())
                .allMatch(line -> line.matches("(ok   |warn ) [a-z]+ .+"))
                .anyMatch(line -> line.startsWith("ok    java"))
                .anyMatch(line -> line.startsWith("ok    engine"));
    }

    @Test
    void saysWhatToDo_whenTheHostLacksSomething() {
        HostKvm.Finding slow = new HostKvm.Finding(false, "slow", List.of("no X: so what"));
        assertThat(HostChecks.kvm(directory.resolve("kvm"), () -> slow))
                .singleElement()
                .satisfies(f -> assertThat(f.grade()).isEqualTo(Finding.Grade.WARN));
        assertThat(HostChecks.kvm(Path.of("/dev/null"), () -> slow))
                .containsExactly(Finding.warn("kvm", "slow"), Finding.ok("kvm", "no X: so what"));
        assertThat(HostChecks.memory(200L << 20).text()).contains("-m");
        assertThat(HostChecks.cache(Path.of("/dev/null/javisor")).grade())
                .isEqualTo(Finding.Grade.FAIL);
    }

    @Test
    void completesCommands() {
        assertThat(cli.run("completion")).isEqualTo(0);
        assertThat(cli.output()).contains("--kernel");
    }
}
