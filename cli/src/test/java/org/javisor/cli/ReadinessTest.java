package org.javisor.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;
import org.javisor.network.PortForward;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine.TypeConversionException;

class ReadinessTest {
    private static final Duration LONG = Duration.ofMinutes(5);

    private static WaitFor parse(String text) {
        return new WaitFor.Converter().convert(text);
    }

    private static void show(Readiness readiness, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        readiness.console(bytes, 0, bytes.length);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", "nonsense", "log:", "log:(", "port:", "port:0", "port:65536", "ssh:1"})
    void refuses_whenNothingCanBeMeant(String text) {
        assertThatExceptionOfType(TypeConversionException.class).isThrownBy(() -> parse(text));
    }

    @Test
    void comesWithTheWord_whenTheGuestSaysThatItIsUp() throws InterruptedException {
        Readiness readiness = new Readiness(parse("boot"));
        assertThat(readiness.await(Optional.empty(), Duration.ZERO)).isFalse();
        readiness.booted();
        assertThat(readiness.await(Optional.empty(), LONG)).isTrue();
    }

    @Test
    void comesWithTheLine_whenItArrivesInPieces() throws InterruptedException {
        Readiness readiness = new Readiness(parse("log:log[i]n:"));
        show(readiness, "login\r\ndebian lo");
        readiness.booted();
        assertThat(readiness.await(Optional.empty(), Duration.ZERO)).isFalse();
        assertThat(readiness.lastLine()).isEqualTo("debian lo");
        show(readiness, "gin: ");
        assertThat(readiness.await(Optional.empty(), LONG)).isTrue();
    }

    @Test
    void memoryStaysBounded_whenTheConsoleNeverEndsALine() {
        Readiness readiness = new Readiness(parse("log:never"));
        for (int i = 0; i < 1000; i++) {
            show(readiness, "x".repeat(1000));
        }
        assertThat(readiness.lastLine()).hasSize(4096);
    }

    @Test
    void theLastLineIsPlain_whenTheGuestColoursIt() {
        Readiness readiness = new Readiness(parse("boot"));
        show(
                readiness,
                "[\u001b[0;32m  OK  \u001b[0m] Started \u001b[0;1;39mssh\u001b[0m.\r\n\r\n");
        assertThat(readiness.lastLine()).isEqualTo("[  OK  ] Started ssh.");
    }

    @Test
    void sshComes_whenItsServerGreets() throws Exception {
        try (ServerSocket server = new ServerSocket(0, 5, InetAddress.getLoopbackAddress())) {
            Thread.ofVirtual()
                    .start(
                            () -> {
                                // The first is closed at once, as by a network whose guest is not
                                // up.
                                accept(server, "");
                                accept(server, "SSH-2.0-test\r\n");
                            });
            PortForward forward =
                    new PortForward(
                            PortForward.Protocol.TCP,
                            server.getInetAddress(),
                            server.getLocalPort(),
                            22);
            Readiness readiness = new Readiness(parse("ssh"));
            assertThat(readiness.await(Optional.of(forward), LONG)).isTrue();
        }
    }

    private static void accept(ServerSocket server, String greeting) {
        try (Socket socket = server.accept()) {
            socket.getOutputStream().write(greeting.getBytes(StandardCharsets.US_ASCII));
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    /** A network in user mode accepts at once, whether or not there is a guest to ask. */
    @Test
    void aSilentPortDoesNotCome_untilTheGuestIsUp() throws Exception {
        try (ServerSocket server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
            PortForward forward =
                    new PortForward(
                            PortForward.Protocol.TCP,
                            server.getInetAddress(),
                            server.getLocalPort(),
                            80);
            Readiness readiness = new Readiness(parse("port:80"));
            readiness.expectBooted();
            assertThat(readiness.await(Optional.of(forward), Duration.ZERO)).isFalse();
            readiness.booted();
            assertThat(readiness.await(Optional.of(forward), LONG)).isTrue();
        }
    }

    @Test
    void aPortDoesNotCome_whenNobodyListens() throws Exception {
        int port;
        InetAddress loopback = InetAddress.getLoopbackAddress();
        try (ServerSocket server = new ServerSocket(0, 1, loopback)) {
            port = server.getLocalPort();
        }
        PortForward forward = new PortForward(PortForward.Protocol.TCP, loopback, port, 80);
        Readiness readiness = new Readiness(parse("port:80"));
        assertThat(readiness.await(Optional.of(forward), Duration.ZERO)).isFalse();
    }
}
