package org.javisor.virtio.balloon;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Map;
import org.javisor.virtio.FakeDriver;
import org.javisor.virtio.FakeQueue;
import org.javisor.virtio.balloon.VirtioBalloon.Statistic;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class VirtioBalloonTest {
    private static final int PAGE = 4096;

    private final VirtioBalloon balloon = new VirtioBalloon("balloon");
    private final FakeDriver driver = new FakeDriver(balloon, FakeDriver.ALL);

    @BeforeEach
    void start() {
        driver.start();
    }

    @AfterEach
    void close() {
        driver.close();
    }

    private static byte[] pages(int... numbers) {
        ByteBuffer bytes = ByteBuffer.allocate(4 * numbers.length).order(ByteOrder.LITTLE_ENDIAN);
        for (int number : numbers) {
            bytes.putInt(number);
        }
        return bytes.array();
    }

    private void mark(int page) {
        driver.memory.write8((long) page * PAGE, 1);
    }

    private boolean marked(int page) {
        return driver.memory.read8((long) page * PAGE) == 1;
    }

    @Test
    void pagesGoBackToTheHost_whenTheGuestInflates() {
        for (int page = 7000; page < 7010; page++) {
            mark(page);
        }
        FakeQueue inflate = driver.queue(0);
        inflate.request(List.of(pages(7001, 7002, 7005), pages(7004, -1, 0x7fffffff)));
        assertThat(List.of(7000, 7003, 7006)).allMatch(this::marked);
        assertThat(List.of(7001, 7002, 7004, 7005)).noneMatch(this::marked);
        assertThat(balloon.givenBack()).isEqualTo(4 * PAGE);
        driver.queue(1).request(List.of(pages(7001)));
        driver.transport.writeMmio(0x104, 4, 3);
        assertThat(balloon.actual()).isEqualTo(3 * PAGE);
    }

    @Test
    void pagesGoBackToTheHost_whenTheGuestReportsThem() {
        for (int queue : new int[] {3, 4}) {
            FakeQueue reports = driver.queue(queue);
            reports.add(List.of(), 3 * PAGE);
            long before = balloon.givenBack();
            reports.kick();
            assertThat(reports.await().written()).isZero();
            // The buffer is not aligned here: two whole pages at least, three at most.
            assertThat(balloon.givenBack() - before).isBetween(2L * PAGE, 3L * PAGE);
        }
    }

    @Test
    void guestHearsOfANewTarget() {
        driver.acknowledge();
        balloon.setTarget(10 * PAGE + 1);
        assertThat(driver.acknowledge()).isEqualTo(2);
        assertThat(driver.config(0, 4)).isEqualTo(10);
    }

    @Test
    void statisticsAreReadAgain_eachTimeTheyAreAskedFor() {
        FakeQueue queue = driver.queue(2);
        for (long free = 100; free < 103; free++) {
            byte[] bytes =
                    ByteBuffer.allocate(30)
                            .order(ByteOrder.LITTLE_ENDIAN)
                            .putShort((short) 4)
                            .putLong(free)
                            .putShort((short) 99)
                            .putLong(1)
                            .putShort((short) 5)
                            .putLong(500)
                            .array();
            queue.add(List.of(bytes));
            queue.kick();
            long expected = free;
            FakeDriver.await(
                    () ->
                            balloon.statistics()
                                    .equals(
                                            Map.of(
                                                    Statistic.FREE,
                                                    expected,
                                                    Statistic.TOTAL,
                                                    500L)));
            assertThat(queue.poll()).isEmpty();
            if (free == 100) {
                driver.transport.save();
            }
            if (free == 101) {
                driver.transport.restore(driver.transport.save());
                FakeDriver.await(() -> !balloon.statistics().isEmpty());
            }
            balloon.askForStatistics();
            assertThat(queue.await().written()).isZero();
        }
    }
}
