package org.javisor.virtio;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.stream.Stream;
import org.javisor.network.MacAddress;
import org.javisor.network.UserNetwork;
import org.javisor.network.UserNetworkConfig;
import org.javisor.share.SharedFolder;
import org.javisor.storage.MemoryDisk;
import org.javisor.testkit.FakeClock;
import org.javisor.virtio.balloon.VirtioBalloon;
import org.javisor.virtio.blk.BlkConfig;
import org.javisor.virtio.blk.VirtioBlk;
import org.javisor.virtio.console.ConsolePort;
import org.javisor.virtio.console.VirtioConsole;
import org.javisor.virtio.net.VirtioNet;
import org.javisor.virtio.p9.Virtio9p;
import org.javisor.virtio.rng.VirtioRng;
import org.javisor.virtio.vsock.VirtioVsock;
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

    /**
     * A device under test.
     *
     * @param requests what a request to it begins with, more or less
     * @param honest a request that must work in the end: queue, readable part, writable length
     */
    private record Target(
            String name,
            Function<FuzzedParts, VirtioDevice> device,
            Function<Random, byte[]> requests,
            Honest honest) {
        @Override
        public String toString() {
            return name;
        }
    }

    private record Honest(int queue, byte[] readable, int writable) {}

    private record FuzzedParts(FakeClock clock) {}

    static Stream<Target> targets() {
        return Stream.of(
                new Target(
                        "blk",
                        parts ->
                                new VirtioBlk(
                                        "blk",
                                        new MemoryDisk(1 << 20, false),
                                        new BlkConfig("fuzz", 2, 0, 0),
                                        parts.clock(),
                                        failure -> {}),
                        HostileDriverTest::blkRequest,
                        new Honest(0, blkHeader(0, 0), 513)),
                new Target(
                        "rng",
                        parts -> new VirtioRng("rng", bytes -> {}),
                        random -> new byte[random.nextInt(8)],
                        new Honest(0, new byte[0], 8)),
                new Target(
                        "balloon",
                        parts -> new VirtioBalloon("balloon"),
                        HostileDriverTest::pages,
                        new Honest(0, new byte[4], 0)),
                new Target(
                        "console",
                        parts ->
                                new VirtioConsole(
                                        "console",
                                        List.of(
                                                new ConsolePort("a", (data, at, length) -> {}),
                                                new ConsolePort("b", (data, at, length) -> {}))),
                        HostileDriverTest::control,
                        new Honest(1, new byte[4], 0)),
                new Target(
                        "vsock",
                        parts -> {
                            VirtioVsock vsock = new VirtioVsock("vsock", 7);
                            vsock.listen(
                                    80,
                                    stream -> {
                                        stream.accept();
                                        byte[] buffer = new byte[1000];
                                        int count;
                                        while ((count = stream.read(buffer, 0, 1000)) >= 0) {
                                            stream.write(buffer, 0, count);
                                        }
                                    });
                            return vsock;
                        },
                        HostileDriverTest::packet,
                        new Honest(1, new byte[44], 0)),
                new Target(
                        "net",
                        parts ->
                                new VirtioNet(
                                        "net",
                                        MacAddress.random(0),
                                        1400,
                                        2,
                                        new UserNetwork(
                                                "fuzz",
                                                UserNetworkConfig.DEFAULT.withRestrict(true))),
                        HostileDriverTest::frame,
                        new Honest(1, new byte[72], 0)),
                new Target(
                        "9p",
                        parts -> new Virtio9p("9p", SharedFolder.open(folder, true), "fuzz"),
                        HostileDriverTest::fileRequest,
                        new Honest(0, VERSION_REQUEST, 21)));
    }

    /** {@code Tversion} with 8 KiB. */
    private static final byte[] VERSION_REQUEST =
            ByteBuffer.allocate(21)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putInt(21)
                    .put((byte) 100)
                    .putShort((short) -1)
                    .putInt(8192)
                    .putShort((short) 8)
                    .put("9P2000.L".getBytes(StandardCharsets.US_ASCII))
                    .array();

    /** A header and the head of an ARP request, or a command for the control queue. */
    private static byte[] frame(Random random) {
        if (random.nextInt(3) == 0) {
            return new byte[] {
                (byte) random.nextInt(7), (byte) random.nextInt(3), (byte) random.nextInt(3), 0
            };
        }
        ByteBuffer frame = ByteBuffer.allocate(54);
        frame.put((byte) random.nextInt(2)).put((byte) random.nextInt(6));
        frame.putShort(4, (short) random.nextInt()).putShort(6, (short) random.nextInt(0x4000));
        frame.putLong(12, -1).putLong(18, 0x00123456_0806_0001L).putInt(26, 0x08000604);
        return frame.putInt(30, 0x00015254).putInt(50, 0x0a000202).array();
    }

    /** Requests by number 0 to 3, with a name where some have one. */
    private static byte[] fileRequest(Random random) {
        int[] types = {8, 12, 14, 24, 40, 50, 72, 76, 104, 108, 110, 116, 118, 120, 122};
        ByteBuffer request = ByteBuffer.allocate(64).order(ByteOrder.LITTLE_ENDIAN);
        request.putInt(random.nextInt(8) == 0 ? random.nextInt() : 64)
                .put((byte) types[random.nextInt(types.length)])
                .putShort((short) random.nextInt(4))
                .putInt(random.nextInt(4))
                .putShort((short) 1)
                .put((byte) ('a' + random.nextInt(3)))
                .putInt(random.nextInt(4))
                .putLong(odd(random));
        return random.nextInt(16) == 0 ? VERSION_REQUEST : request.array();
    }

    private static byte[] blkHeader(int type, long sector) {
        return ByteBuffer.allocate(16)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(type)
                .putInt(0)
                .putLong(sector)
                .array();
    }

    private static long odd(Random random) {
        return switch (random.nextInt(4)) {
            case 0 -> random.nextInt(4096);
            case 1 -> random.nextLong();
            case 2 -> (1L << random.nextInt(64)) - random.nextInt(3);
            default -> random.nextInt(64);
        };
    }

    private static byte[] blkRequest(Random random) {
        int[] types = {0, 1, 4, 8, 11, 13, 14, random.nextInt()};
        byte[] rest = new byte[random.nextInt(4) * 16 + random.nextInt(2) * 512];
        ByteBuffer fields = ByteBuffer.wrap(rest).order(ByteOrder.LITTLE_ENDIAN);
        for (int at = 0; at + 16 <= Math.min(rest.length, 64); at += 16) {
            fields.putLong(at, odd(random)).putInt(at + 8, (int) odd(random));
        }
        byte[] header = blkHeader(types[random.nextInt(types.length)], odd(random));
        return ByteBuffer.allocate(16 + rest.length).put(header).put(rest).array();
    }

    private static byte[] pages(Random random) {
        ByteBuffer bytes =
                ByteBuffer.allocate(4 * random.nextInt(20) + random.nextInt(3))
                        .order(ByteOrder.LITTLE_ENDIAN);
        while (bytes.remaining() >= 4) {
            // Not the rings', which lie below 8 MiB.
            bytes.putInt(random.nextInt(8) == 0 ? random.nextInt() : 2048 + random.nextInt(6144));
        }
        return bytes.array();
    }

    private static byte[] control(Random random) {
        return ByteBuffer.allocate(8)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(random.nextInt(8) == 0 ? random.nextInt() : random.nextInt(3))
                .putShort((short) random.nextInt(9))
                .putShort((short) random.nextInt(3))
                .array();
    }

    private static byte[] packet(Random random) {
        int length = random.nextInt(2) * random.nextInt(3000);
        return ByteBuffer.allocate(44 + length)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(random.nextInt(16) == 0 ? odd(random) : 7)
                .putLong(random.nextInt(16) == 0 ? odd(random) : 2)
                .putInt(random.nextInt(4))
                .putInt(80 + random.nextInt(2))
                .putInt(random.nextInt(8) == 0 ? (int) odd(random) : length)
                .putShort((short) (random.nextInt(16) == 0 ? random.nextInt() : 1))
                .putShort((short) random.nextInt(9))
                .putInt(random.nextInt(4))
                .putInt((int) odd(random))
                .putInt((int) odd(random))
                .array();
    }

    @ParameterizedTest
    @MethodSource("targets")
    void deviceServesAnHonestDriver_afterAHostileOne(Target target) {
        System.out.printf("virtio-%s fuzzed with seed %d, %d cases%n", target, SEED, CASES);
        Queue<Throwable> escaped = new ConcurrentLinkedQueue<>();
        Thread.UncaughtExceptionHandler before = Thread.getDefaultUncaughtExceptionHandler();
        Thread.setDefaultUncaughtExceptionHandler((thread, e) -> escaped.add(e));
        FakeClock clock = new FakeClock();
        VirtioDevice device = target.device().apply(new FuzzedParts(clock));
        try (FakeDriver driver = new FakeDriver(device, FakeDriver.ALL_PACKED)) {
            Random random = new Random(SEED);
            Hostile hostile = new Hostile(target, device, driver, random);
            for (int i = 0; i < CASES; i++) {
                hostile.step();
            }
            assertThat(escaped).isEmpty();
            driver.start();
            Honest honest = target.honest();
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
        private final Target target;
        private final FakeDriver driver;
        private final Random random;
        private final int queues;
        private int untilRestart;

        /**
         * Whether what the rings hold may no longer be what this driver and the device put there.
         */
        private boolean scribbled;

        Hostile(Target target, VirtioDevice device, FakeDriver driver, Random random) {
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
            if (random.nextInt(4) == 0) {
                // Waits for the device, so that the next steps find it at rest.
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
                    address = odd(random) << random.nextInt(24);
                    length = (int) odd(random);
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
                driver.memory.write16(at, (int) odd(random));
            }
            untilRestart = Math.min(untilRestart, 10);
        }

        private void register() {
            scribbled = true;
            int offset = random.nextInt(0x100) & (random.nextInt(4) == 0 ? -1 : -4);
            int size = random.nextInt(4) == 0 ? 1 << random.nextInt(4) : 4;
            driver.transport.readMmio(offset, size);
            driver.transport.writeMmio(offset, size, odd(random));
        }

        private void configuration() {
            int size = 1 << random.nextInt(4);
            int offset = 0x100 + random.nextInt(80);
            driver.transport.readMmio(offset, size);
            driver.transport.writeMmio(offset, size, odd(random));
        }
    }
}
