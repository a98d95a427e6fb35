package org.javisor.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class GuestMemoryTest {
    private static final long HIGH = 1L << 32;
    private final GuestMemory memory =
            GuestMemory.allocate(
                    List.of(
                            new GuestMemory.Range(0, 0x2000),
                            new GuestMemory.Range(0x2000, 0x1000),
                            new GuestMemory.Range(HIGH, 0x1000)));

    @AfterEach
    void close() {
        memory.close();
    }

    @Test
    void readsWhatWasWritten_whenAnAccessCrossesTwoRegions() {
        memory.write64(0x1ffc, 0x1122334455667788L);

        assertThat(memory.read64(0x1ffc)).isEqualTo(0x1122334455667788L);
        assertThat(memory.read32(0x2000)).isEqualTo(0x11223344);
        assertThat(memory.read16(0x1fff)).isEqualTo(0x4455);
    }

    @Test
    void readsAllOnesAndDropsWrites_whenThereIsNoRam() {
        memory.write64(0x2ffc, 0);
        memory.write32(0x9000, 5);

        assertThat(memory.read64(0x2ffc)).isEqualTo(0xffffffff00000000L);
        assertThat(memory.read8(0x9000)).isEqualTo(0xff);
        assertThat(memory.read64(-8)).isEqualTo(-1);
        assertThat(memory.hostAddress(0x3000)).isZero();
        assertThat(memory.isRam(0x1000, 0x2001)).isFalse();
        assertThat(memory.isRam(0x1000, 0x2000)).isTrue();
        assertThat(memory.isRam(-4, 8)).isFalse();
    }

    @Test
    void copiesAcrossRegionsAndHoles() {
        byte[] out = new byte[0x2000];
        java.util.Arrays.fill(out, (byte) 7);
        memory.write(0x2000, out, 0, out.length);
        byte[] in = new byte[0x1800];
        memory.read(0x1800, in, 0, in.length);

        assertThat(in[0]).isZero();
        assertThat(in[0x800]).isEqualTo((byte) 7);
        assertThat(in[0x17ff]).isEqualTo((byte) 7);
        memory.read(0x2800, in, 0, in.length);
        assertThat(in[0x800]).isEqualTo((byte) 0xff);
    }

    @Test
    void tellsObserversOnce_whenATrackedCodePageIsWritten() {
        List<Long> written = new ArrayList<>();
        List<Long> tracked = new ArrayList<>();
        memory.observeWrites(
                new WriteObserver() {
                    @Override
                    public void codeWritten(long page) {
                        written.add(page);
                    }

                    @Override
                    public void writesTracked(long page) {
                        tracked.add(page);
                    }
                });

        memory.trackCode(0x1234);
        memory.trackCode(0x1000);
        memory.write8(0x2000, 1);
        memory.write64(0xffc, 1);
        memory.write8(0x1000, 1);

        assertThat(tracked).containsExactly(0x1000L);
        assertThat(written).containsExactly(0x1000L);
        assertThat(memory.isTracked(0x1000)).isFalse();
    }

    @Test
    void harvestsEachWrittenPageOnce_whenTheDirtyLogRuns() {
        memory.startDirtyLog();
        memory.write8(0x1fff, 1);
        memory.write64(0x1ffc, 1);
        RamRegion first = memory.regions().get(0);
        RamRegion second = memory.regions().get(1);

        assertThat(memory.harvestDirtyPages(first).stream().boxed()).containsExactly(1);
        assertThat(memory.harvestDirtyPages(second).stream().boxed()).containsExactly(0);
        assertThat(memory.harvestDirtyPages(first).isEmpty()).isTrue();
        memory.stopDirtyLog();
        assertThat(memory.isTracked(0)).isFalse();
        assertThatThrownBy(() -> memory.harvestDirtyPages(first))
                .isInstanceOf(IllegalStateException.class);
    }

    @Test
    void findsNoRam_whenClosed() {
        memory.close();

        assertThat(memory.read32(0)).isEqualTo(-1);
        assertThat(memory.size()).isZero();
    }

    @Test
    void refusesOverlappingRanges_andReservesNothing() {
        assertThatThrownBy(
                        () ->
                                GuestMemory.allocate(
                                        List.of(
                                                new GuestMemory.Range(0, 0x2000),
                                                new GuestMemory.Range(0x1000, 0x1000))))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void saysThatTheHostRefuses_whenTheReservationIsTooLarge() {
        assertThatThrownBy(() -> GuestMemory.allocate(1L << 60))
                .isInstanceOf(OutOfHostMemoryException.class)
                .hasMessageContaining("cannot reserve");
    }
}
