package org.javisor.translator;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ProcessorBlockTest {
    private static final int PAGE = 4096;

    private final ProcessorBlock state = new ProcessorBlock();

    /** An access is looked for where its first byte leads, and may end on the next page. */
    @Test
    void emptyEntryOfTheTlb_isForNoPageThatIsLookedForThere_norForTheNext() {
        assertThat(state.prepare(Context.USER)).isTrue();
        for (int index = 0; index < ProcessorBlock.TLB_ENTRIES; index++) {
            int entry = ProcessorBlock.tlb(Context.USER) + 8 * index;
            for (int table : new int[] {ProcessorBlock.TLB_READ, ProcessorBlock.TLB_WRITE}) {
                long page = -state.get64(entry + table);
                assertThat(ProcessorBlock.tlbIndex(page)).isNotEqualTo(index);
                assertThat(ProcessorBlock.tlbIndex(page - PAGE)).isNotEqualTo(index);
            }
            assertThat(state.tlbPage(Context.USER, index)).isEqualTo(-1);
            assertThat(state.tlbWritable(Context.USER, index)).isFalse();
        }
    }

    @Test
    void tablesAreMadeOnce() {
        assertThat(state.isPrepared(Context.USER)).isFalse();
        assertThat(state.prepare(Context.USER)).isTrue();
        assertThat(state.isPrepared(Context.USER)).isTrue();
        state.enterTlb(Context.USER, 0x5000, 0x7000, true);
        assertThat(state.prepare(Context.USER)).isFalse();
        int index = ProcessorBlock.tlbIndex(0x5000);
        assertThat(state.tlbPage(Context.USER, index)).isEqualTo(0x5000);
        state.clearTlb(Context.USER, index);
        assertThat(state.tlbPage(Context.USER, index)).isEqualTo(-1);
    }

    /** Probes without flags go on if the bits that the mask gathers make a 1. */
    @Test
    void oneInside_isGatheredOfOffsetsInThePageThatAreAligned_only() {
        for (int alignment = 1; alignment <= 32; alignment *= 2) {
            long mask = state.get64(ProcessorBlock.outsideMask(alignment));
            int one = ProcessorBlock.oneInside(alignment);
            for (long page :
                    new long[] {0, -1, 1, -2, 2, 1L << 35, -1L << 51, Long.MIN_VALUE >> 12}) {
                for (int at = 0; at < PAGE; at++) {
                    boolean inside = Long.compress((page << 12) + at + one, mask) == 1;
                    assertThat(inside).isEqualTo(page == 0 && at % alignment == 0);
                }
            }
        }
    }

    /** Arenas of a C library begin at multiples of 64 MiB. */
    @Test
    void pagesAtTheSamePlaceOfSeveralArenas_haveDifferentEntries() {
        for (long arena = 1; arena < 4; arena++) {
            assertThat(ProcessorBlock.tlbIndex(0x7f00_0000_0000L + (arena << 26)))
                    .isNotEqualTo(ProcessorBlock.tlbIndex(0x7f00_0000_0000L));
        }
    }
}
