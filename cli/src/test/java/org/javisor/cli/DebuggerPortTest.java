package org.javisor.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.javisor.hypervisor.ExitReason;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class DebuggerPortTest {
    private static final Pattern PORT = Pattern.compile("target remote localhost:(\\d+)");

    @TempDir Path directory;
    private CliFixture cli;

    @BeforeEach
    void fixture() {
        cli = new CliFixture(directory);
    }

    private CompletableFuture<Integer> run(String... options) {
        String[] arguments = new String[options.length + 3];
        arguments[0] = "run";
        arguments[1] = "--kernel";
        arguments[2] = cli.kernel();
        System.arraycopy(options, 0, arguments, 3, options.length);
        return CompletableFuture.supplyAsync(() -> cli.run(arguments));
    }

    /** Connects to the port that the command has announced. */
    private Socket connect() throws IOException {
        Optional<Integer> port;
        do {
            Thread.onSpinWait();
            port =
                    cli.errors().stream()
                            .map(PORT::matcher)
                            .filter(Matcher::find)
                            .map(found -> Integer.parseInt(found.group(1)))
                            .findFirst();
        } while (port.isEmpty());
        return new Socket(InetAddress.getLoopbackAddress(), port.get());
    }

    private static void send(Socket socket, String packet) throws IOException {
        int sum = packet.chars().sum() & 0xff;
        String framed = "$%s#%02x".formatted(packet, sum);
        socket.getOutputStream().write(framed.getBytes(StandardCharsets.US_ASCII));
    }

    private static String read(Socket socket, int length) throws IOException {
        byte[] bytes = socket.getInputStream().readNBytes(length);
        return new String(bytes, StandardCharsets.US_ASCII);
    }

    @Test
    void runsTheGuestUntilADebuggerEndsIt_whenThePortIsLeftOpen() throws Exception {
        cli.guest = (cpu, step) -> ExitReason.REQUESTED;
        CompletableFuture<Integer> code = run("--gdb", "0");
        try (Socket socket = connect()) {
            send(socket, "?");
            assertThat(read(socket, 18)).isEqualTo("+$T05thread:01;#07");
            send(socket, "k");
            assertThat(code.get(30, TimeUnit.SECONDS)).isZero();
        }
        assertThat(cli.errors())
                .contains(
                        "javisor: A debugger has attached; the guest stands still",
                        "javisor: The debugger ends the guest");
    }

    @Test
    void holdsTheGuestBack_whenItIsToWaitForADebugger() throws Exception {
        AtomicBoolean ran = new AtomicBoolean();
        cli.guest =
                (cpu, step) -> {
                    ran.set(true);
                    return CliFixture.powerOff(cpu);
                };
        CompletableFuture<Integer> code = run("--gdb", "0", "--gdb-wait");
        try (Socket socket = connect()) {
            send(socket, "?");
            assertThat(read(socket, 18)).isEqualTo("+$T05thread:01;#07");
            assertThat(ran).isFalse();
            send(socket, "D");
            assertThat(code.get(30, TimeUnit.SECONDS)).isZero();
        }
        assertThat(ran).isTrue();
    }

    @Test
    void saysSoBeforeTheGuestRuns_whenThePortIsTaken() throws Exception {
        AtomicBoolean ran = new AtomicBoolean();
        cli.guest =
                (cpu, step) -> {
                    ran.set(true);
                    return CliFixture.powerOff(cpu);
                };
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            String port = Integer.toString(taken.getLocalPort());
            assertThat(run("--gdb", port).get(30, TimeUnit.SECONDS)).isEqualTo(1);
            assertThat(cli.errors())
                    .anyMatch(
                            line ->
                                    line.startsWith(
                                            "javisor: Cannot listen for debuggers on port "
                                                    + port));
        }
        assertThat(ran).isFalse();
    }
}
