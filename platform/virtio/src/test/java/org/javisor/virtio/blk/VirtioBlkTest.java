package org.javisor.virtio.blk;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Semaphore;
import org.javisor.storage.StorageException;
import org.javisor.testkit.FakeClock;
import org.javisor.virtio.FakeDriver;
import org.javisor.virtio.FakeQueue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class VirtioBlkTest {
    private static final int OK = 0, IO_ERROR = 1, UNSUPPORTED = 2;
    private static final long SIZE = 1 << 20;

    private final FakeClock clock = new FakeClock();
    private final List<RuntimeException> complaints = new CopyOnWriteArrayList<>();
    private ScriptedDisk disk = new ScriptedDisk(SIZE, false);
    private FakeDriver driver;

    private FakeQueue start(BlkConfig config, long features) {
        VirtioBlk device = new VirtioBlk("disk", disk, config, clock, complaints::add);
        driver = new FakeDriver(device, features);
        driver.start();
        return driver.queue(0);
    }

    private FakeQueue start() {
        return start(BlkConfig.DEFAULT, FakeDriver.ALL);
    }

    @AfterEach
    void close() {
        if (disk.gate != null) {
            disk.gate.release(1000);
        }
        if (driver != null) {
            driver.close();
        }
    }

    private static byte[] header(int type, long sector) {
        return ByteBuffer.allocate(16)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(type)
                .putInt(0)
                .putLong(sector)
                .array();
    }

    private static byte[] range(long sector, int count, int flags) {
        return ByteBuffer.allocate(16)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(sector)
                .putInt(count)
                .putInt(flags)
                .array();
    }

    private static int status(FakeQueue.Used used) {
        assertThat(used.written()).isEqualTo(used.content().length);
        return used.content()[used.content().length - 1];
    }

    private int write(FakeQueue queue, long sector, byte[] data) {
        return status(queue.request(List.of(header(BlkRequest.WRITE, sector), data), 1));
    }

    private byte[] read(FakeQueue queue, long sector, int length) {
        byte[] content =
                queue.request(List.of(header(BlkRequest.READ, sector)), length, 1).content();
        assertThat(content[length]).isEqualTo((byte) OK);
        return Arrays.copyOf(content, length);
    }

    @ParameterizedTest
    @ValueSource(longs = {FakeDriver.ALL, FakeDriver.ALL_PACKED})
    void whatIsWrittenIsReadAgain_howeverItIsSplitIntoBuffers(long features) {
        FakeQueue queue = start(BlkConfig.DEFAULT, features);
        long seed = 4711;
        Random random = new Random(seed);
        byte[] expected = new byte[(int) SIZE];
        for (int i = 0; i < 2000; i++) {
            queue.useTables(random.nextBoolean());
            int length = 512 * (1 + random.nextInt(16));
            int sector = random.nextInt((int) SIZE / 512 - 16);
            if (random.nextBoolean()) {
                byte[] data = new byte[length];
                random.nextBytes(data);
                System.arraycopy(data, 0, expected, 512 * sector, length);
                List<byte[]> parts = new ArrayList<>();
                parts.add(header(BlkRequest.WRITE, sector));
                int cut = random.nextInt(length);
                parts.add(Arrays.copyOf(data, cut));
                parts.add(Arrays.copyOfRange(data, cut, length));
                assertThat(status(queue.request(parts, 1))).as("seed %d", seed).isEqualTo(OK);
            } else {
                int cut = 1 + random.nextInt(length - 1);
                byte[] header = header(BlkRequest.READ, sector);
                FakeQueue.Used used =
                        queue.request(
                                List.of(
                                        Arrays.copyOf(header, 5),
                                        Arrays.copyOfRange(header, 5, 16)),
                                cut,
                                length - cut,
                                1);
                assertThat(status(used)).isEqualTo(OK);
                assertThat(Arrays.copyOf(used.content(), length))
                        .as("seed %d", seed)
                        .isEqualTo(
                                Arrays.copyOfRange(expected, 512 * sector, 512 * sector + length));
            }
        }
    }

    @Test
    void configurationDescribesTheDisk() {
        start(new BlkConfig("", 3, 0, 0), FakeDriver.ALL);
        assertThat(driver.register(8)).isEqualTo(2);
        assertThat(driver.config(0, 8)).isEqualTo(SIZE / 512);
        assertThat(driver.config(12, 4)).isEqualTo(254);
        assertThat(driver.config(20, 4)).isEqualTo(512);
        assertThat(driver.config(32, 1)).isEqualTo(1);
        assertThat(driver.config(34, 2)).isEqualTo(3);
        assertThat(driver.config(44, 4)).isEqualTo(8);
        for (int i = 0; i < 3; i++) {
            assertThat(write(driver.queue(i), i, new byte[512])).isEqualTo(OK);
        }
    }

    @Test
    void serialNumberIsGiven_paddedWithZeros() {
        FakeQueue queue = start(new BlkConfig("disk-1", 1, 0, 0), FakeDriver.ALL);
        FakeQueue.Used used = queue.request(List.of(header(BlkRequest.GET_ID, 0)), 20, 1);
        assertThat(status(used)).isEqualTo(OK);
        assertThat(new String(used.content(), 0, 20, StandardCharsets.US_ASCII))
                .isEqualTo("disk-1" + "\0".repeat(14));
    }

    @Test
    void discardAndWriteZeroesReachTheDisk() {
        FakeQueue queue = start();
        byte[] data = new byte[4096];
        Arrays.fill(data, (byte) 7);
        write(queue, 0, data);
        byte[] discard = header(BlkRequest.DISCARD, 0);
        byte[] zeroes = header(BlkRequest.WRITE_ZEROES, 0);
        assertThat(status(queue.request(List.of(discard, range(8, 8, 0), range(80, 1, 0)), 1)))
                .isEqualTo(OK);
        assertThat(status(queue.request(List.of(zeroes, range(1, 2, 1)), 1))).isEqualTo(OK);
        assertThat(status(queue.request(List.of(zeroes, range(4, 1, 0)), 1))).isEqualTo(OK);
        assertThat(disk.calls)
                .containsExactly(
                        "write 0",
                        "discard 4096+4096",
                        "discard 40960+512",
                        "zero 512+1024 unmap",
                        "zero 2048+512");
        assertThat(status(queue.request(List.of(discard, range(8, 8, 1)), 1)))
                .isEqualTo(UNSUPPORTED);
        assertThat(status(queue.request(List.of(zeroes, range(8, 8, 2)), 1)))
                .isEqualTo(UNSUPPORTED);
        assertThat(status(queue.request(List.of(zeroes, range(2047, 2, 0)), 1)))
                .isEqualTo(IO_ERROR);
        assertThat(status(queue.request(List.of(zeroes, range(-1, 2, 0)), 1))).isEqualTo(IO_ERROR);
        assertThat(status(queue.request(List.of(zeroes, new byte[15]), 1))).isEqualTo(IO_ERROR);
        assertThat(status(queue.request(List.of(zeroes, range(0, -1, 0)), 1))).isEqualTo(IO_ERROR);
    }

    @Test
    void requestIsAnsweredWithAnError_whenItCannotBeCarriedOut() {
        FakeQueue queue = start();
        assertThat(write(queue, 2047, new byte[1024])).isEqualTo(IO_ERROR);
        assertThat(write(queue, -1, new byte[512])).isEqualTo(IO_ERROR);
        assertThat(write(queue, Long.MAX_VALUE, new byte[512])).isEqualTo(IO_ERROR);
        assertThat(write(queue, 0, new byte[513])).isEqualTo(IO_ERROR);
        assertThat(status(queue.request(List.of(header(99, 0)), 1))).isEqualTo(UNSUPPORTED);
        assertThat(disk.calls).isEmpty();
        disk.failure = new StorageException(StorageException.Code.IO, "The disk is on fire");
        assertThat(write(queue, 0, new byte[512])).isEqualTo(IO_ERROR);
        assertThat(status(queue.request(List.of(header(BlkRequest.FLUSH, 0)), 1)))
                .isEqualTo(IO_ERROR);
        assertThat(complaints).containsExactly(disk.failure);
    }

    @Test
    void writesAreRefused_whenTheDiskIsReadOnly() {
        disk = new ScriptedDisk(SIZE, true);
        FakeQueue queue = start();
        assertThat(driver.offered() >>> 5 & 1).isEqualTo(1);
        assertThat(driver.offered() >>> 13 & 3).isZero();
        assertThat(write(queue, 0, new byte[512])).isEqualTo(IO_ERROR);
        assertThat(status(queue.request(List.of(header(11, 0), range(8, 8, 0)), 1)))
                .isEqualTo(IO_ERROR);
        assertThat(disk.calls).isEmpty();
        assertThat(read(queue, 0, 512)).isEqualTo(new byte[512]);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void deviceNeedsAReset_whenARequestHasNoHeaderOrStatus(boolean noStatus) {
        FakeQueue queue = start();
        if (noStatus) {
            queue.add(List.of(header(BlkRequest.FLUSH, 0)));
        } else {
            queue.add(List.of(new byte[15]), 1);
        }
        queue.kick();
        FakeDriver.await(driver::needsReset);
        driver.start();
        assertThat(write(driver.queue(0), 0, new byte[512])).isEqualTo(OK);
    }

    @Test
    void everyWriteIsFlushed_whenTheDriverDoesNotFlushOrTurnsTheCacheOff() {
        FakeQueue queue = start(BlkConfig.DEFAULT, FakeDriver.ALL & ~(1L << 9));
        write(queue, 0, new byte[512]);
        assertThat(disk.calls).containsExactly("write 0", "flush");
        driver.close();
        disk = new ScriptedDisk(SIZE, false);
        queue = start();
        write(queue, 0, new byte[512]);
        driver.transport.writeMmio(0x120, 1, 0);
        write(queue, 1, new byte[512]);
        driver.transport.writeMmio(0x120, 1, 1);
        write(queue, 2, new byte[512]);
        assertThat(disk.calls).containsExactly("write 0", "write 512", "flush", "write 1024");
    }

    @Test
    void requestsAreCarriedOutSideBySide_whenTheDiskIsSlow() {
        FakeQueue queue = start();
        disk.gate = new Semaphore(0);
        for (int i = 1; i <= 5; i++) {
            queue.add(List.of(header(BlkRequest.READ, i)), 512, 1);
            queue.kick();
            int expected = i;
            FakeDriver.await(() -> disk.running.get() == expected);
        }
        assertThat(queue.poll()).isEmpty();
        disk.gate.release(5);
        for (int i = 0; i < 5; i++) {
            assertThat(status(queue.await())).isEqualTo(OK);
        }
    }

    @Test
    void resetWaitsForWhatIsUnderWay_andForgetsTheRest() {
        FakeQueue queue = start();
        disk.gate = new Semaphore(0);
        queue.add(List.of(header(BlkRequest.READ, 1)), 512, 1);
        queue.kick();
        FakeDriver.await(() -> disk.running.get() == 1);
        Thread reset = Thread.ofPlatform().start(() -> driver.setRegister(0x70, 0));
        FakeDriver.await(() -> reset.getState() == Thread.State.WAITING);
        assertThat(driver.status()).isNotZero();
        disk.gate.release();
        FakeDriver.await(() -> !reset.isAlive());
        assertThat(driver.status()).isZero();
        disk.gate = null;
        driver.start();
        assertThat(read(driver.queue(0), 0, 512)).hasSize(512);
    }

    @Test
    void requestsWait_whenTheyAreLimited() {
        FakeQueue queue = start(new BlkConfig("", 1, 0, 10), FakeDriver.ALL);
        for (int i = 0; i < 12; i++) {
            queue.add(List.of(header(BlkRequest.READ, i)), 512, 1);
        }
        queue.kick();
        FakeDriver.await(
                () -> {
                    clock.advance(10_000_000);
                    return disk.calls.size() == 7;
                });
        // The first one is free, and the second waits for a moment only.
        assertThat(clock.nanos()).isGreaterThanOrEqualTo(500_000_000L);
        driver.transport.save();
        assertThat(disk.calls).hasSize(12);
    }

    private void addReads(FakeQueue queue, int count, int length) {
        for (int i = 0; i < count; i++) {
            queue.add(List.of(header(BlkRequest.READ, i)), length, 1);
        }
        queue.kick();
    }

    /** Alarms may be set, by the device's thread, for a time that has just passed. */
    private void awaitCalls(int least) {
        FakeDriver.await(
                () -> {
                    clock.advance(0);
                    return disk.calls.size() >= least;
                });
    }

    /** A request each ten milliseconds, however that is said. */
    @ParameterizedTest
    @CsvSource({"512000, 0", "0, 100", "512000, 100"})
    void requestsPassAtTheRate_afterABurstOfATenthOfASecond(long bytes, long operations) {
        FakeQueue queue = start(new BlkConfig("", 1, bytes, operations), FakeDriver.ALL);
        addReads(queue, 60, 5120);
        FakeDriver.await(() -> disk.calls.size() == 10);
        for (int step = 1; step <= 50; step++) {
            int least = 9 + step;
            clock.advance(10_000_000);
            awaitCalls(least);
        }
        assertThat(disk.calls).hasSizeBetween(59, 60);
        clock.advance(5_000_000_000L);
        for (int i = 0; i < 60; i++) {
            queue.await();
        }
        clock.advance(5_000_000_000L);
        addReads(queue, 30, 5120);
        // What was not used in ten seconds is worth a tenth of a second, not more.
        FakeDriver.await(() -> disk.calls.size() == 70);
        clock.advance(100_000_000);
        awaitCalls(71);
        assertThat(disk.calls).hasSizeBetween(71, 81);
    }

    @Test
    void nothingIsUnderWay_whenTheDeviceIsSavedAndRestored() {
        FakeQueue queue = start();
        driver.transport.writeMmio(0x120, 1, 0);
        for (int i = 0; i < 50; i++) {
            queue.add(List.of(header(BlkRequest.READ, i)), 512, 1);
        }
        queue.kick();
        var state = driver.transport.save();
        driver.transport.reset();
        driver.transport.restore(state);
        for (int i = 0; i < 50; i++) {
            assertThat(status(queue.await())).isEqualTo(OK);
        }
        assertThat(driver.config(32, 1)).isZero();
    }

    @Test
    void diskIsClosed_whenTheDeviceIs() {
        start();
        driver.close();
        driver = null;
        assertThat(disk.closed.getCount()).isZero();
    }
}
