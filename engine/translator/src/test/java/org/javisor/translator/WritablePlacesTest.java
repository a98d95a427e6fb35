package org.javisor.translator;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.javisor.memory.GuestMemory;
import org.junit.jupiter.api.Test;

class WritablePlacesTest {
    private static final long PAGE = 0x5000;
    private static final int LAST = ProcessorBlock.TLB_ENTRIES - 1;

    private static void assertRemembersTwo(WritablePlaces places) {
        places.note(PAGE, 0);
        places.note(PAGE, 0);
        long one = places.take(PAGE);
        assertThat(WritablePlaces.first(one)).isZero();
        assertThat(WritablePlaces.second(one)).isEqualTo(-1);
        places.note(PAGE, 0);
        places.note(PAGE, LAST);
        places.note(PAGE, 0);
        long two = places.take(PAGE);
        assertThat(WritablePlaces.first(two)).isZero();
        assertThat(WritablePlaces.second(two)).isEqualTo(LAST);
        places.note(PAGE, 0);
        places.note(PAGE, LAST);
        places.note(PAGE, 7);
        places.note(PAGE, 0);
        assertThat(places.take(PAGE)).isEqualTo(WritablePlaces.ANYWHERE);
    }

    @Test
    void twoPlacesOfAPageAreKnown_moreAreAnywhere_untilTheyAreTaken() {
        try (GuestMemory memory = GuestMemory.allocate(1 << 20)) {
            WritablePlaces places = new WritablePlaces(memory);
            assertRemembersTwo(places);
            assertThat(places.take(PAGE)).isEqualTo(WritablePlaces.NOWHERE);
            assertRemembersTwo(places);
            assertThat(places.take(PAGE + 0x1000)).isEqualTo(WritablePlaces.NOWHERE);
        }
    }

    /** What is forgotten of one page would be of another, too. */
    @Test
    void pagesThatShareNotes_areNeverForgotten() {
        long far = 1L << 40;
        try (GuestMemory memory =
                GuestMemory.allocate(
                        List.of(
                                new GuestMemory.Range(0, 1 << 20),
                                new GuestMemory.Range(far, 1 << 20)))) {
            WritablePlaces places = new WritablePlaces(memory);
            places.note(far + PAGE, 3);
            assertThat(WritablePlaces.first(places.take(PAGE))).isEqualTo(3);
            assertThat(WritablePlaces.first(places.take(far + PAGE))).isEqualTo(3);
        }
    }
}
