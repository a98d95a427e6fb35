package org.javisor.virtio.rng;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.javisor.virtio.FakeDriver;
import org.javisor.virtio.FakeQueue;
import org.junit.jupiter.api.Test;

class VirtioRngTest {
    private final AtomicInteger fills = new AtomicInteger();

    private void fill(byte[] bytes) {
        Arrays.fill(bytes, (byte) fills.incrementAndGet());
    }

    @Test
    void buffersAreFilledFromTheSource_upToAPieceEach() {
        try (FakeDriver driver = new FakeDriver(new VirtioRng("rng", this::fill), FakeDriver.ALL)) {
            driver.start();
            assertThat(driver.register(8)).isEqualTo(4);
            FakeQueue queue = driver.queue(0);
            assertThat(queue.request(List.of(), 3, 2).content()).containsExactly(1, 1, 1, 1, 1);
            FakeQueue.Used large = queue.request(List.of(new byte[5]), 10_000);
            assertThat(large.written()).isEqualTo(4096);
            assertThat(large.content()).startsWith(2, 2).endsWith(0, 0);
            assertThat(queue.request(List.of(new byte[5])).written()).isZero();
            driver.start();
            assertThat(driver.queue(0).request(List.of(), 1).content()).containsExactly(4);
        }
    }
}
