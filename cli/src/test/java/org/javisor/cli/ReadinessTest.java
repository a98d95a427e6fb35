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
import java.util.concurrent.atomic.AtomicInteger;
import org.javisor.network.PortForward;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine.TypeConversionException;

class ReadinessTest {
    private static final Duration LONG = Duration.ofMinutes(5);

    private static final Readiness.Ways NOWHERE = ways(Optional.empty());

    private static Readiness.Ways ways(Optional<PortForward> forward) {
        return new Readiness.Ways() {
            @Override
            public boolean listens(int guestPort) {
                return false;
            }

            @Override
            public Optional<PortForward> forward(int guestPort) {
                return forward;
            }
        };
    }

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
        assertThat(readiness.await(NOWHERE, Duration.ZERO)).isFalse();
        readiness.booted();
        assertThat(readiness.await(NOWHERE, LONG)).isTrue();
    }

    @Test
    void comesWithTheLine_whenItArrivesInPieces() throws InterruptedException {
        Readiness readiness = new Readiness(parse("log:log[i]n:"));
        show(readiness, "login\r\ndebian lo");
        readiness.booted();
        assertThat(readiness.await(NOWHERE, Duration.ZERO)).isFalse();
        assertThat(readiness.lastLine()).isEqualTo("debian lo");
        show(readiness, "gin: ");
        assertThat(readiness.await(NOWHERE, LONG)).isTrue();
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
            assertThat(readiness.await(ways(Optional.of(forward)), LONG)).isTrue();
        }
    }

    private static void accept(ServerSocket server, String greeting) {
        try (Socket socket = server.accept()) {
            socket.getOutputStream().write(greeting.getBytes(StandardCharsets.US_ASCII));
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    @Test
    void aPortComes_whenTheGuestListensThere() throws InterruptedException {
        Readiness readiness = new Readiness(parse("port:80"));
        AtomicInteger asked = new AtomicInteger();
        Readiness.Ways ways =
                new Readiness.Ways() {
                    @Override
                    public boolean listens(int guestPort) {
                        return guestPort == 80 && asked.incrementAndGet() == 2;
                    }

                    @Override
                    public Optional<PortForward> forward(int guestPort) {
                        throw new AssertionError("A connection would disturb the server");
                    }
                };
        assertThat(readiness.await(ways, Duration.ZERO)).isFalse();
        assertThat(readiness.await(ways, LONG)).isTrue();
        assertThat(asked).hasValue(2);
    }

    @Test
    void theWordIsFound_whenTheGuestColoursItsParts() throws InterruptedException {
        Readiness readiness = new Readiness(parse("log:^.  OK  . Started ssh[.]$"));
        show(readiness, "[\u001b[0;32m  OK  \u001b[0m] Started \u001b[0;1;39mssh\u001b[0m.\r\n");
        assertThat(readiness.await(NOWHERE, LONG)).isTrue();
    }

    @Test
    void theConsoleGoesOn_whenTheExpressionIsTooDeep() throws InterruptedException {
        Readiness readiness = new Readiness(parse("log:^(a|b|.)*!$"));
        Thread small =
                new Thread(null, () -> show(readiness, "ab".repeat(2000)), "console", 1 << 17);
        small.start();
        small.join();
        show(readiness, "\n!\n");
        assertThat(readiness.await(NOWHERE, LONG)).isTrue();
    }

    @Test
    void theConsoleGoesOn_whenTheExpressionWouldTakeForEver() throws InterruptedException {
        Readiness readiness = new Readiness(parse("log:^(a+)+!$"));
        show(readiness, "a".repeat(200));
        show(readiness, "\n");
        assertThat(readiness.await(NOWHERE, Duration.ZERO)).isFalse();
        show(readiness, "aaa!\n");
        assertThat(readiness.await(NOWHERE, LONG)).isTrue();
    }
}
