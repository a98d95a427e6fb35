package org.javisor.storage;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Power is lost, or the disk fills, at any moment; what a flush has acknowledged must be there. */
class PowerLossTest {
    private static final int SIZE = 1 << 20;
    private static final int SECTOR = 512;
    private static final int ROUNDS = Integer.getInteger("javisor.powerloss.rounds", 4);

    /** For each sector the values that it may have: the acknowledged one and all later ones. */
    private static final class Expectation {
        private final boolean[][] allowed = new boolean[SIZE / SECTOR][256];
        private final int[] current = new int[SIZE / SECTOR];

        Expectation() {
            for (boolean[] values : allowed) {
                values[0] = true;
            }
        }

        void written(int first, int count, int value) {
            for (int sector = first; sector < first + count; sector++) {
                allowed[sector][value] = true;
                current[sector] = value;
            }
        }

        /** A discarded sector reads as before or as zeros. */
        void discarded(int first, int count) {
            for (int sector = first; sector < first + count; sector++) {
                allowed[sector][0] = true;
            }
        }

        void flushed(BlockBackend disk) {
            byte[] now = Native.read(disk, 0, SIZE);
            for (int sector = 0; sector < allowed.length; sector++) {
                int value = now[sector * SECTOR] & 0xff;
                if (!allowed[sector][value]) {
                    throw new AssertionError("sector " + sector + " is " + value);
                }
                Arrays.fill(allowed[sector], false);
                allowed[sector][value] = true;
            }
        }

        void verify(BlockBackend disk, String what) {
            byte[] now = Native.read(disk, 0, SIZE);
            for (int sector = 0; sector < allowed.length; sector++) {
                int value = now[sector * SECTOR] & 0xff;
                // Plain comparisons first: there are too many for fluent ones.
                int start = sector * SECTOR;
                boolean torn =
                        Arrays.mismatch(
                                        now,
                                        start,
                                        start + SECTOR - 1,
                                        now,
                                        start + 1,
                                        start + SECTOR)
                                >= 0;
                if (!allowed[sector][value] || torn) {
                    assertThat(allowed[sector][value] && !torn)
                            .as("%s: sector %d is %d, torn: %b", what, sector, value, torn)
                            .isTrue();
                }
            }
        }
    }

    private static QcowDisk open(HostFile file) {
        return open(file, Optional.empty());
    }

    private static QcowDisk open(HostFile file, Optional<BlockBackend> backing) {
        return QcowDisk.open(file, QcowHeaderReader.read(file), backing, false);
    }

    private static FaultyFile create(int clusterSize, boolean extended, int refcountBits) {
        FaultyFile file = new FaultyFile(new byte[0]);
        QcowCreator.create(
                file,
                new QcowOptions(
                        SIZE,
                        3,
                        clusterSize,
                        refcountBits,
                        false,
                        extended,
                        false,
                        Optional.empty()));
        return file;
    }

    private static void request(BlockBackend disk, Expectation expectation, Random random) {
        int first = random.nextInt(SIZE / SECTOR - 64);
        int count = random.nextInt(1, random.nextInt(3) == 0 ? 64 : 9);
        int value = random.nextInt(1, 256);
        switch (random.nextInt(8)) {
            case 0 -> {
                expectation.discarded(first, count);
                disk.discard((long) first * SECTOR, (long) count * SECTOR);
            }
            case 1 -> {
                expectation.written(first, count, 0);
                disk.writeZeroes(
                        (long) first * SECTOR, (long) count * SECTOR, random.nextBoolean());
            }
            case 2 -> {
                disk.flush();
                expectation.flushed(disk);
            }
            default -> {
                expectation.written(first, count, value);
                disk.write((long) first * SECTOR, Native.filled(value, count * SECTOR));
            }
        }
    }

    private static void requireSound(HostFile file, String what) {
        CheckReport report =
                QcowCheck.run(file, QcowHeaderReader.read(file), QcowCheck.Repair.NOTHING);
        assertThat(report.damages()).as("%s: %s", what, report.messages()).isZero();
    }

    @ParameterizedTest
    @ValueSource(strings = {"512 16", "4096 16", "4096 1", "65536 64", "16384 16 ext"})
    void acknowledgedWritesAreThere_whenPowerIsLost(String shape) {
        String[] words = shape.split(" ");
        boolean extended = words.length > 2;
        for (int round = 0; round < ROUNDS; round++) {
            Random random = new Random(round);
            String what = shape + ", seed " + round;
            FaultyFile file =
                    create(Integer.parseInt(words[0]), extended, Integer.parseInt(words[1]));
            Expectation expectation = new Expectation();
            for (int boot = 0; boot < 4; boot++) {
                QcowDisk disk = open(file);
                int requests = random.nextInt(60);
                for (int i = 0; i < requests; i++) {
                    request(disk, expectation, random);
                }
                file = file.afterPowerLoss(random);
                requireSound(file, what);
                QcowDisk again = open(file);
                expectation.verify(again, what);
                // What is there after the loss is what counts from now on.
                expectation.flushed(again);
                again.close();
                requireSound(file, what);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {512, 4096, 65536})
    void imageStaysSound_whenTheDiskFills(int clusterSize) {
        for (int round = 0; round < ROUNDS; round++) {
            Random random = new Random(round);
            String what = clusterSize + ", seed " + round;
            FaultyFile file = create(clusterSize, false, 16);
            Expectation expectation = new Expectation();
            QcowDisk disk = open(file);
            for (int i = 0; i < 100; i++) {
                file.fillUpAfter(random.nextInt(4) == 0 ? random.nextInt(3) : 1000);
                try {
                    request(disk, expectation, random);
                } catch (StorageException e) {
                    assertThat(e.code()).as(what).isEqualTo(StorageException.Code.NO_SPACE);
                }
                if (random.nextInt(20) == 0) {
                    FaultyFile lost = file.afterPowerLoss(random);
                    requireSound(lost, what);
                    expectation.verify(open(lost), what);
                }
            }
            file.fillUpAfter(Integer.MAX_VALUE);
            expectation.verify(disk, what);
            disk.flush();
            expectation.flushed(disk);
            disk.close();
            requireSound(file, what);
            expectation.verify(open(file), what);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {4096, 65536})
    void whatLiesUnderneathIsNotLost_whenPowerIsLostWhileItIsCopied(int clusterSize) {
        for (int round = 0; round < ROUNDS; round++) {
            Random random = new Random(round);
            String what = clusterSize + ", seed " + round;
            MemoryDisk base = new MemoryDisk(SIZE, false);
            Expectation expectation = new Expectation();
            for (int sector = 0; sector < SIZE / SECTOR; sector++) {
                int value = random.nextInt(1, 256);
                base.write((long) sector * SECTOR, Native.filled(value, SECTOR));
                Arrays.fill(expectation.allowed[sector], false);
                expectation.written(sector, 1, value);
            }
            FaultyFile file = create(clusterSize, false, 16);
            QcowDisk disk = open(file, Optional.of(base));
            int requests = random.nextInt(80);
            for (int i = 0; i < requests; i++) {
                request(disk, expectation, random);
            }
            file = file.afterPowerLoss(random);
            requireSound(file, what);
            expectation.verify(open(file, Optional.of(base)), what);
        }
    }
}
