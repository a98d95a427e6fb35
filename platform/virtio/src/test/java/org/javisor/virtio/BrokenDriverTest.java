package org.javisor.virtio;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.List;
import org.javisor.memory.GuestMemory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What becomes of a driver that breaks the rules: its device needs a reset, and then works. */
class BrokenDriverTest {
    private static final int NEXT = 1, WRITE = 2, INDIRECT = 4;

    private final EchoDevice device = new EchoDevice();
    private FakeDriver driver;
    private GuestMemory memory;
    private FakeQueue queue;

    @BeforeEach
    void start() {
        start(FakeDriver.ALL);
    }

    private void start(long features) {
        driver = new FakeDriver(device, features);
        memory = driver.memory;
        driver.start();
        queue = driver.queue(1);
    }

    @AfterEach
    void close() {
        driver.close();
    }

    private void descriptor(int index, long address, int length, int flags, int next) {
        long at = queue.descriptors() + 16L * index;
        memory.write64(at, address);
        memory.write32(at + 8, length);
        memory.write16(at + 12, flags);
        memory.write16(at + 14, next);
    }

    private void packed(int index, long address, int length, int flags) {
        descriptor(index, address, length, index, flags | 1 << 7);
    }

    private void offer(int head, int availableIndex) {
        memory.write16(queue.driverArea() + 4, head);
        memory.write16(queue.driverArea() + 2, availableIndex);
        driver.setRegister(0x50, 1);
    }

    private void assertBroken() {
        assertThat(driver.needsReset()).isTrue();
        assertThat(driver.acknowledge()).isEqualTo(2);
        assertThat(queue.poll()).isEmpty();
        driver.start();
        assertThat(driver.needsReset()).isFalse();
        queue = driver.queue(1);
        byte[] text = "well".getBytes(StandardCharsets.US_ASCII);
        assertThat(queue.request(List.of(text), 4).content()).isEqualTo(text);
    }

    @Test
    void chainThatIsARing_breaksTheDevice() {
        descriptor(0, 0x100, 4, NEXT, 1);
        descriptor(1, 0x100, 4, NEXT, 0);
        offer(0, 1);
        assertBroken();
    }

    @Test
    void headOutsideOfTheTable_breaksTheDevice() {
        offer(8, 1);
        assertBroken();
    }

    @Test
    void nextOutsideOfTheTable_breaksTheDevice() {
        descriptor(0, 0x100, 4, NEXT, 8);
        offer(0, 1);
        assertBroken();
    }

    @Test
    void indexTooFarAhead_breaksTheDevice() {
        offer(0, 9);
        assertBroken();
    }

    @Test
    void readableBufferAfterWritableOne_breaksTheDevice() {
        descriptor(0, 0x100, 4, NEXT | WRITE, 1);
        descriptor(1, 0x100, 4, 0, 0);
        offer(0, 1);
        assertBroken();
    }

    @Test
    void chainOfMoreThanFourGigabytes_breaksTheDevice() {
        descriptor(0, 0x100, -1, NEXT, 1);
        descriptor(1, 0x100, -1, 0, 0);
        offer(0, 1);
        assertBroken();
    }

    @Test
    void tableOfOddLength_breaksTheDevice() {
        descriptor(0, 0x100000, 24, INDIRECT, 0);
        offer(0, 1);
        assertBroken();
    }

    @Test
    void tableInsideOfATable_breaksTheDevice() {
        memory.write64(0x100000, 0x100000);
        memory.write32(0x100008, 16);
        memory.write16(0x10000c, INDIRECT);
        descriptor(0, 0x100000, 16, INDIRECT, 0);
        offer(0, 1);
        assertBroken();
    }

    @Test
    void tableOutsideOfRam_breaksTheDevice() {
        descriptor(0, -4096, 16, INDIRECT, 0);
        offer(0, 1);
        assertBroken();
    }

    @Test
    void tableThatWasNotNegotiated_breaksTheDevice() {
        close();
        start(FakeDriver.ALL & ~(1L << VirtioFeatures.RING_INDIRECT_DESC));
        descriptor(0, 0x100000, 16, INDIRECT, 0);
        offer(0, 1);
        assertBroken();
    }

    @Test
    void packedChainLongerThanTheRing_breaksTheDevice() {
        close();
        start(FakeDriver.ALL_PACKED);
        for (int i = 0; i < 8; i++) {
            packed(i, 0x100, 4, NEXT);
        }
        driver.setRegister(0x50, 1);
        assertBroken();
    }

    @Test
    void packedTableInsideOfATable_breaksTheDevice() {
        close();
        start(FakeDriver.ALL_PACKED);
        memory.write32(0x100008, 16);
        memory.write16(0x10000e, INDIRECT);
        packed(0, 0x100000, 16, INDIRECT);
        driver.setRegister(0x50, 1);
        assertBroken();
    }

    @Test
    void queueOfWrongSizeOrPlace_breaksTheDevice() {
        for (int[] wrong : new int[][] {{0x38, 0}, {0x38, 3}, {0x38, 16}, {0x80, 8}, {0xa0, 2}}) {
            driver.negotiate(driver.offered() & FakeDriver.ALL);
            driver.setUpQueue(0, 256);
            queue = driver.setUpQueue(1, 8);
            driver.setRegister(wrong[0], wrong[1]);
            driver.setRegister(0x70, 15);
            assertBroken();
        }
    }

    @Test
    void ringsOutsideOfRamAreHarmless() {
        driver.negotiate(driver.offered() & FakeDriver.ALL);
        driver.setUpQueue(0, 256);
        queue = driver.setUpQueue(1, 8);
        for (int register : new int[] {0x84, 0x94, 0xa4}) {
            driver.setRegister(register, -1);
        }
        driver.setRegister(0x70, 15);
        driver.setRegister(0x50, 1);
        assertBroken();
    }

    @Test
    void deviceIsNotActivated_whenFeaturesWereNotAccepted() {
        assertThat(driver.negotiate(1L << VirtioFeatures.VERSION_1)).isTrue();
        assertThat(driver.negotiate(0)).isFalse();
        assertThat(driver.negotiate(driver.offered() | 1L << 49)).isFalse();
        assertThat(driver.negotiate(1L << 55 | 1L << VirtioFeatures.VERSION_1)).isFalse();
        driver.setRegister(0x70, 15);
        assertThat(driver.status() & CommonConfiguration.DRIVER_OK).isZero();
        assertThat(device.setup).isNull();
    }

    @Test
    void completionAfterResetIsIgnored() {
        device.manual = true;
        queue.add(List.of(new byte[4]), 4);
        Virtqueue taken = device.setup.queue(1);
        DescriptorChain chain = new DescriptorChain();
        assertThat(taken.next(chain)).isTrue();
        driver.setRegister(0x70, 0);
        assertThat(device.resets).isPositive();
        byte[] before = new byte[1 << 16];
        memory.read(queue.deviceArea() & -4096, before, 0, before.length);
        taken.complete(chain, 4);
        assertThat(taken.next(chain)).isFalse();
        byte[] after = new byte[1 << 16];
        memory.read(queue.deviceArea() & -4096, after, 0, after.length);
        assertThat(after).isEqualTo(before);
        assertThat(driver.interrupts()).isZero();
    }

    @Test
    void registersOutsideOfTheRulesAreIgnored() {
        for (int offset = 0; offset < 0x1000; offset++) {
            for (int size : new int[] {1, 2, 4, 8}) {
                if (offset + size <= 0x1000 && offset != 0x70) {
                    assertThat(driver.transport.readMmio(offset, size) >>> 8 * (size - 1) >>> 8)
                            .isIn(0L, 0xffffffffffffffL);
                    driver.transport.writeMmio(offset, size, -1);
                }
            }
        }
        driver.setRegister(0x30, 2);
        assertThat(driver.register(0x34)).isZero();
        driver.setRegister(0x30, -1);
        driver.setRegister(0x38, 5);
        assertThat(driver.register(0x34)).isZero();
    }

    @Test
    void configurationChangeInterruptsAndCountsUp() {
        int before = driver.register(0xfc);
        device.signals.configurationChanged();
        assertThat(driver.register(0xfc)).isNotEqualTo(before);
        assertThat(driver.acknowledge()).isEqualTo(2);
        assertThat(driver.config(0, 8)).isEqualTo(0x8877665544332211L);
        assertThat(driver.config(3, 2)).isEqualTo(0x5544);
        assertThat(driver.config(7, 2)).isZero();
    }
}
