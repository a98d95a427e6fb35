package org.javisor.guesttests;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import org.javisor.image.ImageStore;
import org.javisor.machine.EngineChoice;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * A whole Debian with systemd, run by the {@code javisor} command and used through its console, its
 * network and a shared folder, then switched off. The tests go on from where the last one left the
 * guest. Skipped, and says so, where the image has not been built.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
@Timeout(value = 10, unit = TimeUnit.MINUTES)
class DebianSystemTest {
    /** Many times what it takes, for hosts that are busy. */
    private static final Duration BOOT = Duration.ofMinutes(8);

    private static final Duration ANSWER = Duration.ofMinutes(2);

    private final Console screen = new Console();
    private final Console messages = new Console();
    private Path shared;
    private Process process;
    private Optional<String> reasonToSkip = Optional.empty();
    private int commands;

    @BeforeAll
    void boot(@TempDir Path directory) throws IOException, InterruptedException {
        EngineChoice engine = GuestEngine.require();
        reasonToSkip = reasonToSkip(engine);
        if (reasonToSkip.isPresent()) {
            return;
        }
        shared = Files.createDirectory(directory.resolve("shared"));
        Files.writeString(shared.resolve("greeting"), "from the host\n");
        process = new ProcessBuilder(line(engine)).start();
        read(process.getInputStream(), screen);
        read(process.getErrorStream(), messages);
    }

    private static Optional<String> reasonToSkip(EngineChoice engine) {
        if (engine == EngineChoice.INTERPRETER) {
            return Optional.of(
                    "The interpreter needs minutes to boot Debian; other engines' runs do it");
        }
        ImageStore store = ImageStore.ofUser(System.getenv());
        return store.find("debian").isPresent()
                ? Optional.empty()
                : Optional.of(
                        "No image 'debian' in %s; './javisor image build debian' makes it"
                                .formatted(store.directory()));
    }

    /** Before each, as a report shows skipped tests but not a skipped class. */
    @BeforeEach
    void skip() {
        Assumptions.assumeTrue(reasonToSkip.isEmpty(), () -> reasonToSkip.orElseThrow());
    }

    private List<String> line(EngineChoice engine) {
        List<String> line = new ArrayList<>();
        line.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        line.add("-XX:+UseSerialGC");
        line.add("--enable-native-access=ALL-UNNAMED");
        line.add("-cp");
        line.add(
                System.getProperty(
                        "surefire.test.class.path", System.getProperty("java.class.path")));
        line.addAll(List.of("org.javisor.cli.Javisor", "run", "debian", "--ephemeral"));
        line.add("--engine=" + engine.label());
        line.addAll(List.of("--hostname", "examined", "-c", "2", "-p", "0:22"));
        line.addAll(List.of("--share", shared + ":src", "--wait", "ssh"));
        return line;
    }

    private static void read(InputStream stream, Console into) {
        Thread.ofPlatform()
                .name("reader")
                .daemon()
                .start(
                        () -> {
                            byte[] bytes = new byte[8192];
                            try (stream) {
                                for (int n; (n = stream.read(bytes)) >= 0; ) {
                                    into.write(bytes, 0, n);
                                }
                            } catch (IOException e) {
                                // The process is gone.
                            }
                            into.end();
                        });
    }

    @AfterAll
    void end() {
        if (process != null) {
            process.destroyForcibly();
        }
    }

    private void type(String text) throws IOException {
        process.getOutputStream().write(text.getBytes(StandardCharsets.UTF_8));
        process.getOutputStream().flush();
    }

    /** What a command prints on the console, as the shell there runs it. */
    private String output(String command) throws IOException, InterruptedException {
        int number = ++commands;
        // Split, so that an echo of the command would not look like the mark.
        type("echo @'begin'%d; { %s\n}; echo @'end'%d\n".formatted(number, command, number));
        Matcher matcher =
                screen.await("@begin%d\r\n((?s:.*?))@end%d\r\n".formatted(number, number), ANSWER);
        return matcher.group(1).replace("\r\n", "\n");
    }

    @Test
    @Order(1)
    void greetsBySsh_onceItHasBooted() throws Exception {
        int port =
                Integer.parseInt(
                        messages.await("Forwarding 127\\.0\\.0\\.1:([0-9]+) to", BOOT).group(1));
        messages.await("Ready after .*SSH server", BOOT);
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            socket.setSoTimeout((int) ANSWER.toMillis());
            byte[] greeting = socket.getInputStream().readNBytes(15);
            assertThat(new String(greeting, StandardCharsets.US_ASCII))
                    .isEqualTo("SSH-2.0-OpenSSH");
        }
    }

    @Test
    @Order(2)
    void everythingIsInOrder_whenServicesHaveStarted() throws Exception {
        type("stty -echo; PS1=; bind 'set enable-bracketed-paste off'\n");
        String script =
                """
                systemctl is-system-running --wait
                systemctl --failed --no-legend --plain
                hostname; nproc
                dpkg --audit
                dpkg-query -f '${db:Status-Abbrev}\\n' -W | sort -u
                dmesg --level=err,crit,alert,emerg""";
        assertThat(output(script)).isEqualTo("running\nexamined\n2\nii \n");
    }

    @Test
    @Order(3)
    void reachesTheHost_throughItsNetwork() throws Exception {
        try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            server.setSoTimeout((int) ANSWER.toMillis());
            Thread answering =
                    Thread.ofPlatform()
                            .daemon()
                            .start(
                                    () -> {
                                        try (Socket guest = server.accept()) {
                                            guest.getInputStream()
                                                    .transferTo(guest.getOutputStream());
                                        } catch (IOException e) {
                                            // The guest misses the answer then, and the test fails.
                                        }
                                    });
            String command =
                    "exec 5<>/dev/tcp/10.0.2.2/%d; echo across >&5; head -n 1 <&5; exec 5>&-"
                            .formatted(server.getLocalPort());
            assertThat(output(command)).isEqualTo("across\n");
            answering.join(ANSWER);
        }
        assertThat(output("ip -4 -o address show scope global | grep -c 10.0.2.15"))
                .isEqualTo("1\n");
    }

    @Test
    @Order(4)
    void readsTheSharedFolder_andCannotWriteThere() throws Exception {
        assertThat(
                        output(
                                "cat /mnt/src/greeting; echo x 2>/dev/null >/mnt/src/new || echo refused"))
                .isEqualTo("from the host\nrefused\n");
        assertThat(shared.resolve("new")).doesNotExist();
    }

    @Test
    @Order(5)
    void switchesOffInOrder_whenTold() throws Exception {
        type("poweroff\n");
        assertThat(process.waitFor(ANSWER.toSeconds(), TimeUnit.SECONDS))
                .as(() -> "ended; the console showed:\n" + screen.text())
                .isTrue();
        assertThat(process.exitValue()).as(messages::text).isZero();
        assertThat(screen.text()).contains("Unmounting", "Reached target");
    }
}
