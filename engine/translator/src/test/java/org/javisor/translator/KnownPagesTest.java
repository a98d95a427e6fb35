package org.javisor.translator;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class KnownPagesTest {
    private static final int KEY = AccessGroups.stackKey();

    private final KnownPages pages = new KnownPages();

    @Test
    void pageIsKnown_forWhatItsProbeCovers() {
        pages.add(KEY, 16, 48, false, 16, 0x700);
        assertThat(pages.field(KEY, 16, 32, false, 16)).isEqualTo(0x700);
        assertThat(pages.field(KEY, 24, 8, false, 1)).isEqualTo(0x700);
        assertThat(pages.field(KEY, 24, 16, false, 16)).isEqualTo(-1);
        assertThat(pages.field(KEY, 44, 8, false, 1)).isEqualTo(-1);
        assertThat(pages.field(KEY, 24, 8, true, 1)).isEqualTo(-1);
        assertThat(pages.field(KEY + 1, 24, 8, false, 1)).isEqualTo(-1);
    }

    @Test
    void fieldThatIsTakenAgain_isNoLongerThatOfThePageBefore() {
        int first = pages.freeField();
        pages.add(KEY, 0, 8, false, 1, first);
        int field = pages.freeField();
        while (field != first) {
            assertThat(pages.field(KEY, 0, 8, false, 1)).isEqualTo(first);
            field = pages.freeField();
        }
        assertThat(pages.field(KEY, 0, 8, false, 1)).isEqualTo(-1);
    }
}
