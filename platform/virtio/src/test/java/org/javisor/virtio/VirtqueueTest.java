package org.javisor.virtio;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What both layouts promise a device, with a driver that obeys the rules. */
class VirtqueueTest {
    private static final long NO_EVENTS = ~(1L << VirtioFeatures.RING_EVENT_IDX);
    private static final long SPLIT = FakeDriver.ALL;
    private static final long PACKED = FakeDriver.ALL_PACKED;

    private final EchoDevice device = new EchoDevice();
    private FakeDriver driver;

    private FakeQueue start(long features, int queue) {
        driver = new FakeDriver(device, features);
        driver.start();
        return driver.queue(queue);
    }

    @AfterEach
    void close() {
        driver.close();
    }

    @ParameterizedTest
    @ValueSource(longs = {SPLIT, PACKED, SPLIT & NO_EVENTS, PACKED & NO_EVENTS})
    void requestsAreEchoed_throughManyRoundsOfTheRing(long features) {
        FakeQueue queue = start(features, 1);
        for (int i = 0; i < 20_000; i++) {
            queue.useTables(i % 3 == 0);
            byte[] first = bytes("request " + i);
            byte[] second = bytes("!");
            int before = driver.interrupts();
            FakeQueue.Used used = queue.request(List.of(first, second), 4, 20);
            assertThat(used.written()).isEqualTo(first.length + 1);
            assertThat(new String(used.content(), StandardCharsets.US_ASCII).trim())
                    .isEqualTo("request " + i + "!");
            queue.wantInterrupts(true);
            driver.acknowledge();
            assertThat(driver.interrupts()).isEqualTo(before + 1);
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {SPLIT, PACKED})
    void completionsInAnyOrderArrive_whenTheyComeLater(long features) {
        FakeQueue queue = start(features, 1);
        device.manual = true;
        Virtqueue taken = device.setup.queue(1);
        for (int round = 0; round < 50; round++) {
            int a = queue.add(List.of(bytes("a")), 1);
            int b = queue.add(List.of(bytes("b")), 1);
            int c = queue.add(List.of(bytes("c")), 1);
            List<DescriptorChain> chains = new ArrayList<>();
            DescriptorChain chain = new DescriptorChain();
            while (taken.next(chain)) {
                chains.add(chain);
                chain = new DescriptorChain();
            }
            assertThat(chains).hasSize(3);
            for (int i : new int[] {2, 0, 1}) {
                taken.addUsed(chains.get(i), EchoDevice.echo(chains.get(i)));
                assertThat(queue.poll()).isEmpty();
            }
            taken.flushUsed();
            assertThat(List.of(queue.await(), queue.await(), queue.await()))
                    .extracting(FakeQueue.Used::token)
                    .containsExactly(c, a, b);
            assertThat(queue.poll()).isEmpty();
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {SPLIT, PACKED})
    void chainsThatWerePutBackAreFoundAgain_inTheirOrder(long features) {
        FakeQueue queue = start(features, 1);
        device.manual = true;
        Virtqueue taken = device.setup.queue(1);
        DescriptorChain first = new DescriptorChain();
        DescriptorChain second = new DescriptorChain();
        for (int round = 0; round < 20; round++) {
            queue.add(List.of(bytes("1"), bytes("1")), 1);
            queue.add(List.of(bytes("2")), 1);
            assertThat(taken.next(first)).isTrue();
            assertThat(taken.next(second)).isTrue();
            taken.putBack(second);
            taken.putBack(first);
            assertThat(taken.next(second)).isTrue();
            assertThat(second.readNumber(0, 2)).isEqualTo(0x3131);
            assertThat(taken.next(first)).isTrue();
            assertThat(first.readNumber(0, 1)).isEqualTo('2');
            taken.addUsed(second, 0);
            taken.complete(first, 1);
            assertThat(queue.await().written()).isZero();
            assertThat(queue.await().written()).isEqualTo(1);
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {SPLIT, PACKED, SPLIT & NO_EVENTS, PACKED & NO_EVENTS})
    void driverIsNotInterrupted_whenItLooksByItself(long features) {
        FakeQueue queue = start(features, 0);
        for (int i = 0; i < 1000; i++) {
            queue.wantInterrupts(false);
            queue.request(List.of(bytes("x")), 1);
        }
        assertThat(driver.interrupts()).isZero();
    }

    @ParameterizedTest
    @ValueSource(longs = {SPLIT, PACKED, SPLIT & NO_EVENTS, PACKED & NO_EVENTS})
    void deviceIsNotNotified_whileItStillHasWork(long features) {
        FakeQueue queue = start(features, 0);
        device.manual = true;
        Virtqueue taken = device.setup.queue(0);
        DescriptorChain chain = new DescriptorChain();
        queue.add(List.of(bytes("x")), 1);
        assertThat(queue.kick()).isTrue();
        assertThat(taken.next(chain)).isTrue();
        queue.add(List.of(bytes("y")), 1);
        assertThat(queue.kick()).isFalse();
        assertThat(taken.next(chain)).isTrue();
        assertThat(taken.next(chain)).isFalse();
        queue.add(List.of(bytes("z")), 1);
        assertThat(queue.kick()).isTrue();
        taken.wantNotifications(false);
        assertThat(taken.next(chain)).isTrue();
        assertThat(taken.next(chain)).isFalse();
        queue.add(List.of(bytes("z")), 1);
        assertThat(queue.kick()).isFalse();
        assertThat(taken.hasNext()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(longs = {SPLIT, PACKED})
    void segmentsLeadToGuestMemory_withoutCopies(long features) {
        FakeQueue queue = start(features, 0);
        device.manual = true;
        Virtqueue taken = device.setup.queue(0);
        queue.add(List.of(bytes("abc"), bytes("defg")), 3, 4);
        DescriptorChain chain = new DescriptorChain();
        assertThat(taken.next(chain)).isTrue();
        assertThat(chain.readableLength()).isEqualTo(7);
        assertThat(chain.writableLength()).isEqualTo(7);
        List<MemorySegment> from = new ArrayList<>();
        List<MemorySegment> to = new ArrayList<>();
        assertThat(chain.readableSegments(2, 4, from)).isTrue();
        assertThat(chain.writableSegments(1, 6, to)).isTrue();
        assertThat(from).extracting(MemorySegment::byteSize).containsExactly(1L, 3L);
        assertThat(to).extracting(MemorySegment::byteSize).containsExactly(2L, 4L);
        MemorySegment.copy(from.get(1), 0, to.get(1), 0, 3);
        chain.written(1, 6);
        assertThat(chain.writableSegments(1, 7, new ArrayList<>())).isFalse();
        taken.complete(chain, 7);
        assertThat(queue.await().content()).containsExactly(0, 0, 0, 'd', 'e', 'f', 0);
    }

    @ParameterizedTest
    @ValueSource(longs = {SPLIT, PACKED})
    void segmentsAreRefused_whenBuffersAreNotRam(long features) {
        FakeQueue queue = start(features, 0);
        device.manual = true;
        Virtqueue taken = device.setup.queue(0);
        long end = driver.memory.size();
        queue.add(
                List.of(
                        new FakeQueue.Buffer(end - 2, 4, false),
                        new FakeQueue.Buffer(-4096, 16, true)));
        DescriptorChain chain = new DescriptorChain();
        assertThat(taken.next(chain)).isTrue();
        assertThat(chain.readableSegments(0, 2, new ArrayList<>())).isTrue();
        assertThat(chain.readableSegments(0, 4, new ArrayList<>())).isFalse();
        assertThat(chain.writableSegments(0, 16, new ArrayList<>())).isFalse();
        assertThat(chain.readNumber(0, 4)).isEqualTo(0xffff0000L);
        assertThat(chain.write(0, new byte[16], 0, 16)).isEqualTo(16);
    }

    @ParameterizedTest
    @ValueSource(longs = {SPLIT, PACKED})
    void positionsSurvive_whenTheDeviceIsSavedAndRestored(long features) {
        FakeQueue queue = start(features, 1);
        for (int i = 0; i < 5; i++) {
            queue.request(List.of(bytes("x")), 1);
        }
        driver.acknowledge();
        device.manual = true;
        device.marker = 77;
        queue.wantInterrupts(true);
        queue.add(List.of(bytes("y")), 1);
        VirtioMmio.State state = driver.transport.save();
        driver.transport.reset();
        device.marker = 0;
        device.manual = false;
        driver.transport.restore(state);
        assertThat(device.marker).isEqualTo(77);
        assertThat(queue.await().content()).containsExactly('y');
        assertThat(driver.acknowledge()).isEqualTo(1);
        for (int i = 0; i < 20; i++) {
            assertThat(queue.request(List.of(bytes("x")), 1).content()).containsExactly('x');
        }
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }
}
