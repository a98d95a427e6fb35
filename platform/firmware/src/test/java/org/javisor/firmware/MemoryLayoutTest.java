package org.javisor.firmware;

import static org.assertj.core.api.Assertions.assertThat;

import org.javisor.memory.GuestMemory;
import org.junit.jupiter.api.Test;

class MemoryLayoutTest {
    @Test
    void ram_isOneRange_whenItFitsBelowTheHole() {
        assertThat(MemoryLayout.of(512L << 20).ranges())
                .containsExactly(new GuestMemory.Range(0, 512L << 20));
        assertThat(MemoryLayout.of(3L << 30).ranges())
                .containsExactly(new GuestMemory.Range(0, 3L << 30));
    }

    @Test
    void ram_goesOnAt4GiB_whenItReachesTheHole() {
        assertThat(MemoryLayout.of((3L << 30) + 4096).ranges())
                .containsExactly(
                        new GuestMemory.Range(0, 3L << 30), new GuestMemory.Range(4L << 30, 4096));
    }

    @Test
    void size_isRefused_whenImpossible() {
        for (long size :
                new long[] {-1, 0, 1 << 20, (2 << 20) + 1, Long.MAX_VALUE, Long.MIN_VALUE}) {
            Refusal.assertRefused(
                    FirmwareException.Code.MEMORY_SIZE,
                    "Memory must be",
                    () -> MemoryLayout.of(size));
        }
    }
}
