package org.javisor.translator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.javisor.translator.RestlessPlaces.Standing.ACQUITTED;
import static org.javisor.translator.RestlessPlaces.Standing.ON_TRIAL;
import static org.javisor.translator.RestlessPlaces.Standing.UNTRIED;
import static org.javisor.translator.RestlessPlaces.Verdict.KEEP_SLOT;
import static org.javisor.translator.RestlessPlaces.Verdict.LOOK_UP;
import static org.javisor.translator.RestlessPlaces.Verdict.NOTHING;
import static org.javisor.translator.RestlessPlaces.Verdict.TRY;

import org.junit.jupiter.api.Test;

class RestlessPlacesTest {
    private static final int SLOT = 8 * 77, OTHER = 8 * 78;
    private static final int CONTEXT = Context.USER;
    private static final int SLOTS = ProcessorBlock.slots(CONTEXT);

    private final ProcessorBlock state = new ProcessorBlock();
    private final RestlessPlaces places = new RestlessPlaces(state);

    RestlessPlacesTest() {
        state.prepare(CONTEXT);
    }

    /** As translated code does it that renews a slot once too often. */
    private RestlessPlaces.Verdict renewed(int slot, RestlessPlaces.Standing standing) {
        state.put64(SLOTS + ProcessorBlock.SLOT_PATIENCE + slot, 0);
        return places.judge(CONTEXT, slot, standing, 1);
    }

    private void passes(int slot, long count) {
        state.put64(SLOTS + ProcessorBlock.SLOT_PASSES + slot, count);
    }

    private long patience(int slot) {
        return state.get64(SLOTS + ProcessorBlock.SLOT_PATIENCE + slot);
    }

    @Test
    void placeRenewedOften_isTried_andCountedFromZero() {
        passes(SLOT, 4711);
        assertThat(renewed(SLOT, UNTRIED)).isEqualTo(TRY);
        assertThat(state.get64(SLOTS + ProcessorBlock.SLOT_PASSES + SLOT)).isZero();
        assertThat(patience(SLOT)).isEqualTo(ProcessorBlock.PATIENCE);
    }

    @Test
    void placeOnTrial_keepsItsSlot_ifItHadAccessesEnoughForARenewal() {
        long enough = (long) RestlessPlaces.REPAY * ProcessorBlock.PATIENCE;
        passes(SLOT, enough - 1);
        assertThat(renewed(SLOT, ON_TRIAL)).isEqualTo(LOOK_UP);
        passes(SLOT, enough);
        assertThat(renewed(SLOT, ON_TRIAL)).isEqualTo(KEEP_SLOT);
    }

    @Test
    void codeOfBeforeTheTrial_countsNothing_andIsNotJudged() {
        assertThat(renewed(SLOT, ON_TRIAL)).isEqualTo(NOTHING);
        assertThat(patience(SLOT)).isEqualTo(ProcessorBlock.PATIENCE);
    }

    @Test
    void acquittedPlace_isTriedAgain_afterALongTimeOnly() {
        assertThat(renewed(SLOT, ACQUITTED)).isEqualTo(NOTHING);
        assertThat(patience(SLOT)).isEqualTo(RestlessPlaces.LONG_PATIENCE);
        assertThat(renewed(OTHER, ACQUITTED)).isEqualTo(NOTHING);
        assertThat(renewed(SLOT, ACQUITTED)).isEqualTo(TRY);
        assertThat(patience(SLOT)).isEqualTo(ProcessorBlock.PATIENCE);
    }

    @Test
    void placeThatKeepsItsSlotAgainAndAgain_isTriedEverMoreSeldom() {
        for (int acquittals = 1; acquittals < 100; acquittals++) {
            assertThat(places.judge(CONTEXT, SLOT, ACQUITTED, acquittals)).isEqualTo(NOTHING);
            state.put64(SLOTS + ProcessorBlock.SLOT_PATIENCE + SLOT, 0);
            assertThat(places.judge(CONTEXT, SLOT, ACQUITTED, acquittals)).isEqualTo(NOTHING);
            int doublings = Math.min(acquittals - 1, RestlessPlaces.MOST_DOUBLINGS);
            assertThat(patience(SLOT)).isEqualTo((long) RestlessPlaces.LONG_PATIENCE << doublings);
            assertThat(renewed(SLOT, ACQUITTED)).isEqualTo(TRY);
        }
    }

    @Test
    void accessWithPatienceLeft_orWithoutASlot_isNotJudged() {
        assertThat(places.judge(CONTEXT, SLOT, UNTRIED, 0)).isEqualTo(NOTHING);
        assertThat(places.judge(CONTEXT, -1, UNTRIED, 0)).isEqualTo(NOTHING);
        assertThat(patience(SLOT)).isEqualTo(ProcessorBlock.PATIENCE);
    }

    @Test
    void slotsAreVoidedByGroups_whereOneWasRenewed() {
        long empty = state.get64(SLOTS + SLOT);
        int far = 8 * (ProcessorBlock.SLOTS - 1);
        state.put64(SLOTS + SLOT, -0x5000);
        state.put64(SLOTS + far, -0x6000);
        state.put64(SLOTS + ProcessorBlock.SLOT_RENEWED, 1L << 8 * (SLOT / 512));
        state.clearSlots(CONTEXT);
        assertThat(state.get64(SLOTS + SLOT)).isEqualTo(empty);
        assertThat(state.get64(SLOTS + far)).isEqualTo(-0x6000);
        state.put64(SLOTS + ProcessorBlock.SLOT_RENEWED + far / 512 / 8 * 8, 1L << 56);
        state.clearSlots(CONTEXT);
        assertThat(state.get64(SLOTS + far)).isNotEqualTo(-0x6000);
    }
}
