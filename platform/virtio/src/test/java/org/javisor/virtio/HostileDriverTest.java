package org.javisor.virtio;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.javisor.testkit.FakeClock;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Drivers that lie about everything: no device throws, hangs or forgets how to work, and after a
 * reset each serves an honest driver. {@code -Dvirtio.fuzz=CASES} and {@code -Dvirtio.seed=SEED}
 * make it longer and another.
 */
@Timeout(value = 20, unit = TimeUnit.MINUTES)
class HostileDriverTest {
    private static final int CASES = Integer.getInteger("virtio.fuzz", 6000);
    private static final long SEED = Long.getLong("virtio.seed", 20260101);

    @TempDir static Path folder;

    static Stream<FuzzTargets.Target> targets() {
        return FuzzTargets.all(folder);
    }

    @ParameterizedTest
    @MethodSource("targets")
    void deviceServesAnHonestDriver_afterAHostileOne(FuzzTargets.Target target) {
        System.out.printf("virtio-%s fuzzed with seed %d, %d cases%n", target, SEED, CASES);
        Queue<Throwable> escaped = new ConcurrentLinkedQueue<>();
        Thread.UncaughtExceptionHandler before = Thread.getDefaultUncaughtExceptionHandler();
        Thread.setDefaultUncaughtExceptionHandler((thread, e) -> escaped.add(e));
        VirtioDevice device = target.device().apply(new FakeClock());
        try (FakeDriver driver = new FakeDriver(device, FakeDriver.ALL_PACKED)) {
            Random random = new Random(SEED);
            Hostile hostile = new Hostile(target, device, driver, random);
            for (int i = 0; i < CASES; i++) {
                hostile.step();
            }
            assertThat(escaped).isEmpty();
            driver.start();
            FuzzTargets.Honest honest = target.honest();
            FakeQueue.Used used =
                    driver.queue(honest.queue())
                            .request(
                                    List.of(honest.readable()),
                                    honest.writable() == 0
                                            ? new int[0]
                                            : new int[] {honest.writable()});
            assertThat(used.written()).isEqualTo(honest.writable());
            assertThat(driver.needsReset()).isFalse();
        } finally {
            Thread.setDefaultUncaughtExceptionHandler(before);
        }
    }

    /** One driver and what it does next. */
    private static final class Hostile {
        private final FuzzTargets.Target target;
        private final FakeDriver driver;
        private final Random random;
        private final int queues;
        private int untilRestart;

        /**
         * Whether what the rings hold may no longer be what this driver and the device put there.
         */
        private boolean scribbled;

        Hostile(FuzzTargets.Target target, VirtioDevice device, FakeDriver driver, Random random) {
            this.target = target;
            this.driver = driver;
            this.random = random;
            queues = device.queueSizes().length;
        }

        void step() {
            if (untilRestart-- <= 0 || driver.needsReset() && random.nextInt(4) == 0) {
                restart();
            }
            int index = random.nextInt(queues);
            FakeQueue queue = driver.queue(index);
            switch (random.nextInt(16)) {
                case 0 -> scribble(queue);
                case 1 -> register();
                case 2 -> configuration();
                case 3 -> driver.setRegister(0x50, random.nextInt(4) - 1);
                case 4 -> {
                    if (random.nextInt(20) == 0) {
                        driver.transport.restore(driver.transport.save());
                    }
                }
                default -> request(queue);
            }
            if (random.nextBoolean()) {
                driver.setRegister(0x50, index);
            }
            if (random.nextInt(16) == 0) {
                // Waits for the device, so that the next steps find it at rest. Seldom, because
                // where it takes threads to wake, that is all the time goes into.
                driver.transport.save();
            }
            if (!scribbled) {
                queue.poll();
            }
        }

        private void restart() {
            long offered = driver.offered();
            long features = offered & (random.nextLong() | random.nextLong());
            features |= 1L << VirtioFeatures.VERSION_1;
            driver.start(random.nextInt(4) == 0 ? random.nextLong() : features);
            for (int i = 0; i < queues; i++) {
                driver.queue(i).useTables(random.nextBoolean());
            }
            untilRestart = 20 + random.nextInt(200);
            scribbled = false;
        }

        private void request(FakeQueue queue) {
            if (queue.room() < 8) {
                untilRestart = 0;
                return;
            }
            byte[] content = target.requests().apply(random);
            List<FakeQueue.Buffer> buffers = new ArrayList<>();
            int at = 0;
            while (at < content.length && buffers.size() < 3) {
                int part =
                        buffers.size() == 2 || random.nextBoolean()
                                ? content.length - at
                                : 1 + random.nextInt(content.length - at);
                buffers.add(new FakeQueue.Buffer(place(content, at, part), part, false));
                at += part;
            }
            for (int i = random.nextInt(4); i > 0 || buffers.isEmpty(); i--) {
                int length = 1 + random.nextInt(random.nextInt(16) == 0 ? 1 << 20 : 1500);
                long address = driver.allocateBuffer(length, 1);
                if (random.nextInt(16) == 0) {
                    address = FuzzTargets.odd(random) << random.nextInt(24);
                    length = (int) FuzzTargets.odd(random);
                    // May lie in the rings.
                    scribbled = true;
                }
                buffers.add(new FakeQueue.Buffer(address, length, true));
            }
            if (random.nextInt(64) == 0) {
                java.util.Collections.shuffle(buffers, random);
            }
            queue.add(buffers);
        }

        private long place(byte[] content, int from, int length) {
            long address = driver.allocateBuffer(length, 1);
            driver.memory.write(address, content, from, length);
            return address;
        }

        private void scribble(FakeQueue queue) {
            scribbled = true;
            long[] places = {queue.descriptors(), queue.driverArea(), queue.deviceArea()};
            long place = places[random.nextInt(3)];
            for (int i = random.nextInt(4); i >= 0; i--) {
                long at = place + 2 * random.nextInt(random.nextInt(4) == 0 ? 512 : 12);
                driver.memory.write16(at, (int) FuzzTargets.odd(random));
            }
            untilRestart = Math.min(untilRestart, 10);
        }

        private void register() {
            scribbled = true;
            int offset = random.nextInt(0x100) & (random.nextInt(4) == 0 ? -1 : -4);
            int size = random.nextInt(4) == 0 ? 1 << random.nextInt(4) : 4;
            driver.transport.readMmio(offset, size);
            driver.transport.writeMmio(offset, size, FuzzTargets.odd(random));
        }

        private void configuration() {
            int size = 1 << random.nextInt(4);
            int offset = 0x100 + random.nextInt(80);
            driver.transport.readMmio(offset, size);
            driver.transport.writeMmio(offset, size, FuzzTargets.odd(random));
        }
    }
}
