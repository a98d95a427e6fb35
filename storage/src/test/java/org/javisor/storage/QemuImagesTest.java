package org.javisor.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Images made by QEMU's own tools, with each of their options. */
class QemuImagesTest {
    private static final int SIZE = 4 << 20;

    @TempDir private Path directory;
    private Path raw;
    private Path file;
    private byte[] model;

    @BeforeEach
    void makeModel() throws IOException {
        QemuImg.assumePresent();
        model = new byte[SIZE];
        new Random(3).nextBytes(model);
        // Some that is zero, some that can be compressed.
        Arrays.fill(model, 1_000_000, 2_000_000, (byte) 0);
        Arrays.fill(model, 2_000_000, 3_000_000, (byte) 7);
        raw = directory.resolve("model.raw");
        file = directory.resolve("disk.qcow2");
        Files.write(raw, model);
    }

    private BlockBackend open(String options) {
        return Disks.open(DiskSpec.parse(file + options), FullDiskHandler.failing());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "compat=1.1",
                "compat=0.10",
                "cluster_size=512",
                "cluster_size=4k",
                "cluster_size=2M",
                "refcount_bits=1",
                "refcount_bits=8",
                "refcount_bits=64",
                "lazy_refcounts=on",
                "extended_l2=on",
                "extended_l2=on,cluster_size=16k",
                "preallocation=metadata",
                "preallocation=falloc",
                "preallocation=full",
                "compression_type=zstd",
                "-c compat=1.1",
                "-c compat=0.10",
                "-c cluster_size=4k",
                "-c cluster_size=2M",
                "-c refcount_bits=1",
                "-c compression_type=zstd",
                "-c compression_type=zstd,cluster_size=512",
                "-c compression_type=zstd,cluster_size=2M",
                "-c extended_l2=on",
            })
    void contentsAreReadAndStayWhole_whenQemuMadeTheImage(String options) throws IOException {
        if (options.startsWith("-c ")) {
            QemuImg.run(
                    "convert",
                    "-c",
                    "-f",
                    "raw",
                    "-O",
                    "qcow2",
                    "-o",
                    options.substring(3),
                    raw,
                    file);
        } else {
            QemuImg.run("convert", "-f", "raw", "-O", "qcow2", "-o", options, raw, file);
        }
        try (BlockBackend disk = open("")) {
            assertThat(Native.read(disk, 0, SIZE)).isEqualTo(model);
            change(disk, 11, 40);
        }
        assertSame();
        try (BlockBackend disk = open("")) {
            disk.discard(0, SIZE);
            disk.writeZeroes(0, SIZE, true);
            Arrays.fill(model, (byte) 0);
        }
        assertSame();
    }

    private void change(BlockBackend disk, long seed, int writes) {
        Random random = new Random(seed);
        for (int i = 0; i < writes; i++) {
            byte[] bytes = new byte[random.nextInt(1, 50_000)];
            random.nextBytes(bytes);
            int offset = random.nextInt(SIZE - bytes.length);
            disk.write(offset, Native.of(bytes));
            System.arraycopy(bytes, 0, model, offset, bytes.length);
        }
    }

    private void assertSame() throws IOException {
        QemuImg.run("check", file);
        Files.write(raw, model);
        QemuImg.run("compare", "-F", "raw", file, raw);
        assertThat(Qcow.check(file)).isEmpty();
    }

    @Test
    void snapshotKeepsItsContents_whenTheDiskIsWritten() throws IOException {
        QemuImg.run("convert", "-f", "raw", "-O", "qcow2", raw, file);
        QemuImg.run("snapshot", "-c", "before", file);
        byte[] before = model.clone();
        try (BlockBackend disk = open("")) {
            change(disk, 12, 30);
            disk.discard(0, 1 << 20);
            disk.writeZeroes(0, 1 << 20, true);
            Arrays.fill(model, 0, 1 << 20, (byte) 0);
        }
        assertSame();
        try (BlockBackend disk = open(",readonly,at=before")) {
            assertThat(Native.read(disk, 0, SIZE)).isEqualTo(before);
        }
        assertThatThrownBy(() -> open(",readonly,at=later")).hasMessageContaining("no snapshot");
        QemuImg.run("snapshot", "-d", "before", file);
        assertSame();
        QemuImg.run("snapshot", "-c", "between", file);
        QemuImg.run("snapshot", "-a", "between", file);
        try (BlockBackend disk = open("")) {
            change(disk, 13, 30);
        }
        assertSame();
    }

    @Test
    void chainReadsThroughAllImages_whenFormatsAreMixed() throws IOException {
        Path middle = directory.resolve("middle.qcow2");
        QemuImg.run("create", "-q", "-f", "qcow2", "-b", "model.raw", "-F", "raw", middle);
        QemuImg.io(middle, "write -P 0x11 64k 100k", "discard 1M 64k", "write -z 2M 128k");
        Arrays.fill(model, 65536, 65536 + 102400, (byte) 0x11);
        Arrays.fill(model, 2 << 20, (2 << 20) + 131072, (byte) 0);
        QemuImg.run(
                "create",
                "-q",
                "-f",
                "qcow2",
                "-o",
                "extended_l2=on",
                "-b",
                "middle.qcow2",
                "-F",
                "qcow2",
                file,
                "5M");
        try (BlockBackend disk = open("")) {
            assertThat(disk.size()).isEqualTo(5 << 20);
            assertThat(Native.read(disk, 0, SIZE)).isEqualTo(model);
            assertThat(Native.read(disk, SIZE, 1 << 20)).containsOnly(0);
            change(disk, 14, 50);
            assertThat(Native.read(disk, 0, SIZE)).isEqualTo(model);
            // The image underneath is in use.
            assertThatThrownBy(() -> Disks.open(DiskSpec.of(middle), FullDiskHandler.failing()))
                    .hasMessageContaining("uses it");
        }
        QemuImg.run("check", file);
        Path flat = directory.resolve("flat.raw");
        QemuImg.run("convert", "-O", "raw", file, flat);
        assertThat(Arrays.copyOf(Files.readAllBytes(flat), SIZE)).isEqualTo(model);
    }

    @Test
    void refcountsAreRepaired_whenALazyImageWasNotClosed() throws IOException {
        QemuImg.run("create", "-q", "-f", "qcow2", "-o", "lazy_refcounts=on", file, "4M");
        QemuImg.call(
                "qemu-io",
                "-f",
                "qcow2",
                "-c",
                "write -P 0x22 0 1M",
                "-c",
                "flush",
                "-c",
                "abort",
                file);
        assertThat(DiskImages.info(file, java.util.Optional.empty()).qcow().orElseThrow().dirty())
                .isTrue();
        Arrays.fill(model, (byte) 0);
        Arrays.fill(model, 0, 1 << 20, (byte) 0x22);
        try (BlockBackend disk = open("")) {
            assertThat(Native.read(disk, 0, SIZE)).isEqualTo(model);
            change(disk, 15, 20);
        }
        assertSame();
    }

    @Test
    void qemuIsKeptOut_whileTheDiskIsOpen() throws IOException {
        QemuImg.run("convert", "-f", "raw", "-O", "qcow2", raw, file);
        try (BlockBackend disk = open("")) {
            assertThat(disk.readOnly()).isFalse();
            QemuImg.Result result = QemuImg.call("qemu-img", "check", file);
            assertThat(result.status()).as(result.output()).isNotZero();
            assertThat(result.output()).contains("lock");
        }
        QemuImg.run("check", file);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "encrypt.format=aes,encrypt.key-secret=s",
                "data_file=data.raw",
            })
    void imageIsRefusedClearly_whenItsFeaturesAreMissingHere(String options) {
        QemuImg.Result made =
                QemuImg.call(
                        "qemu-img",
                        "create",
                        "-q",
                        "--object",
                        "secret,id=s,data=x",
                        "-f",
                        "qcow2",
                        "-o",
                        options.replace("data.raw", directory.resolve("data.raw").toString()),
                        file,
                        "1M");
        assertThat(made.status()).as(made.output()).isZero();
        assertRefusedAsUnsupported();
    }

    /**
     * The header's field says LUKS without qemu-img making such an image: for that it times its key
     * derivation, and gives up where processor time is not counted finely enough.
     */
    @Test
    void imageIsRefusedClearly_whenItIsEncryptedWithLuks() throws IOException {
        QemuImg.run("create", "-f", "qcow2", file, "1M");
        try (RandomAccessFile bytes = new RandomAccessFile(file.toFile(), "rw")) {
            bytes.seek(32);
            bytes.writeInt(2);
        }
        assertRefusedAsUnsupported();
    }

    private void assertRefusedAsUnsupported() {
        assertThatThrownBy(() -> open(""))
                .isInstanceOfSatisfying(
                        StorageException.class,
                        e -> {
                            assertThat(e.code()).isEqualTo(StorageException.Code.UNSUPPORTED);
                            assertThat(e.getMessage()).hasLineCount(1).contains("qemu-img convert");
                        });
    }

    @Test
    void damageIsFoundAndRepaired_whenRefcountsAreWiped() throws IOException {
        QemuImg.run("convert", "-f", "raw", "-O", "qcow2", raw, file);
        try (RandomAccessFile bytes = new RandomAccessFile(file.toFile(), "rw")) {
            bytes.seek(48);
            long table = bytes.readLong();
            bytes.seek(table);
            long block = bytes.readLong();
            bytes.seek(block);
            bytes.write(new byte[40]);
            bytes.seek(block + 200);
            bytes.write(new byte[] {0, 1, 0, 1});
        }
        CheckReport before = DiskImages.check(file, DiskImages.Repair.NOTHING);
        assertThat(before.damages()).isPositive();
        assertThat(before.isClean()).isFalse();
        CheckReport repair = DiskImages.check(file, DiskImages.Repair.ALL);
        assertThat(repair.isClean()).isTrue();
        assertSame();
    }

    @ParameterizedTest
    @ValueSource(strings = {"cluster_size=512", "compat=1.1", "extended_l2=on", "compat=0.10"})
    void qemuAgreesOnContents_whenTheDiskIsResized(String options) throws IOException {
        QemuImg.run("convert", "-f", "raw", "-O", "qcow2", "-o", options, raw, file);
        java.util.Optional<DiskFormat> any = java.util.Optional.empty();
        DiskImages.resize(file, any, 40L << 20, false);
        QemuImg.run("check", file);
        QemuImg.run("compare", "-F", "raw", file, raw);
        int cut = (1 << 20) - 512 * 3;
        DiskImages.resize(file, any, cut, true);
        QemuImg.run("check", file);
        DiskImages.resize(file, any, SIZE, false);
        Arrays.fill(model, cut, SIZE, (byte) 0);
        assertSame();
        assertThatThrownBy(() -> DiskImages.resize(file, any, 512, false))
                .hasMessageContaining("--shrink");
    }

    @Test
    void whatLiesUnderneathStaysHidden_whenAnOverlayGrows() throws IOException {
        QemuImg.run("create", "-q", "-f", "qcow2", "-b", "model.raw", "-F", "raw", file, "1M");
        DiskImages.resize(file, java.util.Optional.empty(), SIZE, false);
        Arrays.fill(model, 1 << 20, SIZE, (byte) 0);
        try (BlockBackend disk = open("")) {
            assertThat(Native.read(disk, 0, SIZE)).isEqualTo(model);
        }
        QemuImg.run("check", file);
    }

    @Test
    void ephemeralDiskForgets_whenClosed() throws IOException {
        QemuImg.run("convert", "-f", "raw", "-O", "qcow2", raw, file);
        byte[] before = Files.readAllBytes(file);
        try (BlockBackend disk = open(",ephemeral");
                BlockBackend other = open(",ephemeral")) {
            byte[] kept = model.clone();
            change(disk, 16, 30);
            disk.flush();
            assertThat(Native.read(disk, 0, SIZE)).isEqualTo(model);
            assertThat(Native.read(other, 0, SIZE)).isEqualTo(kept);
        }
        assertThat(Files.readAllBytes(file)).isEqualTo(before);
    }
}
