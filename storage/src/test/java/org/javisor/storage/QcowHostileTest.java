package org.javisor.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Images that somebody made to do harm, and hosts that take files away. */
class QcowHostileTest {
    private static final int SIZE = 1 << 20;
    private static final int CLUSTER = 4096;

    @TempDir private Path directory;
    private Path file;

    @BeforeEach
    void makeImage() {
        file = directory.resolve("disk.qcow2");
        DiskImages.createQcow2(file, QcowOptions.of(SIZE).with("cluster_size=4k"), false);
        try (BlockBackend disk = open("")) {
            disk.write(0, Native.filled(1, 8 * CLUSTER));
        }
    }

    private BlockBackend open(String options) {
        return Disks.open(DiskSpec.parse(file + options), FullDiskHandler.failing());
    }

    private long word(long at) throws IOException {
        try (RandomAccessFile bytes = new RandomAccessFile(file.toFile(), "r")) {
            bytes.seek(at);
            return bytes.readLong();
        }
    }

    private void set(long at, long value, int size) throws IOException {
        try (RandomAccessFile bytes = new RandomAccessFile(file.toFile(), "rw")) {
            bytes.seek(at);
            if (size == 8) {
                bytes.writeLong(value);
            } else {
                bytes.writeInt((int) value);
            }
        }
    }

    private long l2Table() throws IOException {
        return word(word(40)) & L2Entry.OFFSET;
    }

    private boolean markedCorrupt() {
        return DiskImages.info(file, Optional.empty()).qcow().orElseThrow().corrupt();
    }

    @ParameterizedTest
    @CsvSource({
        "4, 4, 4", // version
        "20, 8, 4", // clusters too small
        "20, 22, 4", // too large
        "20, 1073741824, 4",
        "24, -1, 8", // size beyond 2^63
        "24, 9223372036854775807, 8", // just below
        "24, 9223372036854775296, 8",
        "36, 2147483647, 4", // L1 entries
        "36, -1, 4",
        "36, 0, 4",
        "40, 513, 8", // L1 table not aligned
        "40, -4096, 8",
        "40, 9223372036854771712, 8",
        "48, 513, 8", // refcount table
        "48, 0, 8",
        "56, 2147483647, 4",
        "56, 0, 4",
        "60, -1, 4", // snapshots
        "72, 32, 8", // features
        "72, -9223372036854775808, 8",
        "72, 8, 8", // says compressed with something, but not with what
        "96, 7, 4", // refcount width
        "96, -1, 4",
        "100, 96, 4", // header length
        "100, 2147483640, 4",
        "116, 2147483647, 4", // an extension's length
        "8, 4090, 8", // the name underneath past the cluster, with its length below
    })
    void imageIsRefused_whenItsHeaderIsImpossible(long at, long value, int size)
            throws IOException {
        set(16, 1000, 4);
        set(at, value, size);
        assertThatThrownBy(() -> open(""))
                .isInstanceOfSatisfying(
                        StorageException.class,
                        e -> {
                            assertThat(e.code())
                                    .isIn(
                                            StorageException.Code.BAD_FORMAT,
                                            StorageException.Code.UNSUPPORTED);
                            assertThat(e.getMessage()).hasLineCount(1);
                        });
    }

    @Test
    void circleIsNamed_whenImagesLieOnEachOther() {
        Path other = directory.resolve("other.qcow2");
        DiskImages.createQcow2(
                other,
                QcowOptions.of(SIZE).on(new QcowOptions.Backing("disk.qcow2", DiskFormat.QCOW2)),
                false);
        DiskImages.createQcow2(
                file,
                QcowOptions.of(SIZE).on(new QcowOptions.Backing("other.qcow2", DiskFormat.QCOW2)),
                true);
        assertThatThrownBy(() -> open(""))
                .hasMessageContaining("circle")
                .hasMessageContaining("other.qcow2");
    }

    @ParameterizedTest
    @ValueSource(strings = {"nbd://host/x", "json:{\"driver\":\"file\"}", "http://host/x"})
    void imageIsRefused_whenItLiesOnMoreThanAFile(String name) {
        FaultyFile overlay = new FaultyFile(new byte[0]);
        QcowCreator.create(
                overlay, QcowOptions.of(SIZE).on(new QcowOptions.Backing(name, DiskFormat.RAW)));
        byte[] bytes = BigEndian.readBytes(overlay, 0, (int) overlay.length());
        assertThatThrownBy(
                        () -> {
                            Files.write(file, bytes);
                            open("");
                        })
                .hasMessageContaining("not a plain file");
    }

    @ParameterizedTest
    @ValueSource(longs = {0x8000_0000_0000_0200L, 0x80ff_ffff_ffff_f000L, 0x8000_0000_0000_1001L})
    void requestsFailAndNothingIsWritten_whenAnEntryLeadsNowhere(long entry) throws IOException {
        set(l2Table(), entry, 8);
        try (BlockBackend disk = open("")) {
            // Far past the end there are zeros, as in any file; anything else is damage.
            try {
                Native.read(disk, 0, CLUSTER);
            } catch (StorageException e) {
                assertThat(e.code()).isEqualTo(StorageException.Code.CORRUPT);
            }
            assertThat(Native.read(disk, CLUSTER, CLUSTER)).containsOnly(1);
        } catch (StorageException e) {
            assertThat(e.code()).isEqualTo(StorageException.Code.CORRUPT);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"l1", "l2", "refcount table", "refcount block"})
    void tablesStayWhole_whenAnEntryLeadsToThem(String target) throws IOException {
        long place =
                switch (target) {
                    case "l1" -> word(40);
                    case "l2" -> l2Table();
                    case "refcount table" -> word(48);
                    default -> word(word(48));
                };
        set(l2Table(), place | L2Entry.COPIED, 8);
        byte[] before = Files.readAllBytes(file);
        BlockBackend disk = open("");
        assertThatThrownBy(() -> disk.write(0, Native.filled(9, 512)))
                .isInstanceOfSatisfying(
                        StorageException.class,
                        e -> assertThat(e.code()).isEqualTo(StorageException.Code.CORRUPT));
        assertThatThrownBy(() -> disk.write(CLUSTER, Native.filled(9, 512)))
                .hasMessageContaining("no more writes");
        assertThat(Native.read(disk, CLUSTER, 512)).containsOnly(1);
        assertThatThrownBy(disk::close).isInstanceOf(StorageException.class);

        byte[] after = Files.readAllBytes(file);
        after[79] = before[79]; // the mark
        assertThat(after).isEqualTo(before);
        assertThat(markedCorrupt()).isTrue();
        assertThatThrownBy(() -> open("")).hasMessageContaining("check --repair");
        open(",readonly").close();
    }

    @Test
    void damageIsNoticed_whenAClusterInUseCountsAsFree() throws IOException {
        long block = word(word(48));
        long tables = l2Table() / CLUSTER;
        // The L2 table's own refcount: the next cluster that is needed would be this one.
        set(block + 2 * tables, 0, 4);
        BlockBackend disk = open("");
        assertThatThrownBy(() -> disk.write(SIZE / 2, Native.filled(9, 512)))
                .isInstanceOfSatisfying(
                        StorageException.class,
                        e -> assertThat(e.code()).isEqualTo(StorageException.Code.CORRUPT));
        assertThatThrownBy(disk::close).isInstanceOf(StorageException.class);
        assertThat(markedCorrupt()).isTrue();
        assertThat(DiskImages.check(file, DiskImages.Repair.ALL).isClean()).isTrue();
        assertThat(markedCorrupt()).isFalse();
        try (BlockBackend again = open("")) {
            assertThat(Native.read(again, 0, 8 * CLUSTER)).containsOnly(1);
            again.write(SIZE / 2, Native.filled(9, 512));
        }
        assertThat(Qcow.check(file)).isEmpty();
    }

    @Test
    void bothDisksKeepTheirData_whenRefcountsOverlapped() throws IOException {
        // Two clusters of the disk lead to one of the file, which counts as used once.
        set(l2Table() + 8, word(l2Table()), 8);
        assertThat(DiskImages.check(file, DiskImages.Repair.NOTHING).damages()).isPositive();
        assertThat(DiskImages.check(file, DiskImages.Repair.ALL).isClean()).isTrue();
        try (BlockBackend disk = open("")) {
            disk.write(0, Native.filled(9, CLUSTER));
            assertThat(Native.read(disk, CLUSTER, CLUSTER)).containsOnly(1);
        }
        // What is left is a mark that says "shared" where nobody shares any more.
        assertThat(DiskImages.check(file, DiskImages.Repair.ALL).isClean()).isTrue();
        assertThat(Qcow.check(file)).isEmpty();
    }

    @Test
    void requestsFail_whenTheFileShrinksInUse() throws IOException {
        BlockBackend disk = open("");
        try (RandomAccessFile bytes = new RandomAccessFile(file.toFile(), "rw")) {
            bytes.setLength(bytes.length() - 4 * CLUSTER);
        }
        assertThatThrownBy(() -> Native.read(disk, 0, 8 * CLUSTER))
                .isInstanceOf(StorageException.class);
        disk.write(0, Native.filled(2, 512));
        assertThatThrownBy(disk::flush).hasMessageContaining("shorter");
        assertThatThrownBy(disk::close).isInstanceOf(StorageException.class);
    }

    @Test
    void nothingIsLeftBehind_whenACopyFails() throws IOException {
        set(l2Table(), 0x4000_0000_0000_0200L, 8); // compressed rubbish
        Path target = directory.resolve("copy.raw");
        assertThatThrownBy(
                        () ->
                                DiskImages.convert(
                                        DiskSpec.of(file),
                                        new ConvertTarget(target, Optional.empty(), false, false),
                                        Progress.none()))
                .isInstanceOf(StorageException.class);
        try (var files = Files.list(directory)) {
            assertThat(files).containsExactly(file);
        }
    }
}
