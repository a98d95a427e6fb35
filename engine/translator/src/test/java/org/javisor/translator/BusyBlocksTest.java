package org.javisor.translator;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class BusyBlocksTest {
    private static final int OFTEN = 3;

    private final BusyBlocks blocks = new BusyBlocks(OFTEN);
    private final TranslatedPage page = new TranslatedPage(0x1000, 0);
    private final TranslatedBlock block = block(0x10);

    private TranslatedBlock block(int offset) {
        return new TranslatedBlock(page, null, Context.USER, offset);
    }

    @Test
    void blockNotedOftenEnough_becomesBusy_once() {
        assertThat(blocks.note(block)).isFalse();
        assertThat(blocks.note(block)).isFalse();
        assertThat(blocks.isBusy(block)).isFalse();
        assertThat(blocks.note(block)).isTrue();
        assertThat(blocks.isBusy(block)).isTrue();
        assertThat(blocks.note(block)).isFalse();
        assertThat(blocks.isBusy(block)).isTrue();
    }

    @Test
    void blockTranslatedAnew_isStillBusy_andNoOtherOfThePage() {
        for (int n = 0; n < OFTEN; n++) {
            blocks.note(block);
        }
        assertThat(blocks.isBusy(block(0x10))).isTrue();
        assertThat(blocks.isBusy(block(0x14))).isFalse();
    }

    @Test
    void whereABusyBlockJumpsBackTo_isBusyWithIt_andBeginsALoop() {
        block.backTo = 0x8;
        for (int n = 0; n < OFTEN; n++) {
            assertThat(blocks.isBusy(block(0x8))).isFalse();
            assertThat(blocks.beginsLoop(block(0x8))).isFalse();
            blocks.note(block);
        }
        assertThat(blocks.isBusy(block(0x8))).isTrue();
        assertThat(blocks.beginsLoop(block(0x8))).isTrue();
        assertThat(blocks.beginsLoop(block)).isFalse();
    }

    @Test
    void blockThatIsOneOfMany_doesNot() {
        for (int n = 0; n < 10_000; n++) {
            assertThat(blocks.note(block(0x20))).isFalse();
            if (n % 200 == 0) {
                assertThat(blocks.note(block)).isFalse();
            }
        }
        assertThat(blocks.isBusy(block)).isFalse();
    }

    @Test
    void userCodeAndTheKernel_areCountedApart() {
        blocks.note(block);
        blocks.note(block);
        for (int n = 0; n < 1000; n++) {
            blocks.note(new TranslatedBlock(page, null, Context.SUPERVISOR, n));
        }
        assertThat(blocks.note(block)).isTrue();
    }

    @Test
    void everyBlockIsBusy_whereNoneHasToBeNoted() {
        assertThat(new BusyBlocks(0).isBusy(block)).isTrue();
    }
}
