package org.javisor.virtio.vsock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import org.javisor.virtio.FakeDriver;
import org.javisor.virtio.FakeQueue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class VirtioVsockTest {
    private static final int REQUEST = 1, RESPONSE = 2, RESET = 3, SHUTDOWN = 4, DATA = 5;
    private static final int CREDIT_UPDATE = 6, CREDIT_REQUEST = 7;
    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final int WINDOW = 100_000;

    /** A packet as the fake guest sees it. */
    private record Packet(int hostPort, int guestPort, int operation, int flags, byte[] payload) {
        String text() {
            return new String(payload, StandardCharsets.US_ASCII);
        }
    }

    private final VirtioVsock device = new VirtioVsock("vsock", 7);
    private final FakeDriver driver = new FakeDriver(device, FakeDriver.ALL);
    @TempDir private Path directory;
    private int forwarded;
    private int window = WINDOW;

    @BeforeEach
    void start() {
        driver.start();
    }

    @AfterEach
    void close() {
        driver.close();
    }

    private byte[] header(
            long from, long to, int guestPort, int hostPort, int operation, int flags, int length) {
        return ByteBuffer.allocate(44)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(from)
                .putLong(to)
                .putInt(guestPort)
                .putInt(hostPort)
                .putInt(length)
                .putShort((short) 1)
                .putShort((short) operation)
                .putInt(flags)
                .putInt(window)
                .putInt(forwarded)
                .array();
    }

    private void send(int guestPort, int hostPort, int operation, int flags, byte[] payload) {
        byte[] header = header(7, 2, guestPort, hostPort, operation, flags, payload.length);
        driver.queue(1).request(List.of(header, payload));
    }

    private void send(int guestPort, int hostPort, int operation) {
        send(guestPort, hostPort, operation, 0, new byte[0]);
    }

    private Packet receive() {
        FakeQueue queue = driver.queue(0);
        queue.add(List.of(), 4096);
        queue.kick();
        FakeQueue.Used used = queue.await();
        ByteBuffer bytes = ByteBuffer.wrap(used.content()).order(ByteOrder.LITTLE_ENDIAN);
        assertThat(bytes.getLong()).isEqualTo(2);
        assertThat(bytes.getLong()).isEqualTo(7);
        int hostPort = bytes.getInt();
        int guestPort = bytes.getInt();
        int length = bytes.getInt();
        assertThat(used.written()).isEqualTo(44 + length);
        assertThat(bytes.getShort()).isEqualTo((short) 1);
        int operation = bytes.getShort();
        int flags = bytes.getInt();
        byte[] payload = Arrays.copyOfRange(used.content(), 44, 44 + length);
        forwarded += length;
        return new Packet(hostPort, guestPort, operation, flags, payload);
    }

    private Packet receive(int operation) {
        Packet packet = receive();
        assertThat(packet.operation()).isEqualTo(operation);
        return packet;
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    private VsockStream connect(int guestPort) {
        CompletableFuture<VsockStream> stream = new CompletableFuture<>();
        Thread.ofVirtual()
                .start(
                        () -> {
                            try {
                                stream.complete(device.connect(guestPort, PATIENCE));
                            } catch (IOException e) {
                                stream.completeExceptionally(e);
                            }
                        });
        Packet request = receive(REQUEST);
        assertThat(request.guestPort()).isEqualTo(guestPort);
        send(guestPort, request.hostPort(), RESPONSE);
        return stream.join();
    }

    @Test
    void streamCarriesBytesBothWays_whenTheHostConnects() throws IOException {
        assertThat(driver.config(0, 8)).isEqualTo(7);
        VsockStream stream = connect(52);
        stream.write(bytes("to the guest"), 0, 12);
        assertThat(receive(DATA).text()).isEqualTo("to the guest");
        send(52, stream.hostPort(), DATA, 0, bytes("to the host"));
        byte[] read = new byte[100];
        assertThat(stream.read(read, 0, 100)).isEqualTo(11);
        assertThat(new String(read, 0, 11, StandardCharsets.US_ASCII)).isEqualTo("to the host");
        stream.shutdownOutput();
        assertThat(receive(SHUTDOWN).flags()).isEqualTo(2);
        send(52, stream.hostPort(), DATA, 0, bytes("last"));
        send(52, stream.hostPort(), SHUTDOWN, 3, new byte[0]);
        receive(RESET);
        assertThat(stream.read(read, 0, 100)).isEqualTo(4);
        assertThat(stream.read(read, 0, 100)).isEqualTo(-1);
        assertThatThrownBy(() -> stream.write(read, 0, 1)).isInstanceOf(IOException.class);
    }

    @Test
    void hostIsTold_whenTheGuestRefusesOrDoesNotAnswer() {
        AtomicReference<String> refused = new AtomicReference<>("");
        Thread.ofVirtual()
                .start(
                        () -> {
                            try {
                                device.connect(52, PATIENCE);
                            } catch (IOException e) {
                                refused.set(e.getMessage());
                            }
                        });
        send(52, receive(REQUEST).hostPort(), RESET);
        FakeDriver.await(() -> !refused.get().isEmpty());
        assertThat(refused.get()).isEqualTo("The guest refuses vsock port 52");
        assertThatThrownBy(() -> device.connect(-1, Duration.ofNanos(1)))
                .hasMessage("The guest does not answer on vsock port 4294967295");
        driver.setRegister(0x70, 0);
        assertThatThrownBy(() -> device.connect(52, PATIENCE))
                .hasMessage("The guest has no vsock driver yet");
    }

    @Test
    void neverMoreIsUnderWayThanTheGuestHolds() throws IOException {
        window = 1000;
        VsockStream stream = connect(52);
        byte[] data = new byte[10_000];
        stream.write(data, 0, data.length);
        forwarded = 0;
        assertThat(receive(DATA).payload()).hasSize(1000);
        send(52, stream.hostPort(), CREDIT_REQUEST);
        assertThat(receive().payload()).hasSize(1000);
        forwarded -= 700;
        send(52, stream.hostPort(), CREDIT_UPDATE);
        assertThat(receive(DATA).payload()).hasSize(300);
    }

    @Test
    void guestThatSendsMoreThanTheHostHolds_losesTheStream() throws IOException {
        VsockStream stream = connect(52);
        byte[] data = new byte[64 << 10];
        for (int i = 0; i < 4; i++) {
            send(52, stream.hostPort(), DATA, 0, data);
        }
        send(52, stream.hostPort(), DATA, 0, new byte[1]);
        receive(RESET);
        byte[] all = new byte[1 << 20];
        assertThat(stream.read(all, 0, all.length)).isEqualTo(VsockStream.CAPACITY);
        assertThat(stream.read(all, 0, all.length)).isEqualTo(-1);
    }

    @Test
    void guestLearnsOfFreeRoom_whenTheHostReads() throws IOException {
        VsockStream stream = connect(52);
        send(52, stream.hostPort(), DATA, 0, new byte[VsockStream.CAPACITY]);
        byte[] read = new byte[VsockStream.CAPACITY / 4];
        assertThat(stream.read(read, 0, 10)).isEqualTo(10);
        assertThat(stream.read(read, 0, read.length)).isEqualTo(read.length);
        receive(CREDIT_UPDATE);
        send(52, stream.hostPort(), DATA, 0, read);
        stream.close();
        assertThat(receive(SHUTDOWN).flags()).isEqualTo(3);
    }

    @Test
    void servicesAnswer_whenTheGuestConnects() {
        device.listen(
                80,
                stream -> {
                    stream.accept();
                    byte[] buffer = new byte[100];
                    int count = stream.read(buffer, 0, 100);
                    stream.write(buffer, 0, count);
                });
        send(1000, 80, REQUEST);
        receive(RESPONSE);
        send(1000, 80, DATA, 0, bytes("echo"));
        assertThat(receive(DATA).text()).isEqualTo("echo");
        assertThat(receive(SHUTDOWN).flags()).isEqualTo(3);
        send(1000, 80, RESET);
        send(1000, 81, REQUEST);
        assertThat(receive(RESET).hostPort()).isEqualTo(81);
        device.listen(82, stream -> {});
        send(1000, 82, REQUEST);
        assertThat(receive(RESET).hostPort()).isEqualTo(82);
    }

    @Test
    void packetsThatMakeNoSense_areAnsweredWithAResetOrNotAtAll() {
        send(1000, 80, DATA, 0, new byte[10]);
        receive(RESET);
        send(1000, 80, RESET);
        FakeQueue queue = driver.queue(1);
        queue.request(List.of(new byte[43]));
        queue.request(List.of(), 44);
        queue.request(List.of(header(8, 2, 1, 2, REQUEST, 0, 0)));
        queue.request(List.of(header(7, 9, 1, 99, REQUEST, 0, 0)));
        FakeQueue input = driver.queue(0);
        input.add(List.of(), 44);
        input.kick();
        ByteBuffer refusal =
                ByteBuffer.wrap(input.await().content()).order(ByteOrder.LITTLE_ENDIAN);
        assertThat(refusal.getLong(0)).isEqualTo(9);
        assertThat(refusal.getInt(16)).isEqualTo(99);
        VsockStream stream = connect(52);
        queue.request(List.of(header(7, 2, 52, stream.hostPort(), DATA, 0, 1000)));
        receive(RESET);
        VsockStream again = connect(52);
        send(52, again.hostPort(), 77);
        receive(RESET);
        for (int i = 0; i < 500 && queue.room() > 1; i++) {
            queue.add(List.of(header(7, 2, i, 80, REQUEST, 0, 0)));
            queue.kick();
        }
        driver.transport.save();
    }

    @Test
    void streamsEnd_whenTheDriverResetsOrTheMachineIsRestored() throws IOException {
        VsockStream stream = connect(52);
        var state = driver.transport.save();
        driver.transport.restore(state);
        assertThat(stream.read(new byte[1], 0, 1)).isEqualTo(-1);
        FakeQueue.Used event = driver.queue(2).request(List.of(), 4);
        assertThat(event.content()).containsExactly(0, 0, 0, 0);
        connect(53);
    }

    @Test
    void programsReachTheGuest_throughTheUnixSocket() throws IOException {
        Path path = directory.resolve("v.sock");
        try (VsockSockets sockets = VsockSockets.open(device, path);
                SocketChannel client = SocketChannel.open(UnixDomainSocketAddress.of(path))) {
            assertThatThrownBy(() -> VsockSockets.open(device, path))
                    .hasMessageContaining("Another program listens");
            client.write(ByteBuffer.wrap(bytes("CONNECT 52\n")));
            Packet request = receive(REQUEST);
            send(52, request.hostPort(), RESPONSE);
            assertThat(readLine(client)).isEqualTo("OK " + request.hostPort());
            client.write(ByteBuffer.wrap(bytes("hello")));
            assertThat(receive(DATA).text()).isEqualTo("hello");
            client.shutdownOutput();
            assertThat(receive(SHUTDOWN).flags()).isEqualTo(2);
            send(52, request.hostPort(), DATA, 0, bytes("good bye\n"));
            assertThat(readLine(client)).isEqualTo("good bye");
            send(52, request.hostPort(), SHUTDOWN, 3, new byte[0]);
            receive(RESET);
            assertThat(client.read(ByteBuffer.allocate(1))).isEqualTo(-1);
            assertThat(sockets).isNotNull();
        }
        assertThat(Files.exists(path)).isFalse();
    }

    @Test
    void guestReachesPrograms_atTheUnixSocketOfThePort() throws IOException {
        Path path = directory.resolve("v.sock");
        try (VsockSockets sockets = VsockSockets.open(device, path);
                ServerSocketChannel server =
                        ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            server.bind(UnixDomainSocketAddress.of(path + "_80"));
            send(1000, 80, REQUEST);
            try (SocketChannel accepted = server.accept()) {
                receive(RESPONSE);
                send(1000, 80, DATA, 0, bytes("hi\n"));
                assertThat(readLine(accepted)).isEqualTo("hi");
            }
            assertThat(receive(SHUTDOWN).flags()).isEqualTo(2);
            send(1000, 81, REQUEST);
            receive(RESET);
            assertThat(sockets).isNotNull();
        }
    }

    private static String readLine(SocketChannel channel) throws IOException {
        StringBuilder line = new StringBuilder();
        ByteBuffer one = ByteBuffer.allocate(1);
        while (channel.read(one.clear()) == 1 && one.get(0) != '\n') {
            line.append((char) one.get(0));
        }
        return line.toString();
    }
}
