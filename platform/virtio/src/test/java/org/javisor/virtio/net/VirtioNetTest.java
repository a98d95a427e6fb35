package org.javisor.virtio.net;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.javisor.network.Frame;
import org.javisor.network.LinkEnd;
import org.javisor.network.MacAddress;
import org.javisor.virtio.FakeDriver;
import org.javisor.virtio.FakeQueue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class VirtioNetTest {
    private static final int RX = 0;
    private static final int TX = 1;
    private static final int CONTROL = 2;
    private static final MacAddress MAC = MacAddress.parse("52:54:00:12:34:56");

    private final FakeNetwork network = new FakeNetwork();
    private FakeDriver driver;
    private VirtioNet device;

    private void start(long features, int pairs) {
        device = new VirtioNet("test", MAC, 1400, pairs, network);
        driver = new FakeDriver(device, features);
        driver.start();
    }

    @AfterEach
    void end() {
        driver.close();
        assertThat(network.closed).isTrue();
    }

    private static byte[] bytes(int seed, int length) {
        byte[] bytes = new byte[length];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }

    private static byte[] header(int flags, int type, int size, int start, int offset) {
        return ByteBuffer.allocate(12)
                .order(ByteOrder.LITTLE_ENDIAN)
                .put((byte) flags)
                .put((byte) type)
                .putShort((short) 54)
                .putShort((short) size)
                .putShort((short) start)
                .putShort((short) offset)
                .array();
    }

    private boolean receive(byte[] bytes) {
        boolean taken = network.card.deliver(new Frame().reset(ByteBuffer.wrap(bytes)));
        network.card.flush();
        return taken;
    }

    @Test
    void configurationTellsAddressLinkQueuesAndMtu() {
        start(FakeDriver.ALL, 4);
        byte[] mac = new byte[6];
        for (int i = 0; i < 6; i++) {
            mac[i] = (byte) driver.config(i, 1);
        }
        assertThat(mac).isEqualTo(MAC.bytes());
        assertThat(driver.config(6, 2)).isOne();
        assertThat(driver.config(8, 2)).isEqualTo(4);
        assertThat(driver.config(10, 2)).isEqualTo(1400);
        device.setLink(false);
        assertThat(driver.config(6, 2)).isZero();
        assertThat(driver.acknowledge() & 2).isEqualTo(2);
    }

    @ParameterizedTest
    @ValueSource(longs = {FakeDriver.ALL, FakeDriver.ALL_PACKED, 1L << 32})
    void frameIsSent_whateverTheFeatures(long features) {
        start(features, 1);
        byte[] frame = bytes(1, 1000);
        FakeQueue queue = driver.queue(TX);
        queue.add(List.of(header(0, 0, 0, 0, 0), frame));
        queue.kick();
        assertThat(network.next().bytes()).isEqualTo(frame);
        assertThat(queue.await().written()).isZero();
    }

    @Test
    void shortFramesAreSentWhenTheDriverIsBack_whenItHasFewOfThem() {
        start(FakeDriver.ALL, 1);
        FakeQueue queue = driver.queue(TX);
        queue.add(List.of(header(0, 0, 0, 0, 0), bytes(1, 60)));
        queue.add(List.of(header(0, 0, 0, 0, 0), bytes(2, 1500)));
        queue.kick();
        assertThat(network.sent.stream().map(FakeNetwork.Sent::bytes))
                .containsExactly(bytes(1, 60), bytes(2, 1500));
    }

    @Test
    void framesKeepTheirOrder_whenShortAndLongOnesAreMixed() {
        start(FakeDriver.ALL, 1);
        FakeQueue queue = driver.queue(TX);
        for (int i = 0; i < 60; i++) {
            queue.add(List.of(header(0, 0, 0, 0, 0), bytes(i, i % 4 == 3 ? 9000 : 60)));
            queue.kick();
        }
        for (int i = 0; i < 60; i++) {
            assertThat(network.next().bytes()).isEqualTo(bytes(i, i % 4 == 3 ? 9000 : 60));
        }
    }

    @Test
    void longSegmentIsSentWhole_withWhatIsLeftToDo() {
        start(FakeDriver.ALL, 1);
        byte[] frame = bytes(1, 65_000);
        FakeQueue queue = driver.queue(TX);
        queue.add(
                List.of(
                        header(1, 1, 1460, 34, 16),
                        Arrays.copyOf(frame, 54),
                        Arrays.copyOfRange(frame, 54, 65_000)));
        queue.kick();
        FakeNetwork.Sent sent = network.next();
        assertThat(sent)
                .usingRecursiveComparison()
                .isEqualTo(new FakeNetwork.Sent(frame, true, 34, 16, 1, 1460));
    }

    @Test
    void senselessFramesAreDropped_andGivenBack() {
        start(FakeDriver.ALL, 1);
        FakeQueue queue = driver.queue(TX);
        queue.add(List.of(header(1, 0, 0, 990, 16), bytes(1, 1000)));
        queue.add(List.of(header(0, 1, 1460, 0, 0), bytes(1, 1000)));
        queue.add(List.of(header(1, 1, 0, 34, 16), bytes(1, 1000)));
        queue.add(List.of(header(1, 9, 100, 34, 16), bytes(1, 1000)));
        queue.add(List.of(header(0, 0, 0, 0, 0)));
        queue.add(List.of(new byte[5]));
        queue.add(List.of(header(0, 0, 0, 0, 0), new byte[70_000]));
        queue.add(List.of(header(0, 0, 0, 0, 0), bytes(2, 100)));
        queue.kick();
        assertThat(network.next().bytes()).isEqualTo(bytes(2, 100));
        for (int i = 0; i < 8; i++) {
            queue.await();
        }
        assertThat(network.sent).isEmpty();
        assertThat(device.statistics().dropped()).isEqualTo(7);
    }

    @Test
    void frameWaits_whileTheNetworkIsFull() {
        start(FakeDriver.ALL, 1);
        FakeQueue queue = driver.queue(TX);
        network.full = true;
        queue.add(List.of(header(0, 0, 0, 0, 0), bytes(1, 100)));
        queue.add(List.of(header(0, 0, 0, 0, 0), bytes(2, 100)));
        queue.kick();
        network.full = false;
        network.card.roomAgain();
        assertThat(network.next().bytes()).isEqualTo(bytes(1, 100));
        assertThat(network.next().bytes()).isEqualTo(bytes(2, 100));
    }

    @Test
    void frameIsSpreadOverBuffers_whenTheyMayBeMerged() {
        start(FakeDriver.ALL, 1);
        FakeQueue queue = driver.queue(RX);
        for (int i = 0; i < 10; i++) {
            queue.add(List.of(), 1000);
        }
        queue.kick();
        byte[] frame = bytes(3, 2500);
        ByteBuffer.wrap(frame).put(MAC.bytes());
        Frame parts = new Frame().reset(ByteBuffer.wrap(frame, 0, 54));
        parts.append(ByteBuffer.wrap(frame, 54, 46)).append(ByteBuffer.wrap(frame, 100, 2400));
        assertThat(network.card.deliver(parts)).isTrue();
        assertThat(queue.poll()).as("not before the flush").isEmpty();
        network.card.flush();
        FakeQueue.Used first = queue.await();
        byte[] all = new byte[2512];
        System.arraycopy(first.content(), 0, all, 0, 1000);
        System.arraycopy(queue.await().content(), 0, all, 1000, 1000);
        FakeQueue.Used last = queue.await();
        System.arraycopy(last.content(), 0, all, 2000, 512);
        assertThat(last.written()).isEqualTo(512);
        assertThat(Arrays.copyOfRange(all, 12, 2512)).isEqualTo(frame);
        assertThat(all[10]).as("buffers").isEqualTo((byte) 3);
    }

    @Test
    void whatIsLeftToDoIsTold() {
        start(FakeDriver.ALL, 1);
        FakeQueue queue = driver.queue(RX);
        queue.add(List.of(), 4000);
        byte[] frame = bytes(3, 3000);
        frame[46] = 0x50;
        Frame long1 = new Frame().reset(ByteBuffer.wrap(frame));
        long1.leaveChecksum(34, 16).leaveSegmentation(Frame.GSO_TCPV4, 1460);
        network.card.deliver(long1);
        network.card.flush();
        byte[] content = queue.await().content();
        byte[] expected = header(1, 1, 1460, 34, 16);
        expected[10] = 1;
        assertThat(Arrays.copyOf(content, 12)).isEqualTo(expected);
    }

    @Test
    void networkHears_whenBuffersAreThereAgain() {
        start(FakeDriver.ALL, 1);
        FakeQueue queue = driver.queue(RX);
        queue.add(List.of(), 1000);
        assertThat(receive(bytes(3, 1500))).isFalse();
        queue.add(List.of(), 1000);
        assertThat(queue.kick()).isTrue();
        FakeDriver.await(() -> network.roomCalls.get() > 0);
        assertThat(receive(bytes(3, 1500))).isTrue();
        queue.await();
        queue.await();
    }

    @Test
    void frameIsDropped_whenItCanNeverFit() {
        start(1L << 32, 1);
        FakeQueue queue = driver.queue(RX);
        queue.add(List.of(), 1000);
        assertThat(receive(bytes(3, 1500))).isTrue();
        assertThat(queue.poll()).isEmpty();
        assertThat(receive(bytes(3, 500))).isTrue();
        queue.await();
    }

    @Test
    void onlyNegotiatedOffloadsAreAccepted() {
        start(1L << 32, 1);
        assertThat(network.card.offloads()).isZero();
        driver.close();
        start(FakeDriver.ALL, 1);
        assertThat(network.card.offloads()).isEqualTo(LinkEnd.ALL_OFFLOADS);
        driver.setRegister(0x70, 0);
        assertThat(network.card.offloads()).isZero();
    }

    @Test
    void featuresAreRefused_withoutThoseTheyNeed() {
        start(FakeDriver.ALL, 1);
        assertThat(driver.negotiate(1L << 32 | 1 << NetFeature.HOST_TSO4)).isFalse();
        assertThat(driver.negotiate(1L << 32 | 1 << NetFeature.CTRL_RX)).isFalse();
    }

    private int command(int... bytes) {
        byte[] request = new byte[bytes.length];
        for (int i = 0; i < bytes.length; i++) {
            request[i] = (byte) bytes[i];
        }
        FakeQueue.Used used =
                driver.queue(driver.config(8, 2) > 1 ? 4 : CONTROL).request(List.of(request), 1);
        return used.content()[0];
    }

    @Test
    void onlyWantedFramesArrive_whenTheDriverSaysWhich() {
        start(FakeDriver.ALL, 1);
        FakeQueue queue = driver.queue(RX);
        for (int i = 0; i < 8; i++) {
            queue.add(List.of(), 2000);
        }
        byte[] other = bytes(1, 100);
        other[0] = 2;
        byte[] own = bytes(2, 100);
        System.arraycopy(MAC.bytes(), 0, own, 0, 6);
        byte[] group = bytes(3, 100);
        System.arraycopy(new byte[] {1, 0, 94, 0, 0, 1}, 0, group, 0, 6);
        assertThat(command(0, 0, 0)).isZero();
        receive(other);
        receive(group);
        receive(own);
        assertThat(Arrays.copyOfRange(queue.await().content(), 12, 112)).isEqualTo(own);
        assertThat(command(1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 94, 0, 0, 1)).isZero();
        receive(group);
        assertThat(Arrays.copyOfRange(queue.await().content(), 12, 112)).isEqualTo(group);
        assertThat(command(0, 0, 1)).isZero();
        receive(other);
        assertThat(Arrays.copyOfRange(queue.await().content(), 12, 112)).isEqualTo(other);
    }

    @Test
    void senselessCommandsFail() {
        start(FakeDriver.ALL, 1);
        assertThat(command(9, 9)).isOne();
        assertThat(command(0)).isOne();
        assertThat(command(1, 0, 255, 255, 255, 255)).isOne();
        assertThat(command(2, 0, 255, 255)).isOne();
        assertThat(command(5, 0, 255, 255, 255, 255, 0, 0, 0, 0)).isOne();
    }

    @Test
    void conversationStaysOnItsQueue_whenThereAreSeveral() {
        start(FakeDriver.ALL, 2);
        assertThat(command(4, 0, 2, 0)).isZero();
        assertThat(command(4, 0, 3, 0)).isOne();
        driver.queue(0).add(List.of(), 2000);
        driver.queue(2).add(List.of(), 2000);
        byte[] frame = new byte[60];
        ByteBuffer.wrap(frame).putShort(12, (short) 0x0800).put(14, (byte) 0x45);
        ByteBuffer.wrap(frame).putInt(26, 1).putInt(30, 2).putInt(34, 5 << 16 | 6);
        driver.queue(3).add(List.of(header(0, 0, 0, 0, 0), frame));
        driver.queue(3).kick();
        network.next();
        ByteBuffer.wrap(frame).putInt(26, 2).putInt(30, 1).putInt(34, 6 << 16 | 5);
        receive(frame);
        driver.queue(2).await();
        assertThat(driver.queue(0).poll()).isEmpty();
    }

    @Test
    void settingsSurvive_whenSavedAndRestored() {
        start(FakeDriver.ALL, 1);
        command(0, 0, 0);
        VirtioNetState state = (VirtioNetState) device.save();
        assertThat(state.everything()).isFalse();
        driver.close();
        device = new VirtioNet("test", MAC, 1400, 1, network);
        device.restore(state);
        driver = new FakeDriver(device, FakeDriver.ALL);
        driver.start();
        assertThat(device.save()).isEqualTo(state);
    }

    @Test
    void nothingIsTouched_afterAReset() {
        start(FakeDriver.ALL, 1);
        driver.queue(RX).add(List.of(), 2000);
        driver.setRegister(0x70, 0);
        assertThat(receive(bytes(1, 100))).as("dropped").isTrue();
        assertThat(driver.queue(RX).poll()).isEmpty();
    }
}
