package org.javisor.translator;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class TranslatedPageTest {
    private final TranslatedPage page = new TranslatedPage(0x1000, 0);

    @Test
    void blocks_areFoundByOffsetAndContext_whenManyComeAndGo() {
        Random random = new Random(4711);
        Map<Integer, TranslatedBlock> expected = new HashMap<>();
        for (int n = 0; n < 20_000; n++) {
            int context = random.nextInt(Context.COUNT);
            int offset = random.nextInt(n % 5000 < 2500 ? 4096 : 40);
            TranslatedBlock known = expected.remove(context << 12 | offset);
            if (known != null) {
                page.remove(known);
            } else {
                TranslatedBlock block = block(context, offset);
                page.add(block);
                expected.put(context << 12 | offset, block);
            }
            int other = random.nextInt(Context.COUNT << 12);
            assertThat(page.block(context, offset)).isSameAs(expected.get(context << 12 | offset));
            assertThat(page.block(other >> 12, other & 4095)).isSameAs(expected.get(other));
        }
        assertThat(page.blocks()).containsExactlyInAnyOrderElementsOf(expected.values());
    }

    @Test
    void block_staysGone_whenRemovedTwice() {
        List<TranslatedBlock> blocks = new ArrayList<>();
        for (int n = 0; n < 3; n++) {
            blocks.add(block(Context.USER, n));
            page.add(blocks.get(n));
        }

        page.remove(blocks.get(1));
        page.remove(blocks.get(1));

        assertThat(page.blocks()).containsExactlyInAnyOrder(blocks.get(0), blocks.get(2));
    }

    private TranslatedBlock block(int context, int offset) {
        TranslatedBlock block = new TranslatedBlock(page, null, context, offset);
        block.length = 1;
        return block;
    }
}
