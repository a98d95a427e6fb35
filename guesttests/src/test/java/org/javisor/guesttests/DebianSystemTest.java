package org.javisor.guesttests;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
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
    private static final Duration ANSWER = DebianProcess.ANSWER;

    private Path shared;
    private DebianProcess debian;
    private Optional<String> reasonToSkip = Optional.empty();

    @BeforeAll
    void boot(@TempDir Path directory) throws IOException {
        EngineChoice engine = GuestEngine.require();
        reasonToSkip = DebianProcess.reasonToSkip(engine);
        if (reasonToSkip.isPresent()) {
            return;
        }
        shared = Files.createDirectory(directory.resolve("shared"));
        Files.writeString(shared.resolve("greeting"), "from the host\n");
        debian =
                DebianProcess.start(
                        engine,
                        Map.of(),
                        "--hostname",
                        "examined",
                        "-c",
                        "2",
                        "-p",
                        "0:22",
                        "--share",
                        shared + ":src",
                        "--wait",
                        "ssh");
    }

    /** Before each, as a report shows skipped tests but not a skipped class. */
    @BeforeEach
    void skip() {
        Assumptions.assumeTrue(reasonToSkip.isEmpty(), () -> reasonToSkip.orElseThrow());
    }

    @AfterAll
    void end() {
        if (debian != null) {
            debian.close();
        }
    }

    @Test
    @Order(1)
    void greetsBySsh_onceItHasBooted() throws Exception {
        int port =
                Integer.parseInt(
                        debian.messages()
                                .await("Forwarding 127\\.0\\.0\\.1:([0-9]+) to", DebianProcess.BOOT)
                                .group(1));
        debian.messages().await("Ready after .*SSH server", DebianProcess.BOOT);
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
        debian.quieten();
        String script =
                """
                systemctl is-system-running --wait
                systemctl --failed --no-legend --plain
                hostname; nproc
                dpkg --audit
                dpkg-query -f '${db:Status-Abbrev}\\n' -W | sort -u
                dmesg --level=err,crit,alert,emerg""";
        assertThat(debian.output(script)).isEqualTo("running\nexamined\n2\nii \n");
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
            assertThat(debian.output(command)).isEqualTo("across\n");
            answering.join(ANSWER);
        }
        assertThat(debian.output("ip -4 -o address show scope global | grep -c 10.0.2.15"))
                .isEqualTo("1\n");
    }

    @Test
    @Order(4)
    void readsTheSharedFolder_andCannotWriteThere() throws Exception {
        assertThat(
                        debian.output(
                                "cat /mnt/src/greeting; echo x 2>/dev/null >/mnt/src/new || echo refused"))
                .isEqualTo("from the host\nrefused\n");
        assertThat(shared.resolve("new")).doesNotExist();
    }

    @Test
    @Order(5)
    void switchesOffInOrder_whenTold() throws Exception {
        debian.type("poweroff\n");
        assertThat(debian.awaitExit()).as(debian.messages()::text).isZero();
        assertThat(debian.screen().text()).contains("Unmounting", "Reached target");
    }
}
