package org.javisor.storage;

import static org.assertj.core.api.Assertions.assertThat;

import io.airlift.compress.v3.zstd.ZstdJavaDecompressor;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.URISyntaxException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A process that writes is killed in the middle: what it had flushed is there, the image whole. */
class KillTest {
    private static final int KILLS = Integer.getInteger("javisor.kills", 2);
    private static final int BLOCKS = CrashWriter.SIZE / CrashWriter.BLOCK;

    @TempDir private Path directory;

    /** The last number of each block that a flush has acknowledged, and the last one written. */
    private final int[] acknowledged = new int[BLOCKS];

    private final int[] written = new int[BLOCKS];

    @ParameterizedTest
    @ValueSource(
            strings = {"cluster_size=64k", "cluster_size=4k", "extended_l2=on,cluster_size=16k"})
    void flushedWritesAreThere_whenTheWriterIsKilled(String options) throws Exception {
        Path file = directory.resolve("disk.qcow2");
        DiskImages.createQcow2(file, QcowOptions.of(CrashWriter.SIZE).with(options), false);
        for (int i = 0; i < KILLS; i++) {
            long seed = options.hashCode() + i;
            int lines = new Random(seed).nextInt(500, 4000);
            writeAndKill(file, seed, lines);
            verify(file, options + ", seed " + seed);
        }
    }

    private void writeAndKill(Path file, long seed, int lines) throws Exception {
        Process process =
                new ProcessBuilder(
                                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                                "-XX:TieredStopAtLevel=1",
                                "--enable-native-access=ALL-UNNAMED",
                                "-cp",
                                classPath(),
                                CrashWriter.class.getName(),
                                file.toString(),
                                String.valueOf(seed))
                        .redirectError(ProcessBuilder.Redirect.INHERIT)
                        .start();
        try (BufferedReader reader =
                new BufferedReader(new InputStreamReader(process.getInputStream()))) {
            for (int i = 0; ; i++) {
                if (i == lines) {
                    // Not through the process, which would close the pipe as well.
                    process.toHandle().destroyForcibly();
                }
                String line = reader.readLine();
                if (line == null) {
                    break;
                }
                note(line);
            }
        }
        assertThat(process.waitFor()).isEqualTo(128 + 9);
    }

    private void note(String line) {
        String[] words = line.split(" ");
        if (words[0].equals("f") && words.length == 2) {
            System.arraycopy(written, 0, acknowledged, 0, BLOCKS);
        } else if (words[0].equals("w") && words.length == 3) {
            written[Integer.parseInt(words[1])] = Integer.parseInt(words[2]);
        }
    }

    private void verify(Path file, String what) {
        CheckReport report = DiskImages.check(file, DiskImages.Repair.NOTHING);
        assertThat(report.damages()).as("%s: %s", what, report.messages()).isZero();
        if (Files.isExecutable(Path.of("/usr/bin/qemu-img"))) {
            QemuImg.Result qemu = QemuImg.call("qemu-img", "check", file);
            // 3: clusters are lost, which is only space.
            assertThat(qemu.status()).as(qemu.output()).isIn(0, 3);
        }
        try (BlockBackend disk =
                Disks.open(DiskSpec.of(file).withReadOnly(true), FullDiskHandler.failing())) {
            ByteBuffer all =
                    ByteBuffer.wrap(Native.read(disk, 0, CrashWriter.SIZE))
                            .order(ByteOrder.nativeOrder());
            for (int block = 0; block < BLOCKS; block++) {
                for (int at = 0; at < CrashWriter.BLOCK; at += 512) {
                    int number = all.getInt(block * CrashWriter.BLOCK + at);
                    boolean fine = number == written[block] || number >= acknowledged[block];
                    assertThat(fine).as("%s: block %d is %d", what, block, number).isTrue();
                }
                acknowledged[block] = 0;
                written[block] = 0;
            }
        }
        DiskImages.check(file, DiskImages.Repair.ALL);
        zero(file);
    }

    /** Numbers begin again with the next process. */
    private static void zero(Path file) {
        try (BlockBackend disk = Disks.open(DiskSpec.of(file), FullDiskHandler.failing())) {
            disk.writeZeroes(0, CrashWriter.SIZE, false);
        }
    }

    private static String classPath() throws URISyntaxException {
        String zstd =
                Path.of(
                                ZstdJavaDecompressor.class
                                        .getProtectionDomain()
                                        .getCodeSource()
                                        .getLocation()
                                        .toURI())
                        .toString();
        return String.join(
                System.getProperty("path.separator"),
                Path.of("target", "classes").toAbsolutePath().toString(),
                Path.of("target", "test-classes").toAbsolutePath().toString(),
                zstd);
    }
}
