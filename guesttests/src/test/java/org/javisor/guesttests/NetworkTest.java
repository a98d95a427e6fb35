package org.javisor.guesttests;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.javisor.machine.VirtioDevices;
import org.javisor.network.NetSpec;
import org.javisor.network.PortForward;
import org.javisor.network.Switch;
import org.javisor.virtio.net.VirtioNet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A stock kernel's drivers and TCP on virtio network cards. */
@Timeout(value = 15, unit = TimeUnit.MINUTES)
class NetworkTest {
    private static final int SIZE = 3_000_000;

    @TempDir Path directory;

    @Test
    void guestsReachTheirHostAndEachOther() throws Exception {
        byte[] content = new byte[SIZE];
        new Random(20260102).nextBytes(content);
        Path capture = directory.resolve("net.pcap");
        NetSpec spec = NetSpec.parse("user,forward=0:80,pcap=" + capture);
        CompletableFuture<VirtioNet> card = new CompletableFuture<>();
        Switch hub = new Switch("test");
        try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                DebianGuest guest =
                        DebianGuest.start(
                                "tiny",
                                config ->
                                        config.name("one")
                                                .device(VirtioDevices.net(0, spec, card::complete))
                                                .device(
                                                        VirtioDevices.net(
                                                                1, () -> hub.newPort(false))))) {
            guest.awaitPrompt();
            assertThat(guest.run("ifconfig eth0").output()).contains("inet addr:10.0.2.15");
            CompletableFuture<byte[]> sent = serve(server, content);
            String url = "http://10.0.2.2:" + server.getLocalPort() + "/";
            assertThat(
                            guest.run("wget -q -O /tmp/data " + url + " && sha256sum /tmp/data")
                                    .output())
                    .isEqualTo(sha256(content) + "  /tmp/data\n");
            assertThat(new String(sent.get(), StandardCharsets.US_ASCII)).startsWith("GET / HTTP/");

            PortForward forward =
                    card.get().network().userMode().orElseThrow().forwards().getFirst();
            guest.type("nc -l -p 80 </tmp/data >/tmp/request &\n");
            assertThat(fetch(forward.hostPort())).isEqualTo(content);
            assertThat(guest.run("cat /tmp/request").output()).isEqualTo("hello\n");

            meet(guest, hub, content);
            assertThat(guest.run("dmesg | grep -i 'eth.*\\(error\\|bad\\|timeout\\)'").output())
                    .isEmpty();
        }
        assertThat(Files.size(capture)).isGreaterThan(2L * SIZE);
    }

    /** Started when the other is up, because the host may be busy enough with one boot. */
    private static void meet(DebianGuest guest, Switch hub, byte[] content) throws Exception {
        try (DebianGuest other =
                DebianGuest.start(
                        "tiny",
                        config ->
                                config.name("two")
                                        .device(VirtioDevices.net(0, () -> hub.newPort(false))))) {
            other.awaitPrompt();
            guest.run("ifconfig eth1 192.168.77.1");
            other.run("ifconfig eth0 192.168.77.2");
            assertThat(other.run("ping -c 3 -A 192.168.77.1").output())
                    .contains("3 packets received");
            assertThat(guest.run("httpd -p 192.168.77.1:81 -h /tmp").status()).isZero();
            assertThat(other.run("wget -q -O - http://192.168.77.1:81/data | sha256sum").output())
                    .isEqualTo(sha256(content) + "  -\n");
        }
    }

    /** One answer by HTTP; returns the request. */
    private static CompletableFuture<byte[]> serve(ServerSocket server, byte[] content) {
        CompletableFuture<byte[]> request = new CompletableFuture<>();
        Thread.ofVirtual()
                .start(
                        () -> {
                            try (Socket socket = server.accept()) {
                                byte[] head = new byte[4096];
                                int length = socket.getInputStream().read(head);
                                OutputStream out = socket.getOutputStream();
                                out.write(
                                        "HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n"
                                                .formatted(content.length)
                                                .getBytes(StandardCharsets.US_ASCII));
                                out.write(content);
                                request.complete(java.util.Arrays.copyOf(head, length));
                            } catch (Exception e) {
                                request.completeExceptionally(e);
                            }
                        });
        return request;
    }

    /** What the guest's port sends; the guest may not listen yet. */
    private static byte[] fetch(int port) throws Exception {
        for (int i = 0; ; i++) {
            try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
                socket.getOutputStream().write("hello\n".getBytes(StandardCharsets.US_ASCII));
                InputStream in = socket.getInputStream();
                byte[] answer = in.readAllBytes();
                if (answer.length > 0 || i == 100) {
                    return answer;
                }
            } catch (java.net.SocketException e) {
                if (i == 100) {
                    throw e;
                }
            }
        }
    }

    private static String sha256(byte[] bytes) throws Exception {
        return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    }
}
