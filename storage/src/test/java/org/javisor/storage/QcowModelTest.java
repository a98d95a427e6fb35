package org.javisor.storage;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Random requests to qcow2 images of every shape, beside a model; then QEMU's opinion of them. */
class QcowModelTest {
    private static final int SIZE = (2 << 20) + 512 * 5;

    @TempDir private Path directory;

    /** Reads a shape such as {@code v3 c65536 r16 zstd ext lazy}. */
    private static QcowOptions options(String shape) {
        QcowOptions options = QcowOptions.of(SIZE);
        for (String word : shape.split(" ")) {
            int number = word.matches("[a-z][0-9]+") ? Integer.parseInt(word.substring(1)) : 0;
            options =
                    new QcowOptions(
                            SIZE,
                            word.startsWith("v") ? number : options.version(),
                            word.startsWith("c") ? number : options.clusterSize(),
                            word.startsWith("r") ? number : options.refcountBits(),
                            options.zstd() || word.equals("zstd"),
                            options.extendedL2() || word.equals("ext"),
                            options.lazyRefcounts() || word.equals("lazy"),
                            Optional.empty());
        }
        return options;
    }

    private BlockBackend open(Path file) {
        return Disks.open(DiskSpec.of(file), FullDiskHandler.failing());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "v3 c65536 r16",
                "v2 c65536 r16",
                "v3 c512 r16",
                "v3 c512 r1",
                "v3 c512 r64",
                "v3 c4096 r2",
                "v3 c4096 r4",
                "v3 c4096 r8",
                "v3 c4096 r32",
                "v3 c2097152 r16",
                "v3 c2097152 r64",
                "v3 c16384 r16 ext",
                "v3 c65536 r16 ext zstd",
                "v3 c2097152 r16 ext",
                "v3 c65536 r16 lazy",
                "v2 c1024 r16",
            })
    void contentsFollowAModel_whenWrittenAtRandom(String shape) throws IOException {
        for (boolean backed : new boolean[] {false, true}) {
            Path file = directory.resolve("disk-" + backed + ".qcow2");
            byte[] model = new byte[SIZE];
            QcowOptions options = options(shape);
            if (backed) {
                // Shorter than the disk: what is past its end is zeros.
                byte[] base = new byte[1 << 20];
                new Random(7).nextBytes(base);
                Files.write(directory.resolve("base.raw"), base);
                System.arraycopy(base, 0, model, 0, base.length);
                options = options.on(new QcowOptions.Backing("base.raw", DiskFormat.RAW));
            }
            Qcow.create(file, options);
            long seed = shape.hashCode() * 2L + (backed ? 1 : 0);
            Random random = new Random(seed);
            for (int round = 0; round < 2; round++) {
                try (BlockBackend disk = open(file)) {
                    exercise(disk, model, random, 40);
                    assertThat(Native.read(disk, 0, SIZE)).as("seed %d", seed).isEqualTo(model);
                }
                assertThat(Qcow.check(file)).as("seed %d", seed).isEmpty();
                qemuAgrees(file, model);
            }
        }
    }

    private void qemuAgrees(Path file, byte[] model) throws IOException {
        if (!Files.isExecutable(Path.of("/usr/bin/qemu-img"))) {
            return;
        }
        QemuImg.run("check", file);
        Path raw = directory.resolve("model.raw");
        Files.write(raw, model);
        QemuImg.run("compare", "-f", "qcow2", "-F", "raw", file, raw);
    }

    private static void exercise(BlockBackend disk, byte[] model, Random random, int requests) {
        for (int i = 0; i < requests; i++) {
            int length = random.nextInt(1, random.nextInt(4) == 0 ? 600_000 : 9_000);
            int offset = random.nextInt(SIZE - length);
            if (random.nextBoolean()) {
                offset &= -512;
                length = (length + 511) & -512;
            }
            byte[] bytes = new byte[length];
            switch (random.nextInt(6)) {
                case 0 -> {
                    disk.writeZeroes(offset, length, random.nextBoolean());
                    System.arraycopy(bytes, 0, model, offset, length);
                }
                case 1 -> {
                    disk.discard(offset, length);
                    // What is read now is up to the image: zeros or what was there.
                    byte[] now = Native.read(disk, offset, length);
                    for (int j = 0; j < length; j++) {
                        if (now[j] != 0 && now[j] != model[offset + j]) {
                            throw new AssertionError("byte " + (offset + j) + " after discard");
                        }
                    }
                    System.arraycopy(now, 0, model, offset, length);
                }
                case 2 -> disk.flush();
                case 3 ->
                        assertThat(Native.read(disk, offset, length))
                                .isEqualTo(Arrays.copyOfRange(model, offset, offset + length));
                default -> {
                    random.nextBytes(bytes);
                    MemorySegment whole = Native.of(bytes);
                    int cut = random.nextInt(length);
                    disk.write(offset, whole.asSlice(0, cut), whole.asSlice(cut));
                    System.arraycopy(bytes, 0, model, offset, length);
                }
            }
        }
    }
}
