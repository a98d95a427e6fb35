package org.javisor.interpreter;

import static org.assertj.core.api.Assertions.assertThat;

import org.javisor.memory.GuestMemory;
import org.javisor.x86.CodeSize;
import org.junit.jupiter.api.Test;

class CodeCacheTest {
    private static final int MOST = 10_000;

    @Test
    void decodedCode_staysBounded_whenBlocksBeginAtEveryByte() {
        try (GuestMemory memory = GuestMemory.allocate(64 << 12)) {
            for (long gpa = 0; gpa < 64 << 12; gpa++) {
                memory.write8(gpa, 0x90);
            }
            CodeCache cache = new CodeCache(memory, MOST);
            BlockDecoder decoder = new BlockDecoder(memory);
            CodePage first = cache.page(0, CodeSize.BITS64);
            for (int n = 0; n < 64; n++) {
                CodePage page = cache.page(n << 12, CodeSize.BITS64);
                for (int offset = 0; offset < 4096; offset += 3) {
                    Block block = decoder.decode(page, offset);
                    page.blocks[offset] = block;
                    cache.added(block);
                    assertThat(cache.instructions()).isLessThanOrEqualTo(MOST);
                }
            }
            assertThat(first.valid).isFalse();
            assertThat(cache.page(0, CodeSize.BITS64)).isNotSameAs(first);
        }
    }
}
