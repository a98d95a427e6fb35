package org.javisor.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Several threads on one disk, each with sectors of its own, often in the same clusters. */
class QcowConcurrencyTest {
    private static final int SIZE = 4 << 20;
    private static final int THREADS = 6;
    private static final int REQUESTS = Integer.getInteger("javisor.concurrency.requests", 400);

    @TempDir private Path directory;

    @ParameterizedTest
    @ValueSource(strings = {"cluster_size=64k", "cluster_size=512", "extended_l2=on"})
    void everybodySeesTheirOwnSectors_whenManyWriteAtOnce(String options) throws Exception {
        Path file = directory.resolve("disk.qcow2");
        DiskImages.createQcow2(file, QcowOptions.of(SIZE).with(options), false);
        everybodyWorks(DiskSpec.of(file));
        assertThat(Qcow.check(file)).isEmpty();
    }

    @Test
    void everybodySeesTheirOwnSectors_whenThePageCacheIsGoneRound() throws Exception {
        Path file = directory.resolve("disk.qcow2");
        DiskImages.createQcow2(file, QcowOptions.of(SIZE).with("cluster_size=512"), false);
        try {
            everybodyWorks(DiskSpec.of(file).withCache(CacheMode.NONE));
        } catch (StorageException e) {
            assumeThat(e.code()).as(e.getMessage()).isNotEqualTo(StorageException.Code.UNSUPPORTED);
            throw e;
        }
        assertThat(Qcow.check(file)).isEmpty();
    }

    private static void everybodyWorks(DiskSpec spec) throws Exception {
        try (BlockBackend disk = Disks.open(spec, FullDiskHandler.failing());
                ExecutorService threads = Executors.newFixedThreadPool(THREADS)) {
            List<Future<?>> all = new ArrayList<>();
            for (int i = 0; i < THREADS; i++) {
                int number = i;
                all.add(threads.submit(() -> work(disk, number)));
            }
            for (Future<?> one : all) {
                one.get();
            }
        }
    }

    /** Every THREADS-th run of 8 sectors belongs to a thread. */
    private static void work(BlockBackend disk, int number) {
        Random random = new Random(number);
        byte[] expected = new byte[SIZE / 4096];
        for (int i = 0; i < REQUESTS; i++) {
            int block = random.nextInt(SIZE / 4096 / THREADS) * THREADS + number;
            long offset = block * 4096L;
            int value = random.nextInt(1, 256);
            switch (random.nextInt(8)) {
                case 0 -> {
                    disk.writeZeroes(offset, 4096, random.nextBoolean());
                    expected[block] = 0;
                }
                case 1 -> disk.flush();
                case 2, 3 -> {
                    byte[] now = Native.read(disk, offset, 4096);
                    byte[] wanted = new byte[4096];
                    Arrays.fill(wanted, expected[block]);
                    assertThat(now).as("thread %d, request %d", number, i).isEqualTo(wanted);
                }
                default -> {
                    disk.write(offset, Native.filled(value, 4096));
                    expected[block] = (byte) value;
                }
            }
        }
        for (int block = number; block < SIZE / 4096; block += THREADS) {
            byte[] wanted = new byte[4096];
            Arrays.fill(wanted, expected[block]);
            assertThat(Native.read(disk, block * 4096L, 4096)).isEqualTo(wanted);
        }
    }
}
