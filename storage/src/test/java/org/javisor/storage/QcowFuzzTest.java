package org.javisor.storage;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;

/**
 * Images with random damage. Whatever is in them, the only exceptions are {@link StorageException},
 * nothing hangs, and nobody writes over the tables.
 *
 * <p>Longer runs: {@code -Djavisor.fuzz.cases=N}, another beginning: {@code -Djavisor.fuzz.seed=N}.
 */
class QcowFuzzTest {
    private static final int CASES = Integer.getInteger("javisor.fuzz.cases", 1500);
    private static final long SEED = Long.getLong("javisor.fuzz.seed", 1);
    private static final int SIZE = 1 << 18;

    /** What a number in a header or table is likely to go wrong at. */
    private static final long[] INTERESTING = {
        0,
        1,
        -1,
        511,
        512,
        4096,
        65536,
        1L << 31,
        (1L << 31) - 1,
        1L << 32,
        1L << 55,
        1L << 56,
        1L << 62,
        Long.MAX_VALUE,
        Long.MIN_VALUE,
        0xffff_ffff_ffff_0000L,
        0x8000_0000_0001_0000L,
        0x4000_0000_0000_1000L,
        0x00ff_ffff_ffff_fe00L,
    };

    private final List<byte[]> images =
            List.of(
                    image("cluster_size=4k", false),
                    image("cluster_size=512", false),
                    image("cluster_size=4k,compression_type=zstd", true),
                    image("cluster_size=32k", true),
                    image("cluster_size=16k,extended_l2=on", false),
                    image("cluster_size=4k,compat=0.10", true));

    private static byte[] image(String options, boolean compressed) {
        FaultyFile file = new FaultyFile(new byte[0]);
        QcowOptions shape = QcowOptions.of(SIZE).with(options);
        QcowCreator.create(file, shape);
        Random random = new Random(5);
        try (QcowDisk disk = open(file, false)) {
            for (int i = 0; i < 20; i++) {
                int offset = random.nextInt(SIZE / 512 - 16) * 512;
                disk.write(offset, Native.filled(i + 1, random.nextInt(1, 16) * 512));
            }
            if (compressed) {
                byte[] cluster = new byte[shape.clusterSize()];
                Arrays.fill(cluster, (byte) 9);
                byte[] packed = ClusterCodec.compress(disk.header().compression(), cluster);
                for (int i = 0; i < Math.min(8, SIZE / shape.clusterSize()); i++) {
                    disk.writeCompressed(i, packed);
                }
            }
        }

        return BigEndian.readBytes(file, 0, (int) file.length());
    }

    private static QcowDisk open(HostFile file, boolean readOnly) {
        return QcowDisk.open(file, QcowHeaderReader.read(file), Optional.empty(), readOnly);
    }

    @Test
    void onlyStorageExceptionsAppear_whenImagesAreDamaged() {
        System.out.printf("qcow2 fuzzing: seed %d, %d cases%n", SEED, CASES);
        int opened = 0;
        for (int i = 0; i < CASES; i++) {
            Random random = new Random(SEED + i);
            byte[] image = damage(images.get(random.nextInt(images.size())), random);
            long begun = System.nanoTime();
            try {
                opened += exercise(image, random);
            } catch (RuntimeException | Error e) {
                throw new AssertionError("seed " + (SEED + i), e);
            }
            long seconds = (System.nanoTime() - begun) / 1_000_000_000;
            assertThat(seconds).as("seconds of seed %d", SEED + i).isLessThan(20);
        }
        // Most damage is beyond the header: the cases go deep.
        assertThat(opened).isGreaterThan(CASES / 3);
    }

    private static byte[] damage(byte[] sound, Random random) {
        byte[] image = sound.clone();
        ByteBuffer words = ByteBuffer.wrap(image);
        int changes = random.nextInt(1, 6);
        for (int i = 0; i < changes; i++) {
            // The header, the tables behind it, or anything.
            int range =
                    switch (random.nextInt(4)) {
                        case 0 -> 112;
                        case 1 -> Math.min(image.length, 65536 * 4 + 4096);
                        default -> image.length;
                    };
            int at = random.nextInt(range - 8) & (random.nextBoolean() ? -8 : -1);
            long interesting = INTERESTING[random.nextInt(INTERESTING.length)];
            switch (random.nextInt(6)) {
                case 0 -> image[at] ^= (byte) (1 << random.nextInt(8));
                case 1 -> words.putInt(at, (int) interesting);
                case 2 -> words.putLong(at, random.nextLong());
                case 3 -> words.putLong(at, random.nextLong(image.length) & -512);
                case 4 ->
                        words.putLong(
                                at, L2Entry.COPIED | random.nextLong(image.length / 512 + 1) * 512);
                default -> words.putLong(at, interesting);
            }
        }
        return random.nextInt(10) == 0 ? Arrays.copyOf(image, random.nextInt(image.length)) : image;
    }

    private static int exercise(byte[] image, Random random) {
        int opened = 0;
        try (QcowDisk disk = open(FaultyFile.lasting(image), true)) {
            opened = 1;
            requests(disk, random, false);
        } catch (StorageException e) {
            expected(e);
        }
        FaultyFile file = FaultyFile.lasting(image);
        try (QcowDisk disk = open(file, false)) {
            requests(disk, random, true);
        } catch (StorageException e) {
            expected(e);
        }
        QcowCheck.Repair[] repairs = QcowCheck.Repair.values();
        try {
            QcowCheck.run(
                    file, QcowHeaderReader.read(file), repairs[random.nextInt(repairs.length)]);
        } catch (StorageException e) {
            expected(e);
        }
        return opened;
    }

    private static void expected(StorageException e) {
        assertThat(e.getMessage()).hasLineCount(1);
    }

    private static void requests(QcowDisk disk, Random random, boolean write) {
        long sectors = Math.max(1, disk.size() / 512 - 64);
        for (int i = 0; i < 12; i++) {
            long offset = random.nextLong(Math.min(sectors, random.nextBoolean() ? 400 : sectors));
            int length = (int) Math.min(disk.size() - offset * 512, 512L * random.nextInt(1, 16));
            try {
                switch (write ? random.nextInt(6) : 0) {
                    case 0, 1 -> Native.read(disk, offset * 512, length);
                    case 2 -> disk.discard(offset * 512, length);
                    case 3 -> disk.writeZeroes(offset * 512, length, random.nextBoolean());
                    case 4 -> disk.flush();
                    default -> disk.write(offset * 512, Native.filled(i, length));
                }
            } catch (StorageException e) {
                expected(e);
            }
        }
    }

    @Test
    void onlyStorageExceptionsAppear_whenHeadersAreRandom() {
        Random random = new Random(SEED);
        byte[] sound = Arrays.copyOf(images.getFirst(), 1024);
        int accepted = 0;
        for (int i = 0; i < CASES * 10; i++) {
            byte[] header = sound.clone();
            ByteBuffer words = ByteBuffer.wrap(header);
            for (int changes = random.nextInt(1, 5); changes > 0; changes--) {
                int at = random.nextInt(4, 160);
                if (random.nextBoolean()) {
                    header[at] = (byte) random.nextInt();
                } else {
                    words.putLong(at, INTERESTING[random.nextInt(INTERESTING.length)]);
                }
            }
            try {
                QcowHeaderReader.parse(Path.of("fuzz"), words);
                accepted++;
            } catch (StorageException e) {
                expected(e);
            }
        }
        assertThat(accepted).isPositive();
    }
}
