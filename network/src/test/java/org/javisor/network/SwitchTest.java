package org.javisor.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(value = 5, unit = TimeUnit.MINUTES)
class SwitchTest {
    @TempDir Path directory;

    private final Switch hub = new Switch("test");

    private static final class Station {
        final FakeCard card = new FakeCard(LinkEnd.ALL_OFFLOADS);
        final Network network;
        final LinkEnd link;
        final long mac;

        Station(Network network, int number) {
            this.network = network;
            link = network.connect(card);
            mac = 0x525400000000L | number;
        }

        void send(long target, int length) {
            byte[] frame = new byte[length];
            new Random(length).nextBytes(frame);
            ByteBuffer b = ByteBuffer.wrap(frame);
            MacAddress.write(b, 0, target);
            MacAddress.write(b, 6, mac);
            link.deliver(new Frame().reset(b));
            link.flush();
        }
    }

    private Station station(int number) {
        return new Station(hub.newPort(false), number);
    }

    @Test
    void framesGoEverywhere_untilTheirTargetIsKnown() {
        Station a = station(1);
        Station b = station(2);
        Station c = station(3);
        a.send(b.mac, 60);
        assertThat(b.card.received).hasSize(1);
        assertThat(c.card.received).hasSize(1);
        assertThat(a.card.received).isEmpty();
        b.send(a.mac, 60);
        a.send(b.mac, 60);
        assertThat(a.card.received).hasSize(1);
        assertThat(b.card.received).hasSize(2);
        assertThat(c.card.received).hasSize(1);
        a.send(MacAddress.BROADCAST.value(), 60);
        assertThat(c.card.received).hasSize(2);
    }

    @Test
    void machineIsFound_whenItHasMoved() {
        Station a = station(1);
        Station b = station(2);
        b.send(a.mac, 60);
        b.network.close();
        Station moved = station(2);
        moved.send(a.mac, 60);
        a.send(moved.mac, 60);
        assertThat(moved.card.received).hasSize(1);
        assertThat(b.card.received).isEmpty();
        assertThat(hub.cards()).isEqualTo(2);
    }

    @Test
    void isolatedPortsReachOthersOnly() {
        Station a = new Station(hub.newPort(true), 1);
        Station b = new Station(hub.newPort(true), 2);
        Station open = station(3);
        a.send(MacAddress.BROADCAST.value(), 60);
        assertThat(b.card.received).isEmpty();
        assertThat(open.card.received).hasSize(1);
        b.send(open.mac, 60);
        a.send(b.mac, 60);
        assertThat(b.card.received).isEmpty();
        open.send(b.mac, 60);
        assertThat(b.card.received).hasSize(1);
    }

    @Test
    void addressesAreForgotten_whenThereAreTooMany() {
        Station a = station(1);
        for (int i = 0; i < 10_000; i++) {
            byte[] frame = new byte[60];
            MacAddress.write(ByteBuffer.wrap(frame), 6, 0x020000000000L + i);
            a.link.deliver(TestFrames.frame(frame));
        }
        assertThat(hub.addresses()).hasSize(4096);
    }

    @Test
    void framesWaitInOrder_whileACardIsFull() {
        Station a = station(1);
        Station b = station(2);
        b.send(a.mac, 60);
        b.card.full = true;
        for (int i = 0; i < 1000; i++) {
            a.send(b.mac, 10_000 + i);
        }
        b.card.full = false;
        b.link.roomAgain();
        assertThat(b.card.received.size()).as("kept, with a limit").isBetween(300, 500);
        int expected = 10_000;
        for (FakeCard.Received frame : b.card.received) {
            assertThat(frame.bytes()).hasSize(expected++);
        }
    }

    @Test
    void longSegmentsAreCut_forCardsThatCannotDoIt() {
        Station a = station(1);
        Station b = station(2);
        b.card.offloads = 0;
        byte[] data = new byte[5000];
        new Random(1).nextBytes(data);
        byte[] frame =
                TestFrames.tcp(
                        TestFrames.GUEST,
                        5,
                        IpAddress.v4(10, 0, 2, 16),
                        6,
                        1000,
                        2000,
                        0x19,
                        999,
                        new byte[] {1, 1, 1, 1},
                        data);
        ByteBuffer all = ByteBuffer.wrap(frame);
        MacAddress.write(all, 0, b.mac);
        Frame sent = new Frame().reset(all).leaveChecksum(34, 16);
        a.link.deliver(sent.leaveSegmentation(Frame.GSO_TCPV4, 1400));
        byte[] together = new byte[5000];
        assertThat(b.card.received).hasSize(4);
        int index = 0;
        for (FakeCard.Received part : b.card.received) {
            ByteBuffer p = part.buffer();
            int offset = p.getInt(38) - 1000;
            int length = part.bytes().length - 58;
            p.get(58, together, offset, length);
            assertThat(p.getShort(16)).isEqualTo((short) (40 + 4 + length));
            boolean last = ++index == 4;
            assertThat(part.bytes()[47]).isEqualTo((byte) (last ? 0x19 : 0x10));
            assertThat(TestFrames.sum(0, slice(part.bytes(), 14, 20), 20)).isZero();
            byte[] tcp = slice(part.bytes(), 34, 24 + length);
            long pseudo =
                    TestFrames.pseudo(TestFrames.GUEST, IpAddress.v4(10, 0, 2, 16), 6, tcp.length);
            assertThat(TestFrames.sum(pseudo, tcp, tcp.length)).isZero();
        }
        assertThat(together).isEqualTo(data);
    }

    private static byte[] slice(byte[] bytes, int from, int length) {
        return java.util.Arrays.copyOfRange(bytes, from, from + length);
    }

    @Test
    void senselessSegmentsAreDropped_whenTheyWouldHaveToBeCut() {
        Station a = station(1);
        Station b = station(2);
        b.card.offloads = 0;
        Random random = new Random(3);
        for (int i = 0; i < 20_000; i++) {
            byte[] frame = new byte[14 + random.nextInt(200)];
            random.nextBytes(frame);
            ByteBuffer f = ByteBuffer.wrap(frame);
            MacAddress.write(f, 0, b.mac);
            f.putShort(12, (short) (random.nextBoolean() ? 0x0800 : 0x86dd));
            Frame sent = new Frame().reset(f);
            sent.leaveChecksum(random.nextInt(300), random.nextInt(300));
            sent.leaveSegmentation(
                    random.nextBoolean() ? Frame.GSO_TCPV4 : Frame.GSO_TCPV6,
                    random.nextInt(3) * 10);
            a.link.deliver(sent);
        }
        assertThat(b.card.received).allMatch(frame -> frame.bytes().length <= 214);
    }

    // Between processes

    private SwitchServer server;

    @AfterEach
    void end() {
        if (server != null) {
            server.close();
        }
    }

    private Station remote(SwitchDirectory switches, int number) {
        return new Station(new RemoteSwitch(switches, "lab", false), number);
    }

    @Test
    void machinesOfSeveralProcessesMeet_onANamedSwitch() {
        SwitchDirectory switches = new SwitchDirectory(directory.resolve("run"));
        server = new SwitchServer(switches, "lab");
        Station a = remote(switches, 1);
        Station b = remote(switches, 2);
        FakeCard bystander = b.card;
        while (switches.status("lab").orElseThrow().cards() < 2) {
            Thread.onSpinWait();
        }
        assertThat(switches.list()).containsExactly(new SwitchDirectory.Running("lab", 2));
        byte[] frame = new byte[65_000];
        new Random(1).nextBytes(frame);
        ByteBuffer bytes = ByteBuffer.wrap(frame);
        MacAddress.write(bytes, 0, b.mac);
        MacAddress.write(bytes, 6, a.mac);
        for (int i = 0; i < 200; i++) {
            Frame sent = new Frame().reset(bytes.duplicate().limit(100));
            sent.append(bytes.duplicate().position(100));
            sent.leaveChecksum(34, 16).leaveSegmentation(Frame.GSO_TCPV4, 1400);
            while (!a.link.deliver(sent)) {
                Thread.onSpinWait();
            }
        }
        for (int i = 0; i < 60; i++) {
            FakeCard.Received got = bystander.next();
            assertThat(got.bytes()).isEqualTo(frame);
            assertThat(got.needsChecksum()).isTrue();
            assertThat(got.gsoType()).isEqualTo(Frame.GSO_TCPV4);
            assertThat(got.gsoSize()).isEqualTo(1400);
        }
        a.network.close();
        b.network.close();
    }

    @Test
    void machineFindsItsSwitchAgain_whenThatWasRestarted() {
        SwitchDirectory switches = new SwitchDirectory(directory.resolve("run"));
        server = new SwitchServer(switches, "lab");
        Station a = remote(switches, 1);
        Station b = remote(switches, 2);
        server.close();
        assertThat(switches.status("lab")).isEmpty();
        server = new SwitchServer(switches, "lab");
        while (switches.status("lab").orElseThrow().cards() < 2) {
            Thread.onSpinWait();
        }
        a.send(b.mac, 77);
        assertThat(b.card.next().bytes()).hasSize(77);
        a.network.close();
        b.network.close();
    }

    @Test
    void switchIsNamed_whenItIsNotThere() throws Exception {
        SwitchDirectory switches = new SwitchDirectory(directory.resolve("run"));
        assertThat(switches.list()).isEmpty();
        assertThatThrownBy(() -> new RemoteSwitch(switches, "lab", false))
                .isInstanceOf(NetworkException.class)
                .hasMessageContaining("javisor switch create lab");
        server = new SwitchServer(switches, "lab");
        assertThatThrownBy(() -> new SwitchServer(switches, "lab"))
                .isInstanceOf(NetworkException.class)
                .hasMessageContaining("already");
        switches.stop("lab");
        server.awaitStop();
        server.close();
        assertThat(Files.list(directory.resolve("run"))).isEmpty();
    }

    @Test
    void strangersAreTurnedAway_whenTheySendNonsense() throws Exception {
        SwitchDirectory switches = new SwitchDirectory(directory.resolve("run"));
        server = new SwitchServer(switches, "lab");
        Random random = new Random(9);
        for (int i = 0; i < 50; i++) {
            try (var channel =
                    java.nio.channels.SocketChannel.open(
                            java.net.UnixDomainSocketAddress.of(switches.socket("lab")))) {
                byte[] bytes = new byte[1 + random.nextInt(100)];
                random.nextBytes(bytes);
                bytes[0] = 1;
                channel.write(ByteBuffer.wrap(bytes));
            }
        }
        Station a = remote(switches, 1);
        Station b = remote(switches, 2);
        while (switches.status("lab").orElseThrow().cards() != 2) {
            Thread.onSpinWait();
        }
        a.send(b.mac, 88);
        assertThat(b.card.next().bytes()).hasSize(88);
        a.network.close();
        b.network.close();
    }
}
