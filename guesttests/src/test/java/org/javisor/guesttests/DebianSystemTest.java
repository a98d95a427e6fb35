package org.javisor.guesttests;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.javisor.image.CachedImage;
import org.javisor.image.ImageStore;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * A whole Debian with systemd. Slow: an interpreter needs minutes to boot it. Skipped, and says so,
 * where the image has not been built.
 */
@Tag("slow")
@Timeout(value = 30, unit = TimeUnit.MINUTES)
class DebianSystemTest {
    @TempDir Path directory;

    private String output(String... command) throws IOException, InterruptedException {
        ImageStore store = ImageStore.ofUser(System.getenv());
        Optional<CachedImage> image = store.find("debian");
        Assumptions.assumeTrue(
                image.isPresent(),
                () ->
                        "No image 'debian' in %s; './javisor image build debian' makes it"
                                .formatted(store.directory()));
        List<String> line = new ArrayList<>();
        line.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        line.add("--enable-native-access=ALL-UNNAMED");
        line.add("-cp");
        line.add(
                System.getProperty(
                        "surefire.test.class.path", System.getProperty("java.class.path")));
        line.addAll(List.of("org.javisor.cli.Javisor", "run", "debian", "--ephemeral"));
        line.addAll(List.of("--hostname", "examined", "--"));
        line.addAll(List.of(command));
        Path out = directory.resolve("out");
        Path err = directory.resolve("err");
        Path nothing = Files.writeString(directory.resolve("in"), "");
        Process process =
                new ProcessBuilder(line)
                        .redirectInput(nothing.toFile())
                        .redirectOutput(out.toFile())
                        .redirectError(err.toFile())
                        .start();
        try {
            assertThat(process.waitFor(25, TimeUnit.MINUTES)).as("ended").isTrue();
        } finally {
            process.destroyForcibly();
        }
        assertThat(process.exitValue()).as(Files.readString(err)).isZero();
        return Files.readString(out);
    }

    @Test
    void everythingIsInOrder_whenItHasBooted() throws Exception {
        String script =
                """
                systemctl --failed --no-legend --plain
                echo state: $(systemctl is-system-running --wait)
                echo host: $(hostname)
                echo audit: $(dpkg --audit)
                echo packages: $(dpkg-query -f '${db:Status-Abbrev}\\n' -W | sort -u)
                echo address: $(ip -4 -o address show scope global | wc -l)
                echo complaints: $(dmesg --level=err,crit,alert,emerg | wc -l)
                """;
        assertThat(output("sh", "-c", script))
                .isEqualTo(
                        """
                        state: running
                        host: examined
                        audit:
                        packages: ii
                        address: 1
                        complaints: 0
                        """);
    }
}
