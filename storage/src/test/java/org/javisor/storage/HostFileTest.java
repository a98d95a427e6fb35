package org.javisor.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HostFileTest {
    private static final int BLOCK = 512;
    private static final int BLOCKS = 20_000;

    @TempDir private Path directory;

    private Path empty() throws Exception {
        return Files.createFile(directory.resolve("disk.raw"));
    }

    @Test
    void flush_findsNothingCutOff_whileAnotherLengthensTheFile() throws Exception {
        try (HostFile file = HostFile.open(empty(), HostFile.Mode.SCRATCH);
                ExecutorService threads = Executors.newSingleThreadExecutor()) {
            MemorySegment block = Native.filled(1, BLOCK);
            Future<?> writer =
                    threads.submit(
                            () -> {
                                for (int i = 0; i < BLOCKS; i++) {
                                    file.write((long) i * BLOCK, block);
                                }
                            });
            while (!writer.isDone()) {
                file.flush();
            }
            writer.get();
            assertThat(file.length()).isEqualTo((long) BLOCKS * BLOCK);
        }
    }

    @Test
    void flush_says_thatSomebodyCutTheFileOff() throws Exception {
        Path path = empty();
        try (HostFile file = HostFile.open(path, HostFile.Mode.SCRATCH)) {
            file.write(0, Native.filled(1, BLOCK));
            try (FileChannel other = FileChannel.open(path, StandardOpenOption.WRITE)) {
                other.truncate(BLOCK - 1);
            }
            assertThatExceptionOfType(StorageException.class)
                    .isThrownBy(file::flush)
                    .withMessageContaining("has become shorter");
        }
    }
}
