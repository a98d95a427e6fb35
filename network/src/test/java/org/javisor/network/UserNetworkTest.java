package org.javisor.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.InputStream;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The whole user-mode network between frames and this host's loopback interface. */
@Timeout(value = 5, unit = TimeUnit.MINUTES)
class UserNetworkTest {
    private static final IpAddress GATEWAY = IpAddress.v4(10, 0, 2, 2);
    private static final IpAddress NAME_SERVER = IpAddress.v4(10, 0, 2, 3);
    private static final long ROUTER_MAC = 0x52550a000202L;

    @TempDir Path directory;
    private final FakeCard card = new FakeCard(0);
    private UserNetwork network;
    private LinkEnd link;

    @BeforeEach
    void plugIn() throws Exception {
        Files.writeString(
                directory.resolve("hosts"), "127.0.0.1 localhost\n192.0.2.7 Example.Test alias\n");
        Files.writeString(directory.resolve("resolv.conf"), "# nobody\n");
        start(config());
    }

    private UserNetworkConfig config() {
        return UserNetworkConfig.DEFAULT.withNames(
                directory.resolve("hosts"), directory.resolve("resolv.conf"));
    }

    private void start(UserNetworkConfig config) {
        network = new UserNetwork("test", config);
        link = network.connect(card);
    }

    private void restart(UserNetworkConfig config) {
        network.close();
        start(config);
    }

    @AfterEach
    void unplug() {
        network.close();
    }

    private void send(byte[] frame) {
        assertThat(link.deliver(TestFrames.frame(frame))).isTrue();
        link.flush();
    }

    private static byte[] arp(int operation, IpAddress sender, IpAddress target) {
        ByteBuffer b = ByteBuffer.allocate(28);
        b.putInt(0x00010800).putShort((short) 0x0604).putShort((short) operation);
        b.putShort((short) 0x5254).putInt(0x00123456).putInt(sender.v4());
        b.putShort((short) 0).putInt(0).putInt(target.v4());
        return TestFrames.ethernet(0xffffffffffffL, 0x0806, b.array());
    }

    private void introduce() {
        send(arp(1, TestFrames.GUEST, GATEWAY));
        assertThat(card.next().type()).isEqualTo(0x0806);
    }

    @Test
    void routerTellsItsAddress_whenAsked() {
        send(arp(1, TestFrames.GUEST, GATEWAY));
        FakeCard.Received answer = card.next();
        assertThat(answer.type()).isEqualTo(0x0806);
        assertThat(answer.buffer().getShort(20)).isEqualTo((short) 2);
        assertThat(MacAddress.read(answer.buffer(), 0)).isEqualTo(TestFrames.GUEST_MAC);
        assertThat(MacAddress.read(answer.buffer(), 22)).isEqualTo(ROUTER_MAC);
        assertThat(answer.buffer().getInt(28)).isEqualTo(GATEWAY.v4());
    }

    private static byte[] dhcp(int type, long mac, byte... options) {
        ByteBuffer b = ByteBuffer.allocate(300);
        b.putInt(0x01010600).putInt(0x1234);
        b.putInt(28, (int) (mac >>> 16)).putShort(32, (short) mac);
        b.putInt(236, 0x63825363).position(240);
        b.put(new byte[] {53, 1, (byte) type}).put(options).put((byte) -1);
        byte[] frame = TestFrames.udp(IpAddress.v4(0), 68, IpAddress.v4(-1), 67, b.array());
        ByteBuffer.wrap(frame).putInt(6, (int) (mac >>> 16)).putShort(10, (short) mac);
        return frame;
    }

    private ByteBuffer dhcpAnswer() {
        ByteBuffer frame = card.next().buffer();
        assertThat(frame.getShort(34)).isEqualTo((short) 67);
        return frame.slice(42, frame.limit() - 42);
    }

    private static byte[] option(ByteBuffer message, int code) {
        int at = 240;
        while (message.get(at) != -1) {
            int length = message.get(at + 1);
            if (message.get(at) == code) {
                byte[] value = new byte[length];
                message.get(at + 2, value);
                return value;
            }
            at += 2 + length;
        }
        return new byte[0];
    }

    @Test
    void guestGetsItsConfiguration_whenItAsksByDhcp() {
        send(dhcp(1, TestFrames.GUEST_MAC));
        ByteBuffer offer = dhcpAnswer();
        assertThat(option(offer, 53)).containsExactly(2);
        assertThat(offer.getInt(16)).isEqualTo(TestFrames.GUEST.v4());
        send(dhcp(3, TestFrames.GUEST_MAC, new byte[] {50, 4, 10, 0, 2, 15}));
        ByteBuffer ack = dhcpAnswer();
        assertThat(option(ack, 53)).containsExactly(5);
        assertThat(option(ack, 1)).containsExactly(255, 255, 255, 0);
        assertThat(option(ack, 3)).containsExactly(10, 0, 2, 2);
        assertThat(option(ack, 6)).containsExactly(10, 0, 2, 3);
    }

    @Test
    void cardsGetDifferentAddresses_whenThereAreSeveral() {
        send(dhcp(1, TestFrames.GUEST_MAC));
        send(dhcp(1, TestFrames.GUEST_MAC + 1));
        assertThat(dhcpAnswer().getInt(16)).isEqualTo(TestFrames.GUEST.v4());
        assertThat(dhcpAnswer().getInt(16)).isEqualTo(TestFrames.GUEST.v4() + 1);
        send(dhcp(3, TestFrames.GUEST_MAC + 1, new byte[] {50, 4, 10, 0, 2, 15}));
        assertThat(option(dhcpAnswer(), 53)).as("NAK").containsExactly(6);
    }

    @Test
    void noWayOutIsTold_whenTheNetworkIsRestricted() {
        restart(config().withRestrict(true));
        send(dhcp(1, TestFrames.GUEST_MAC));
        ByteBuffer offer = dhcpAnswer();
        assertThat(option(offer, 3)).isEmpty();
        assertThat(option(offer, 6)).isEmpty();
    }

    @Test
    void routerAnswersPings() {
        introduce();
        byte[] echo = new byte[3000];
        new Random(1).nextBytes(echo);
        ByteBuffer b = ByteBuffer.wrap(echo).putInt(0, 8 << 24);
        b.putShort(2, (short) TestFrames.sum(0, echo, echo.length));
        send(TestFrames.ipv4(TestFrames.GUEST, GATEWAY, 1, echo));
        // Cut for the link's MTU
        byte[] answer = new byte[3000];
        int length = 0;
        for (int i = 0; i < 3; i++) {
            ByteBuffer frame = card.next().buffer();
            int part = frame.getShort(16) - 20;
            assertThat(frame.limit()).isLessThanOrEqualTo(1514);
            frame.get(34, answer, (frame.getShort(20) & 0x1fff) * 8, part);
            length += part;
        }
        assertThat(length).isEqualTo(3000);
        assertThat(answer[0]).isZero();
        assertThat(Arrays.copyOfRange(answer, 4, 3000))
                .isEqualTo(Arrays.copyOfRange(echo, 4, 3000));
        assertThat(TestFrames.sum(0, answer, 3000)).isZero();
    }

    private static byte[] query(String name, int type) {
        ByteBuffer b = ByteBuffer.allocate(512);
        b.putShort((short) 77).putShort((short) 0x0100).putShort((short) 1);
        b.putShort((short) 0).putInt(0);
        for (String label : name.split("\\.")) {
            b.put((byte) label.length()).put(label.getBytes(StandardCharsets.US_ASCII));
        }
        b.put((byte) 0).putShort((short) type).putShort((short) 1);
        return Arrays.copyOf(b.array(), b.position());
    }

    private ByteBuffer ask(String name, int type) {
        send(TestFrames.udp(TestFrames.GUEST, 5353, NAME_SERVER, 53, query(name, type)));
        ByteBuffer frame = card.next().buffer();
        assertThat(frame.getInt(26)).isEqualTo(NAME_SERVER.v4());
        assertThat(frame.getShort(36)).isEqualTo((short) 5353);
        return frame.slice(42, frame.limit() - 42);
    }

    @Test
    void namesOfTheHostsFileAreKnown_whenThereIsNoNetwork() {
        introduce();
        ByteBuffer answer = ask("example.TEST", 1);
        assertThat(answer.getShort(0)).isEqualTo((short) 77);
        assertThat(answer.getShort(2) & 0x800f).isEqualTo(0x8000);
        assertThat(answer.getShort(6)).isEqualTo((short) 1);
        assertThat(answer.getInt(answer.limit() - 4)).isEqualTo(0xc0000207);
        ByteBuffer own = ask("localhost", 1);
        assertThat(own.getInt(own.limit() - 4)).isEqualTo(GATEWAY.v4());
        assertThat(ask("alias", 28).getShort(6)).as("no IPv6 address").isZero();
    }

    @Test
    void failureIsTold_whenThereIsNoNameServer() {
        introduce();
        ByteBuffer answer = ask("nowhere.test", 1);
        assertThat(answer.getShort(2) & 0x800f).isEqualTo(0x8002);
    }

    @Test
    void datagramsAreCarried_whenTheHostListens() throws Exception {
        introduce();
        try (DatagramSocket server = new DatagramSocket(new InetSocketAddress("127.0.0.1", 0))) {
            send(
                    TestFrames.udp(
                            TestFrames.GUEST,
                            6000,
                            GATEWAY,
                            server.getLocalPort(),
                            "hello".getBytes()));
            DatagramPacket packet = new DatagramPacket(new byte[100], 100);
            server.receive(packet);
            assertThat(new String(packet.getData(), 0, packet.getLength())).isEqualTo("hello");
            server.send(new DatagramPacket("answer".getBytes(), 6, packet.getSocketAddress()));
            ByteBuffer frame = card.next().buffer();
            assertThat(frame.getInt(26)).isEqualTo(GATEWAY.v4());
            assertThat(frame.getShort(34) & 0xffff).isEqualTo(server.getLocalPort());
            assertThat(frame.getShort(36)).isEqualTo((short) 6000);
            assertThat(new String(frame.array(), 42, 6)).isEqualTo("answer");
        }
    }

    @Test
    void fragmentsArePutTogether() throws Exception {
        introduce();
        try (DatagramSocket server = new DatagramSocket(new InetSocketAddress("127.0.0.1", 0))) {
            byte[] data = new byte[4000];
            new Random(3).nextBytes(data);
            byte[] datagram =
                    TestFrames.udpDatagram(
                            TestFrames.GUEST, 6000, GATEWAY, server.getLocalPort(), data);
            int[] order = {2, 0, 1};
            for (int i : order) {
                int end = Math.min(datagram.length, (i + 1) * 1480);
                byte[] part = Arrays.copyOfRange(datagram, i * 1480, end);
                int more = end < datagram.length ? 0x2000 : 0;
                send(TestFrames.ipv4(TestFrames.GUEST, GATEWAY, 17, more | i * 1480 / 8, part));
            }
            DatagramPacket packet = new DatagramPacket(new byte[5000], 5000);
            server.receive(packet);
            assertThat(Arrays.copyOf(packet.getData(), packet.getLength())).isEqualTo(data);
        }
    }

    /** Lets a guest's TCP work on the card's frames until that is so. */
    private void run(TestGuestTcp guest, BooleanSupplier done) {
        while (!done.getAsBoolean()) {
            FakeCard.Received frame = card.next();
            if (frame.type() == 0x0800 && frame.protocol() == 6) {
                guest.receive(frame.bytes());
            }
        }
    }

    @Test
    void connectionReachesTheHostsLoopback_whenMadeToTheGateway() throws Exception {
        introduce();
        byte[] data = new byte[1_000_000];
        new Random(5).nextBytes(data);
        try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            CompletableFuture<byte[]> received = new CompletableFuture<>();
            Thread.ofVirtual()
                    .start(
                            () -> {
                                try (Socket socket = server.accept()) {
                                    socket.getOutputStream().write(data);
                                    socket.shutdownOutput();
                                    received.complete(socket.getInputStream().readAllBytes());
                                } catch (Exception e) {
                                    received.completeExceptionally(e);
                                }
                            });
            TestGuestTcp guest =
                    new TestGuestTcp(GATEWAY, server.getLocalPort(), 40000, 7, this::send);
            guest.connect();
            run(guest, () -> guest.peerFinished);
            assertThat(guest.incoming()).isEqualTo(data);
            guest.send("thanks".getBytes());
            guest.close();
            run(guest, () -> guest.finishedAcknowledged);
            assertThat(new String(received.get())).isEqualTo("thanks");
        }
    }

    @Test
    void connectionIsRefused_whenNobodyListens() throws Exception {
        introduce();
        int port;
        try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = server.getLocalPort();
        }
        TestGuestTcp guest = new TestGuestTcp(GATEWAY, port, 40000, 7, this::send);
        guest.connect();
        run(guest, () -> guest.reset);
        assertThat(network.connections()).isZero();
    }

    @Test
    void connectionIsRefused_whenTheNetworkIsRestricted() throws Exception {
        restart(config().withRestrict(true));
        introduce();
        try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            TestGuestTcp guest =
                    new TestGuestTcp(GATEWAY, server.getLocalPort(), 40000, 7, this::send);
            guest.connect();
            run(guest, () -> guest.reset);
            assertThat(network.connections()).isZero();
        }
    }

    @Test
    void clientReachesTheGuest_whenAPortIsForwarded() throws Exception {
        introduce();
        PortForward forward = network.addForward(PortForward.parse("0:22"));
        assertThat(forward.hostPort()).isPositive();
        assertThat(network.forwards()).containsExactly(forward);
        try (Socket client = new Socket("127.0.0.1", forward.hostPort())) {
            ByteBuffer syn = card.next().buffer();
            assertThat(syn.getInt(26)).isEqualTo(GATEWAY.v4());
            assertThat(syn.getShort(36)).isEqualTo((short) 22);
            TestGuestTcp guest =
                    new TestGuestTcp(GATEWAY, syn.getShort(34) & 0xffff, 22, 99, this::send);
            guest.receive(syn.array());
            client.getOutputStream().write("hello".getBytes());
            run(guest, () -> guest.incoming().length == 5);
            guest.send("answer".getBytes());
            guest.close();
            InputStream in = client.getInputStream();
            assertThat(new String(in.readAllBytes())).isEqualTo("answer");
        }
        assertThat(network.removeForward(forward)).isTrue();
        assertThat(network.removeForward(forward)).isFalse();
        assertThat(network.forwards()).isEmpty();
    }

    /** Answers the network's first question for port 22 with these flags. */
    private CompletableFuture<Boolean> answerTo22(int flags) {
        CompletableFuture<Boolean> open = new CompletableFuture<>();
        Thread.ofVirtual()
                .start(
                        () -> {
                            try {
                                open.complete(network.listens(22, Duration.ofMinutes(1)));
                            } catch (InterruptedException e) {
                                open.completeExceptionally(e);
                            }
                        });
        ByteBuffer syn = card.next().buffer();
        assertThat(syn.getShort(36)).isEqualTo((short) 22);
        assertThat(syn.get(47)).isEqualTo((byte) TestGuestTcp.SYN);
        send(
                TestFrames.tcp(
                        TestFrames.GUEST,
                        22,
                        GATEWAY,
                        syn.getShort(34) & 0xffff,
                        1234,
                        syn.getInt(38) + 1,
                        flags,
                        1000,
                        new byte[0],
                        new byte[0]));
        return open;
    }

    @Test
    void portIsOpen_whenTheGuestAgrees_andNoConnectionComesOfIt() throws Exception {
        introduce();
        CompletableFuture<Boolean> open = answerTo22(TestGuestTcp.SYN | TestGuestTcp.ACK);
        assertThat(open.get()).isTrue();
        assertThat(card.next().bytes()[47]).isEqualTo((byte) TestGuestTcp.RST);
        assertThat(network.connections()).isZero();
    }

    @Test
    void portIsClosed_whenTheGuestRefuses() throws Exception {
        introduce();
        CompletableFuture<Boolean> open = answerTo22(TestGuestTcp.RST | TestGuestTcp.ACK);
        assertThat(open.get()).isFalse();
        assertThat(card.received).isEmpty();
    }

    @Test
    void portIsClosed_whenNobodyAnswers() throws Exception {
        assertThat(network.listens(22, Duration.ofNanos(1))).isFalse();
        introduce();
        assertThat(network.listens(22, Duration.ofNanos(1))).isFalse();
        network.close();
        assertThat(network.listens(22, Duration.ofHours(1))).isFalse();
    }

    @Test
    void datagramsReachTheGuest_whenAPortIsForwarded() throws Exception {
        introduce();
        PortForward forward = network.addForward(PortForward.parse("0:53/udp"));
        try (DatagramSocket client = new DatagramSocket()) {
            InetSocketAddress address = new InetSocketAddress("127.0.0.1", forward.hostPort());
            client.send(new DatagramPacket("ask".getBytes(), 3, address));
            ByteBuffer frame = card.next().buffer();
            assertThat(frame.getShort(36)).isEqualTo((short) 53);
            int port = frame.getShort(34) & 0xffff;
            send(TestFrames.udp(TestFrames.GUEST, 53, GATEWAY, port, "tell".getBytes()));
            DatagramPacket packet = new DatagramPacket(new byte[10], 10);
            client.receive(packet);
            assertThat(new String(packet.getData(), 0, packet.getLength())).isEqualTo("tell");
            assertThat(packet.getSocketAddress()).isEqualTo(address);
        }
    }

    @Test
    void portIsNamed_whenItIsTaken() throws Exception {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            PortForward forward = PortForward.parse(taken.getLocalPort() + ":22");
            assertThatThrownBy(() -> network.addForward(forward))
                    .isInstanceOf(NetworkException.class)
                    .hasMessageContaining("port " + taken.getLocalPort());
            assertThatThrownBy(
                            () -> new UserNetwork("other", config().withForwards(List.of(forward))))
                    .isInstanceOf(NetworkException.class);
        }
    }

    @Test
    void networkGivesItsPortBack_whenClosed() throws Exception {
        PortForward forward = network.addForward(PortForward.parse("0:22"));
        network.close();
        try (ServerSocket again = new ServerSocket()) {
            again.bind(new InetSocketAddress("127.0.0.1", forward.hostPort()));
            assertThat(again.isBound()).isTrue();
        }
    }

    private static byte[] ipv6(long high, long low, int protocol, byte[] payload) {
        ByteBuffer b = ByteBuffer.allocate(40 + payload.length);
        b.putInt(0x60000000).putShort((short) payload.length).put((byte) protocol);
        b.put((byte) 255).putLong(0xfe80L << 48).putLong(0x5054).putLong(high).putLong(low);
        long pseudo = protocol + payload.length;
        pseudo = Checksum.add(pseudo, b, 8, 32);
        ByteBuffer.wrap(payload)
                .putShort(2, (short) TestFrames.sum(pseudo, payload, payload.length));
        return TestFrames.ethernet(0x333300000002L, 0x86dd, b.put(payload).array());
    }

    @Test
    void routerAnnouncesItself_whenSolicited() {
        byte[] solicitation = new byte[8];
        solicitation[0] = (byte) 133;
        send(ipv6(0xff02L << 48, 2, 58, solicitation));
        ByteBuffer frame = card.next().buffer();
        assertThat(frame.get(54) & 0xff).isEqualTo(134);
        assertThat(frame.get(20)).isEqualTo((byte) 58);
        assertThat(frame.getLong(54 + 16 + 16 + 16)).isEqualTo(0xfec0L << 48);
        byte[] message = Arrays.copyOfRange(frame.array(), 54, frame.limit());
        long pseudo = Checksum.add(58 + message.length, frame, 22, 32);
        assertThat(TestFrames.sum(pseudo, message, message.length)).isZero();
    }

    @Test
    void networkEndures_whenTheGuestSendsAnything() {
        fuzz(1, 20_000);
    }

    /** Frames that begin well and go wrong somewhere. */
    static void fuzz(LinkEnd link, long seed, int cases) {
        Random random = new Random(seed);
        byte[][] seeds = {
            arp(1, TestFrames.GUEST, GATEWAY),
            dhcp(1, TestFrames.GUEST_MAC),
            dhcp(3, TestFrames.GUEST_MAC, new byte[] {50, 4, 10, 0, 2, 15, 54, 4, 10, 0, 2, 2}),
            TestFrames.udp(TestFrames.GUEST, 9, NAME_SERVER, 53, query("a.example.test", 1)),
            TestFrames.udp(TestFrames.GUEST, 9, NAME_SERVER, 53, query("example.test", 28)),
            TestFrames.ipv4(TestFrames.GUEST, GATEWAY, 1, new byte[] {8, 0, 0, 0, 1, 2, 3, 4}),
            TestFrames.ipv4(TestFrames.GUEST, GATEWAY, 17, 0x2000, new byte[1480]),
            TestFrames.ipv4(TestFrames.GUEST, GATEWAY, 17, 185, new byte[100]),
            ipv6(0xff02L << 48, 2, 58, new byte[8]),
            ipv6(0xfec0L << 48, 2, 58, new byte[32]),
            TestFrames.tcp(
                    TestFrames.GUEST,
                    1,
                    IpAddress.v4(10, 0, 2, 99),
                    80,
                    1,
                    0,
                    2,
                    999,
                    new byte[] {2, 4, 5, 0, 3, 3, 7, 1},
                    new byte[0])
        };
        for (int i = 0; i < cases; i++) {
            byte[] frame = seeds[random.nextInt(seeds.length)].clone();
            int changes = random.nextInt(6);
            for (int c = 0; c < changes; c++) {
                frame[random.nextInt(frame.length)] = (byte) random.nextInt();
            }
            if (random.nextInt(4) == 0) {
                frame = Arrays.copyOf(frame, random.nextInt(frame.length + 1));
            }
            Frame sent = TestFrames.frame(frame);
            if (random.nextBoolean()) {
                // Sums count as left to the receiver, so that broken contents get further in.
                sent.leaveChecksum(random.nextInt(100), random.nextInt(40));
                repair(frame);
            }
            link.deliver(sent);
        }
        link.flush();
    }

    private static void repair(byte[] frame) {
        if (frame.length >= 34) {
            int length = Math.min((frame[14] & 15) * 4, frame.length - 14);
            ByteBuffer b = ByteBuffer.wrap(frame).putShort(24, (short) 0);
            byte[] header = Arrays.copyOfRange(frame, 14, 14 + length);
            b.putShort(24, (short) TestFrames.sum(0, header, length));
        }
    }

    private void fuzz(long seed, int cases) {
        System.out.println("seed " + seed);
        card.full = true;
        fuzz(link, seed, cases);
        card.full = false;
        introduce();
        assertThat(network.connections()).isLessThanOrEqualTo(TcpRelay.MAXIMUM_CONNECTIONS);
    }

    /** By hand: {@code java … UserNetworkTest SEED CASES}. */
    public static void main(String[] arguments) throws Exception {
        UserNetworkTest test = new UserNetworkTest();
        test.directory = Files.createTempDirectory("net-fuzz");
        test.plugIn();
        test.fuzz(Long.parseLong(arguments[0]), Integer.parseInt(arguments[1]));
        test.unplug();
    }
}
