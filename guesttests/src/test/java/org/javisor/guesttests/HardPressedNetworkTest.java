package org.javisor.guesttests;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.javisor.machine.VirtioDevices;
import org.javisor.network.UserNetwork;
import org.javisor.network.UserNetworkConfig;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * A stock kernel's TCP in the user-mode network when much is lost, and when there is much of it.
 */
@Timeout(value = 15, unit = TimeUnit.MINUTES)
class HardPressedNetworkTest {
    private static final long SEED = Long.getLong("seed", 20260103);
    private static final int SIZE = Integer.getInteger("bytes", 2_000_000);
    private static final double SHARE = 0.02;
    private static final int CONNECTIONS = 300;

    @Test
    void everyByteArrives_whenFramesAreLostAndOvertaken() throws Exception {
        byte[] content = new byte[SIZE];
        new Random(SEED).nextBytes(content);
        UserNetwork network = new UserNetwork("lossy", UserNetworkConfig.DEFAULT);
        LossyNetwork cable = new LossyNetwork(network, SEED, SHARE);
        try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                DebianGuest guest =
                        DebianGuest.start(
                                "tiny",
                                config -> config.device(VirtioDevices.net(0, () -> cable)))) {
            guest.awaitPrompt();
            String host = "10.0.2.2 " + server.getLocalPort();
            // Its own DHCP may have met with a loss.
            guest.run("ip addr add 10.0.2.15/24 dev eth0");
            CompletableFuture<byte[]> sent =
                    CompletableFuture.supplyAsync(() -> send(server, content));
            assertThat(guest.run("nc " + host + " </dev/null | sha256sum").output())
                    .as("seed %d", SEED)
                    .isEqualTo(sha256(content) + "  -\n");
            sent.get();
            CompletableFuture<byte[]> received =
                    CompletableFuture.supplyAsync(() -> receive(server));
            String pattern = "seq 1 250000 >/tmp/sent; sha256sum </tmp/sent; nc ";
            String expected = guest.run(pattern + host + " </tmp/sent").output();
            assertThat(expected).as("seed %d", SEED).isEqualTo(sha256(received.get()) + "  -\n");
        }
        assertThat(cable.lost()).isGreaterThan(20);
        assertThat(cable.overtaken()).isGreaterThan(20);
    }

    @Test
    void everyConnectionIsServed_whenThereAreHundredsAtATime() throws Exception {
        UserNetwork network = new UserNetwork("many", UserNetworkConfig.DEFAULT);
        CountDownLatch open = new CountDownLatch(CONNECTIONS);
        try (ServerSocket server = new ServerSocket(0, 1000, InetAddress.getLoopbackAddress());
                DebianGuest guest =
                        DebianGuest.start(
                                "tiny",
                                config -> config.device(VirtioDevices.net(0, () -> network)))) {
            guest.awaitPrompt();
            Thread.ofVirtual().start(() -> acceptAll(server, open));
            CompletableFuture<Integer> most =
                    CompletableFuture.supplyAsync(
                            () -> {
                                await(open);
                                return network.connections();
                            });
            String one =
                    "echo line $i | nc 10.0.2.2 %d >/tmp/c$i &".formatted(server.getLocalPort());
            String all =
                    "for i in $(seq 1 %d); do %s done; wait; cat /tmp/c* | sort -u | wc -l"
                            .formatted(CONNECTIONS, one);
            assertThat(guest.run(all).output()).isEqualTo(CONNECTIONS + "\n");
            assertThat(most.get()).isGreaterThanOrEqualTo(CONNECTIONS);
        }
    }

    /** Answers each with what it has said, once all are there. */
    private static void acceptAll(ServerSocket server, CountDownLatch open) {
        try {
            for (int i = 0; i < CONNECTIONS; i++) {
                Socket socket = server.accept();
                Thread.ofVirtual().start(() -> answer(socket, open));
            }
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    private static void answer(Socket socket, CountDownLatch open) {
        try (socket) {
            byte[] line = new byte[100];
            InputStream in = socket.getInputStream();
            int length = 0;
            while (length == 0 || line[length - 1] != '\n') {
                length += in.read(line, length, line.length - length);
            }
            open.countDown();
            await(open);
            socket.getOutputStream().write(line, 0, length);
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private static byte[] send(ServerSocket server, byte[] content) {
        try (Socket socket = server.accept()) {
            OutputStream out = socket.getOutputStream();
            out.write(content);
            socket.shutdownOutput();
            return socket.getInputStream().readAllBytes();
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    private static byte[] receive(ServerSocket server) {
        try (Socket socket = server.accept()) {
            return socket.getInputStream().readAllBytes();
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    private static String sha256(byte[] bytes) throws Exception {
        return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    }
}
