package org.javisor.chipset;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class AcpiPmTest {
    private final FakeClock clock = new FakeClock();
    private final FakeLine sci = new FakeLine();
    private int powerOffs;
    private final AcpiPm pm = new AcpiPm(clock, sci, () -> powerOffs++);

    @Test
    void countsAtTheAcpiRate_whenTheTimerIsRead() {
        int before = pm.readPort(8, 4);
        clock.advance(1_000_000_000L);
        assertThat(pm.readPort(8, 4) - before).isEqualTo(3_579_545);
        assertThat(pm.readPort(8, 2)).isEqualTo(pm.readPort(8, 4) & 0xffff);
        clock.advance(3_600_000_000_000L * 24 * 365);
        assertThat(pm.readPort(8, 4) - before)
                .isEqualTo((int) (3_579_545L * (1 + 3600L * 24 * 365)));
    }

    @Test
    void isInAcpiMode_fromTheStart() {
        assertThat(pm.readPort(4, 2) & 1).isEqualTo(1);
        pm.writePort(4, 2, 0);
        assertThat(pm.readPort(4, 2) & 1).isEqualTo(1);
    }

    @Test
    void raisesSci_whenThePowerButtonIsPressedAndEnabled() {
        pm.pressPowerButton();
        assertThat(sci.high).isFalse();
        pm.writePort(2, 2, 0x0100);
        assertThat(sci.high).isTrue();
        assertThat(pm.readPort(0, 2)).isEqualTo(0x0100);
        pm.writePort(0, 2, 0x0100);
        assertThat(sci.high).isFalse();
        assertThat(pm.readPort(0, 2)).isZero();
    }

    @Test
    void powersOff_whenSoftOffIsEntered() {
        pm.writePort(4, 2, 5 << 10);
        assertThat(powerOffs).isZero();
        pm.writePort(4, 2, 5 << 10 | 1 << 13);
        assertThat(powerOffs).isEqualTo(1);
        assertThat(pm.readPort(4, 2) & 1 << 13).as("SLP_EN is write-only").isZero();
        pm.writePort(4, 2, 3 << 10 | 1 << 13);
        assertThat(powerOffs).isEqualTo(1);
    }

    @Test
    void raisesSci_whenTheTimersHighestBitChanges() {
        pm.writePort(2, 2, 0x0001);
        clock.advance(599_000_000_000L);
        assertThat(sci.high).isFalse();
        clock.advance(1_000_000_000L);
        assertThat(sci.high).isTrue();
        pm.writePort(0, 2, 0x0001);
        assertThat(sci.high).isFalse();
        clock.advance(600_000_000_000L);
        assertThat(sci.high).isTrue();
    }

    @Test
    void raisesSci_forAnEnabledGeneralEvent() {
        pm.raiseGpe(3);
        pm.writePort(0x22, 1, 0x08);
        assertThat(sci.high).isTrue();
        pm.writePort(0x20, 1, 0x08);
        assertThat(sci.high).isFalse();
        assertThat(pm.readPort(0x20, 4)).isEqualTo(0x00080000);
    }
}
