package org.javisor.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class RawDiskTest {
    private static final int SIZE = 1 << 20;

    @TempDir private Path directory;
    private Path file;

    @BeforeEach
    void makeFile() throws IOException {
        file = directory.resolve("disk.raw");
        try (RandomAccessFile raw = new RandomAccessFile(file.toFile(), "rw")) {
            raw.setLength(SIZE);
        }
    }

    private BlockBackend open(String options) {
        return Disks.open(DiskSpec.parse(file + options), FullDiskHandler.failing());
    }

    @ParameterizedTest
    @EnumSource(CacheMode.class)
    void contentsFollowAModel_whenWrittenAtRandom(CacheMode cache) throws IOException {
        byte[] model = new byte[SIZE];
        long seed = 42;
        Random random = new Random(seed);
        BlockBackend opened;
        try {
            opened = open(",format=raw,cache=" + cache.word());
        } catch (StorageException e) {
            assumeThat(e.code()).as(e.getMessage()).isNotEqualTo(StorageException.Code.UNSUPPORTED);
            throw e;
        }
        try (BlockBackend disk = opened) {
            for (int i = 0; i < 200; i++) {
                int offset = random.nextInt(SIZE - 70_000);
                byte[] bytes = new byte[random.nextInt(1, 70_000)];
                random.nextBytes(bytes);
                MemorySegment whole = Native.of(bytes);
                int cut = random.nextInt(bytes.length);
                switch (random.nextInt(4)) {
                    case 0 -> {
                        disk.writeZeroes(offset, bytes.length, random.nextBoolean());
                        Arrays.fill(bytes, (byte) 0);
                    }
                    case 1 -> disk.write(offset, whole);
                    default -> disk.write(offset, whole.asSlice(0, cut), whole.asSlice(cut));
                }
                System.arraycopy(bytes, 0, model, offset, bytes.length);
            }
            disk.flush();
            assertThat(Native.read(disk, 0, SIZE)).as("seed %d", seed).isEqualTo(model);
            assertThat(Native.read(disk, 513, 777)).isEqualTo(Arrays.copyOfRange(model, 513, 1290));
        }
        assertThat(Files.readAllBytes(file)).as("seed %d", seed).isEqualTo(model);
    }

    @Test
    void hostGetsSpaceBack_whenDiscarded() throws Exception {
        try (BlockBackend disk = open(",format=raw")) {
            disk.write(0, Native.filled(1, SIZE));
            disk.flush();
            long before = blocks();
            disk.discard(0, SIZE);
            disk.flush();

            assertThat(Native.read(disk, 0, SIZE)).containsOnly(0);
            assertThat(blocks()).isLessThan(before);
        }
    }

    private long blocks() throws Exception {
        Process du =
                new ProcessBuilder("du", "-k", file.toString()).redirectErrorStream(true).start();
        String text = new String(du.getInputStream().readAllBytes());
        return Long.parseLong(text.split("\\s+")[0]);
    }

    @Test
    void lastSectorReadsAsZerosPastTheEnd_whenTheFileIsNotWhole() throws IOException {
        Files.write(file, new byte[700]);
        try (BlockBackend disk = open(",format=raw")) {
            assertThat(disk.size()).isEqualTo(1024);
            assertThat(Native.read(disk, 512, 512)).containsOnly(0);
        }
    }

    @Test
    void lastSectorIsRead_whenThePageCacheIsGoneRound() throws IOException {
        byte[] contents = new byte[9000];
        new Random(1).nextBytes(contents);
        Files.write(file, contents);
        try (BlockBackend disk = open(",format=raw,readonly,cache=none")) {
            byte[] read = Native.read(disk, 0, 9216);
            assertThat(Arrays.copyOf(read, 9000)).isEqualTo(contents);
            assertThat(Arrays.copyOfRange(read, 9000, 9216)).containsOnly(0);
        } catch (StorageException e) {
            assumeThat(e.code()).as(e.getMessage()).isNotEqualTo(StorageException.Code.UNSUPPORTED);
            throw e;
        }
    }

    @Test
    void requestsFail_whenTheFileShrinksInUse() throws IOException {
        try (BlockBackend disk = open(",format=raw,readonly");
                RandomAccessFile other = new RandomAccessFile(file.toFile(), "rw")) {
            other.setLength(SIZE / 2);

            assertThatThrownBy(() -> Native.read(disk, SIZE - 512, 512))
                    .isInstanceOf(StorageException.class)
                    .hasMessageContaining("shorter");
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {-1, SIZE, SIZE + 1, Long.MAX_VALUE, Long.MIN_VALUE, SIZE - 511})
    void requestsAreRefused_whenOutsideTheDisk(long offset) {
        try (BlockBackend disk = open(",format=raw")) {
            assertThatThrownBy(() -> disk.read(offset, Native.filled(0, 512)))
                    .isInstanceOfSatisfying(
                            StorageException.class,
                            e ->
                                    assertThat(e.code())
                                            .isEqualTo(StorageException.Code.OUT_OF_RANGE));
            assertThatThrownBy(() -> disk.writeZeroes(offset, 512, true))
                    .isInstanceOf(StorageException.class);
        }
    }

    @Test
    void secondWriterIsRefused_whenOneHasTheFile() {
        try (BlockBackend disk = open(",format=raw")) {
            assertThatThrownBy(() -> open(",format=raw"))
                    .isInstanceOfSatisfying(
                            StorageException.class,
                            e -> {
                                assertThat(e.code()).isEqualTo(StorageException.Code.LOCKED);
                                assertThat(e.getMessage()).hasLineCount(1);
                            });
            assertThatThrownBy(() -> open(",format=raw,readonly"))
                    .isInstanceOf(StorageException.class);
            disk.write(0, Native.filled(1, 512));
        }
        open(",format=raw").close();
    }

    @Test
    void readersShareAFile_whenNobodyWrites() {
        try (BlockBackend first = open(",format=raw,readonly");
                BlockBackend second = open(",format=raw,readonly")) {
            assertThat(second.size()).isEqualTo(first.size());
            assertThatThrownBy(() -> open(",format=raw")).isInstanceOf(StorageException.class);
        }
    }

    @Test
    void guestCannotMakeTheFileAnImage_whenItsFormatWasGuessed() {
        try (BlockBackend disk = open("")) {
            byte[] header = new byte[512];
            header[0] = 'Q';
            header[1] = 'F';
            header[2] = 'I';
            header[3] = (byte) 0xfb;
            disk.write(0, Native.of(Arrays.copyOf(header, 3)));

            assertThatThrownBy(() -> disk.write(0, Native.of(header)))
                    .isInstanceOf(StorageException.class);
            assertThatThrownBy(() -> disk.write(3, Native.filled(0xfb, 1)))
                    .isInstanceOf(StorageException.class);
        }
    }

    @Test
    void oneLineSaysWhy_whenAFileCannotBeOpened() throws IOException {
        file = directory.resolve("missing");
        assertThatThrownBy(() -> open("")).hasMessage("Cannot open " + file + ": no such file");
        file = directory;
        assertThatThrownBy(() -> open("")).hasMessageContaining("neither a file nor a block");
    }
}
