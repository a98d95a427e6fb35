package org.javisor.translator;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class BusyPagesTest {
    private static final int OFTEN = 3, OFTEN_IN_KERNEL = 2;

    private final BusyPages pages = new BusyPages(OFTEN, OFTEN_IN_KERNEL);
    private final TranslatedPage page = new TranslatedPage(0x1000, 0);

    @Test
    void pageMetOftenEnough_becomesBusy_once() {
        assertThat(pages.met(page, true)).isFalse();
        assertThat(pages.met(page, true)).isFalse();
        assertThat(page.busy).isFalse();
        assertThat(pages.met(page, true)).isTrue();
        assertThat(page.busy).isTrue();
        assertThat(pages.met(page, true)).isFalse();
        assertThat(page.busy).isTrue();
    }

    @Test
    void pageOfTheKernel_needsToBeMetLessOften() {
        assertThat(pages.met(page, false)).isFalse();
        assertThat(pages.met(page, false)).isTrue();
    }

    @Test
    void pageThatIsOneOfMany_doesNot() {
        for (int n = 0; n < 10_000; n++) {
            TranslatedPage other = new TranslatedPage(0x2000 + 0x1000L * n, n + 1);
            assertThat(pages.met(other, true)).isFalse();
            if (n % 200 == 0) {
                assertThat(pages.met(page, true)).isFalse();
            }
        }
        assertThat(page.busy).isFalse();
    }

    @Test
    void newPage_isBusyOnlyWhereAllAre() {
        pages.begin(page);
        assertThat(page.busy).isFalse();
        new BusyPages(0, 0).begin(page);
        assertThat(page.busy).isTrue();
    }
}
