package org.javisor.translator;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class CodeRegionTest {
    private static final int SIZE = 4096;

    private final TranslatedPage page = new TranslatedPage(0x1000, 0);

    private TranslatedBlock block(int size) {
        TranslatedBlock block = new TranslatedBlock(page, null, Context.USER, 0);
        block.size = size;
        return block;
    }

    private Site site() {
        return new Site(block(1), null, 0, false, 0, 1, 0, false, 0, 0, -1, false, null);
    }

    private Link link(TranslatedBlock from) {
        return new Link(from, Context.USER, 0, 0, 0, -1);
    }

    @Test
    void numbers_tellTheRegionAndAreOfOneThingEach() {
        CodeRegion first = new CodeRegion(0, 0, SIZE);
        CodeRegion last = new CodeRegion(15, SIZE, 2 * SIZE);
        for (CodeRegion region : List.of(first, last)) {
            for (int n = 0; n < 1000; n++) {
                Site site = site();
                int number = region.addSite(site);
                Link link = link(site.block());
                int linkNumber = region.addLink(link);
                assertThat(region.site(number)).isSameAs(site);
                assertThat(region.link(linkNumber)).isSameAs(link);
                assertThat(CodeRegion.index(number)).isEqualTo(region == first ? 0 : 15);
                assertThat(number).isNotNegative();
            }
        }
    }

    @Test
    void room_isGivenInMultiplesOf16_untilTheEnd() {
        CodeRegion region = new CodeRegion(1, 100, 100 + SIZE);
        assertThat(region.next()).isEqualTo(112);

        region.add(block(17));
        assertThat(region.next()).isEqualTo(144);
        assertThat(region.used()).isEqualTo(32);
        assertThat(region.fits(100 + SIZE - 144)).isTrue();
        assertThat(region.fits(100 + SIZE - 143)).isFalse();
    }

    @Test
    void numbers_beginAnew_whenTheRegionWasCleared() {
        CodeRegion region = new CodeRegion(3, 0, SIZE);
        int site = region.addSite(site());
        int link = region.addLink(link(block(1)));
        region.add(block(64));

        region.clear();

        assertThat(region.blocks()).isEmpty();
        assertThat(region.next()).isZero();
        assertThat(region.site(site)).isNull();
        assertThat(region.addSite(site())).isEqualTo(site);
        assertThat(region.addLink(link(block(1)))).isEqualTo(link);
    }

    @Test
    void numbersOfABlockThatWasGivenUp_areGivenAgain_butNotThoseBefore() {
        CodeRegion region = new CodeRegion(3, 0, SIZE);
        Site kept = site();
        int keptNumber = region.addSite(kept);
        region.add(block(64));
        int number = region.addSite(site());
        int link = region.addLink(link(block(1)));

        region.forgetUnfinished();

        assertThat(region.site(keptNumber)).isSameAs(kept);
        assertThat(region.site(number)).isNull();
        assertThat(region.addSite(site())).isEqualTo(number);
        assertThat(region.addLink(link(block(1)))).isEqualTo(link);
    }

    @Test
    void incomingLinks_areThoseAddedAndNotRemoved_whenManyComeAndGo() {
        Random random = new Random(4711);
        TranslatedBlock target = block(1);
        List<Link> expected = new ArrayList<>();
        for (int n = 0; n < 10_000; n++) {
            if (expected.isEmpty() || random.nextInt(5) < 3) {
                Link link = link(block(1));
                target.addIncoming(link);
                expected.add(link);
            } else {
                target.removeIncoming(expected.remove(random.nextInt(expected.size())));
            }
            if (n % 100 == 0) {
                assertThat(target.incoming()).containsExactlyInAnyOrderElementsOf(expected);
            }
        }
    }
}
