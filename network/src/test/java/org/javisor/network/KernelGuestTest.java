package org.javisor.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The user-mode network and TAP against Linux's own TCP: this host's kernel is the guest. Skipped
 * where a network namespace cannot be made.
 */
@Timeout(value = 5, unit = TimeUnit.MINUTES)
class KernelGuestTest {
    @TempDir Path directory;
    private ServerSocket server;

    @BeforeEach
    void begin() throws Exception {
        String obstacle = KernelGuest.obstacle();
        assumeThat(obstacle.isEmpty()).as("skipped: " + obstacle).isTrue();
        server = new ServerSocket(0, 300, InetAddress.getLoopbackAddress());
    }

    @AfterEach
    void end() throws Exception {
        if (server != null) {
            server.close();
        }
    }

    private KernelGuest guest(double loss) throws Exception {
        return new KernelGuest(new UserNetwork("test", UserNetworkConfig.DEFAULT), 11, loss);
    }

    private static byte[] bytes(int length) {
        byte[] bytes = new byte[length];
        new Random(5).nextBytes(bytes);
        return bytes;
    }

    private static String sha256(byte[] bytes) throws Exception {
        return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    }

    private void download(double loss, int size) throws Exception {
        byte[] data = bytes(size);
        Thread.ofVirtual()
                .start(
                        () -> {
                            try (Socket socket = server.accept()) {
                                socket.getOutputStream().write(data);
                            } catch (Exception e) {
                                throw new AssertionError(e);
                            }
                        });
        try (KernelGuest guest = guest(loss)) {
            String sum =
                    guest.inside(
                            "bash",
                            "-c",
                            "exec 3<>/dev/tcp/10.0.2.2/%d; sha256sum <&3"
                                    .formatted(server.getLocalPort()));
            assertThat(sum).startsWith(sha256(data));
        }
    }

    private void upload(double loss, int size) throws Exception {
        byte[] data = bytes(size);
        Path file = Files.write(directory.resolve("data"), data);
        CompletableFuture<byte[]> received = new CompletableFuture<>();
        Thread.ofVirtual()
                .start(
                        () -> {
                            try (Socket socket = server.accept()) {
                                received.complete(socket.getInputStream().readAllBytes());
                            } catch (Exception e) {
                                received.completeExceptionally(e);
                            }
                        });
        try (KernelGuest guest = guest(loss)) {
            guest.inside(
                    "bash",
                    "-c",
                    "cat %s >/dev/tcp/10.0.2.2/%d".formatted(file, server.getLocalPort()));
            assertThat(sha256(received.get())).isEqualTo(sha256(data));
        }
    }

    @Test
    void fileArrivesInTheGuest() throws Exception {
        download(0, 30_000_000);
    }

    @Test
    void fileArrivesOnTheHost() throws Exception {
        upload(0, 30_000_000);
    }

    @Test
    void fileArrivesInTheGuest_whenFramesAreLostAndSwapped() throws Exception {
        download(0.01, 2_000_000);
    }

    @Test
    void fileArrivesOnTheHost_whenFramesAreLostAndSwapped() throws Exception {
        upload(0.01, 2_000_000);
    }

    @Test
    void hundredsOfConnectionsAreServedAtOnce() throws Exception {
        Thread.ofVirtual().start(this::echo);
        try (KernelGuest guest = guest(0)) {
            String answers =
                    guest.inside(
                            "bash",
                            "-c",
                            """
                            ulimit -n 1024
                            for i in $(seq 300); do
                                exec {fd}<>/dev/tcp/10.0.2.2/%d
                                fds="$fds $fd"
                            done
                            for fd in $fds; do echo "line $fd" >&$fd; done
                            for fd in $fds; do read -r line <&$fd; echo "$line"; done
                            """
                                    .formatted(server.getLocalPort()));
            assertThat(answers.lines().filter(line -> line.matches("line \\d+")).distinct())
                    .hasSize(300);
        }
    }

    private void echo() {
        try {
            while (true) {
                Socket socket = server.accept();
                Thread.ofVirtual()
                        .start(
                                () -> {
                                    try (socket;
                                            InputStream in = socket.getInputStream();
                                            OutputStream out = socket.getOutputStream()) {
                                        in.transferTo(out);
                                    } catch (Exception e) {
                                        return;
                                    }
                                });
            }
        } catch (Exception e) {
            // The server is closed at the end.
            return;
        }
    }

    @Test
    void clientReachesTheGuest_whenAPortIsForwarded() throws Exception {
        UserNetwork network = new UserNetwork("test", UserNetworkConfig.DEFAULT);
        PortForward forward = network.addForward(PortForward.parse("0:7777"));
        try (KernelGuest guest = new KernelGuest(network, 1, 0)) {
            // Nobody listens: the guest's kernel refuses, and so does the host's port.
            try (Socket client = new Socket("127.0.0.1", forward.hostPort())) {
                assertThatThrownBy(
                                () -> {
                                    int end = client.getInputStream().read();
                                    assertThat(end).isNotNegative();
                                })
                        .isInstanceOf(Throwable.class);
            }
            assertThat(guest.inside("ping", "-c", "2", "-i", "0.2", "-s", "4000", "10.0.2.2"))
                    .contains(" 0% packet loss");
        }
    }

    @Test
    void oneLineSaysWhatIsWrong_whenAnInterfaceIsNotATap() {
        assertThatThrownBy(() -> LinuxTap.open("lo"))
                .isInstanceOf(NetworkException.class)
                .hasMessageContaining("lo is not a TAP interface");
    }
}
