package org.javisor.translator;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class RestlessPlacesTest {
    private static final int SLOT = 8 * 77, OTHER = 8 * 78;
    private static final int CONTEXT = Context.USER;

    private final ProcessorBlock state = new ProcessorBlock();
    private long now = 1L << 40;
    private final RestlessPlaces places = new RestlessPlaces(state, () -> now);

    /** As translated code does it that renews a slot once too often. */
    private boolean renewed(int slot, long linear) {
        state.put64(ProcessorBlock.slots(CONTEXT) + ProcessorBlock.SLOT_PATIENCE + slot, 0);
        return places.include(CONTEXT, slot, linear);
    }

    private long patience(int slot) {
        return state.get64(ProcessorBlock.slots(CONTEXT) + ProcessorBlock.SLOT_PATIENCE + slot);
    }

    /** The first time tells nothing: nobody knows when the one before was. */
    @BeforeEach
    void firstTime() {
        assertThat(renewed(SLOT, 0x1000)).isFalse();
        assertThat(patience(SLOT)).isEqualTo(ProcessorBlock.PATIENCE);
    }

    @Test
    void placeWithPagesFarApart_isRestless() {
        assertThat(renewed(SLOT, 0x5008)).isFalse();
        assertThat(patience(SLOT)).isEqualTo(1);
        assertThat(renewed(SLOT, 0x9000)).isTrue();
    }

    @Test
    void placeThatWalksThroughMemory_isNot_inEitherDirection() {
        for (long step : new long[] {0x1000, -0x1000}) {
            assertThat(renewed(SLOT, 0x5ff8)).isFalse();
            assertThat(renewed(SLOT, 0x5000 + step)).isFalse();
            assertThat(patience(SLOT)).isEqualTo(ProcessorBlock.PATIENCE);
        }
    }

    @Test
    void placeThatSeldomChangesItsPage_isNot() {
        now += 10_000L * ProcessorBlock.PATIENCE;
        assertThat(renewed(SLOT, 0x5000)).isFalse();
        assertThat(patience(SLOT)).isEqualTo(ProcessorBlock.PATIENCE);
        now += 10_000L * ProcessorBlock.PATIENCE - 1;
        assertThat(renewed(SLOT, 0x9000)).isFalse();
        assertThat(renewed(SLOT, 0x5000)).isTrue();
    }

    @Test
    void placesAreJudgedByThemselves() {
        assertThat(renewed(OTHER, 0x1000)).isFalse();
        assertThat(renewed(SLOT, 0x5000)).isFalse();
        assertThat(renewed(OTHER, 0x9000)).isFalse();
        assertThat(renewed(OTHER, 0xa000)).isFalse();
        assertThat(renewed(SLOT, 0x7000)).isTrue();
    }

    @Test
    void accessWithPatienceLeft_orWithoutASlot_isNotJudged() {
        assertThat(places.include(CONTEXT, SLOT, 0x5000)).isFalse();
        assertThat(places.include(CONTEXT, -1, 0x5000)).isFalse();
        assertThat(patience(SLOT)).isEqualTo(ProcessorBlock.PATIENCE);
    }

    @Test
    void slotsAreVoidedByGroups_whereOneWasRenewed() {
        int slots = ProcessorBlock.slots(CONTEXT);
        long empty = state.get64(slots + SLOT);
        int far = 8 * (ProcessorBlock.SLOTS - 1);
        state.put64(slots + SLOT, -0x5000);
        state.put64(slots + far, -0x6000);
        state.put64(slots + ProcessorBlock.SLOT_RENEWED, 1L << 8 * (SLOT / 512));
        state.clearSlots(CONTEXT);
        assertThat(state.get64(slots + SLOT)).isEqualTo(empty);
        assertThat(state.get64(slots + far)).isEqualTo(-0x6000);
        state.put64(slots + ProcessorBlock.SLOT_RENEWED + far / 512 / 8 * 8, 1L << 56);
        state.clearSlots(CONTEXT);
        assertThat(state.get64(slots + far)).isNotEqualTo(-0x6000);
    }
}
