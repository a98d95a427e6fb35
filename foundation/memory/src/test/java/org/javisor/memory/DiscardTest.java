package org.javisor.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.BitSet;
import java.util.List;
import org.junit.jupiter.api.Test;

class DiscardTest {
    private static final int PAGE = GuestMemory.PAGE_SIZE;

    @Test
    void wholePagesReadAsZeros_whenGivenBack() {
        assumeTrue(LinuxMmap.available());
        try (GuestMemory memory = GuestMemory.allocate(64 * PAGE)) {
            byte[] ones = new byte[8 * PAGE];
            java.util.Arrays.fill(ones, (byte) 1);
            memory.write(0, ones, 0, ones.length);
            memory.startDirtyLog();
            assertThat(memory.discard(PAGE + 1, 3 * PAGE)).isEqualTo(2 * PAGE);
            for (int page = 0; page < 8; page++) {
                int expected = page == 2 || page == 3 ? 0 : 1;
                assertThat(memory.read8((long) page * PAGE))
                        .as("page %d", page)
                        .isEqualTo(expected);
            }
            BitSet dirty = memory.harvestDirtyPages(memory.regions().getFirst());
            assertThat(dirty.stream()).containsExactly(2, 3);
            memory.write8(2 * PAGE, 7);
            assertThat(memory.read8(2 * PAGE)).isEqualTo(7);
        }
    }

    @Test
    void nothingHappens_whenTheRangeIsNotRamOrHoldsNoWholePage() {
        try (GuestMemory memory =
                GuestMemory.allocate(List.of(new GuestMemory.Range(PAGE, 2 * PAGE)))) {
            memory.write8(PAGE, 1);
            assertThat(memory.discard(PAGE + 1, PAGE)).isZero();
            assertThat(memory.discard(0, PAGE)).isZero();
            assertThat(memory.discard(-PAGE, 4 * PAGE)).isZero();
            assertThat(memory.discard(5 * PAGE, Long.MAX_VALUE)).isZero();
            assertThat(memory.discard(PAGE, 0)).isZero();
            assertThat(memory.read8(PAGE)).isEqualTo(1);
        }
    }
}
