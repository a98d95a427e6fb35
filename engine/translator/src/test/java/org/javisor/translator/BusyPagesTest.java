package org.javisor.translator;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class BusyPagesTest {
    private static final int OFTEN = 3;

    private final BusyPages pages = new BusyPages(OFTEN);
    private final TranslatedPage page = new TranslatedPage(0x1000, 0);

    @Test
    void pageMetOftenEnough_becomesBusy_once() {
        assertThat(pages.met(page)).isFalse();
        assertThat(pages.met(page)).isFalse();
        assertThat(page.busy).isFalse();
        assertThat(pages.met(page)).isTrue();
        assertThat(page.busy).isTrue();
        assertThat(pages.met(page)).isFalse();
        assertThat(page.busy).isTrue();
    }

    @Test
    void pageThatIsOneOfMany_doesNot() {
        for (int n = 0; n < 10_000; n++) {
            TranslatedPage other = new TranslatedPage(0x2000 + 0x1000L * n, n + 1);
            assertThat(pages.met(other)).isFalse();
            if (n % 200 == 0) {
                assertThat(pages.met(page)).isFalse();
            }
        }
        assertThat(page.busy).isFalse();
    }

    @Test
    void newPage_isBusyOnlyWhereAllAre() {
        pages.begin(page);
        assertThat(page.busy).isFalse();
        new BusyPages(0).begin(page);
        assertThat(page.busy).isTrue();
    }
}
