package org.javisor.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class PolicyDiskTest {
    private final List<String> messages = new ArrayList<>();
    private final FullDisk disk = new FullDisk();

    /** Has no room for a given number of requests. */
    private static final class FullDisk implements BlockBackend {
        private final MemoryDisk memory = new MemoryDisk(1 << 20, false);
        private int failures;
        private int flushes;
        private int discards;

        private void room() {
            if (failures > 0) {
                failures--;
                throw new StorageException(StorageException.Code.NO_SPACE, "Full");
            }
        }

        @Override
        public long size() {
            return memory.size();
        }

        @Override
        public int logicalBlockSize() {
            return 512;
        }

        @Override
        public int discardGranularity() {
            return 4096;
        }

        @Override
        public boolean readOnly() {
            return false;
        }

        @Override
        public void read(long offset, MemorySegment... targets) {
            memory.read(offset, targets);
        }

        @Override
        public void write(long offset, MemorySegment... sources) {
            room();
            memory.write(offset, sources);
        }

        @Override
        public void flush() {
            room();
            flushes++;
        }

        @Override
        public void discard(long offset, long length) {
            discards++;
        }

        @Override
        public void writeZeroes(long offset, long length, boolean mayUnmap) {
            memory.writeZeroes(offset, length, mayUnmap);
        }

        @Override
        public void close() {}
    }

    private BlockBackend with(String options, boolean retry) {
        return new PolicyDisk(
                disk,
                DiskSpec.parse(Path.of("x") + options),
                message -> {
                    messages.add(message);
                    return retry;
                });
    }

    @Test
    void writeIsTriedAgain_whenTheMachineGoesOn() {
        disk.failures = 2;
        BlockBackend policy = with("", true);
        policy.write(512, Native.filled(7, 512));
        assertThat(messages).containsExactly("Full", "Full");
        assertThat(Native.read(policy, 512, 512)).containsOnly(7);
    }

    @Test
    void writeFails_whenTheMachineEnds() {
        disk.failures = 1;
        assertThatThrownBy(() -> with("", false).write(0, Native.filled(7, 512)))
                .isInstanceOf(StorageException.class);
    }

    @Test
    void guestGetsTheError_whenItIsToBeReported() {
        disk.failures = 2;
        BlockBackend policy = with(",enospc=report", true);
        assertThatThrownBy(() -> policy.write(0, Native.filled(7, 512)))
                .isInstanceOfSatisfying(
                        StorageException.class,
                        e -> assertThat(e.code()).isEqualTo(StorageException.Code.NO_SPACE));
        assertThatThrownBy(policy::flush).isInstanceOf(StorageException.class);
        assertThat(messages).isEmpty();
    }

    @Test
    void writeIsDropped_whenErrorsAreIgnored() {
        disk.failures = 1;
        BlockBackend policy = with(",enospc=ignore", true);
        policy.write(0, Native.filled(7, 512));
        assertThat(Native.read(policy, 0, 512)).containsOnly(0);
    }

    @Test
    void everyWriteIsFlushed_whenWrittenThrough() {
        BlockBackend policy = with(",cache=writethrough", true);
        policy.write(0, Native.filled(7, 512));
        policy.writeZeroes(0, 512, true);
        assertThat(disk.flushes).isEqualTo(2);
    }

    @Test
    void discardsStopHere_whenTheyAreOff() {
        BlockBackend policy = with(",discard=off", true);
        policy.discard(0, 4096);
        assertThat(disk.discards).isZero();
        assertThatThrownBy(() -> policy.discard(1 << 20, 4096))
                .isInstanceOf(StorageException.class);
        with("", true).discard(0, 4096);
        assertThat(disk.discards).isEqualTo(1);
    }
}
