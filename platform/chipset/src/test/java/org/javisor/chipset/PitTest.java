package org.javisor.chipset;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class PitTest {
    private final FakeClock clock = new FakeClock();
    private final FakeLine irq = new FakeLine();
    private final Pit8254 pit = new Pit8254(clock, irq);
    private final SystemControlPortB portB = new SystemControlPortB(pit, clock);

    private void program(int counter, int control, int count) {
        pit.writePort(3, 1, counter << 6 | control);
        pit.writePort(counter, 1, count & 0xff);
        pit.writePort(counter, 1, count >> 8);
    }

    private int latched(int counter) {
        pit.writePort(3, 1, counter << 6);
        return pit.readPort(counter, 1) | pit.readPort(counter, 1) << 8;
    }

    private void advanceTo(long tick) {
        clock.advance(Pit8254.CRYSTAL.nanos(tick) - clock.nanos());
    }

    @Test
    void interruptsAtHz_whenCounterZeroIsARateGenerator() {
        program(0, 0x34, 11932);
        int before = irq.rises;
        clock.advance(1_000_000_000L);
        assertThat(irq.rises - before).isEqualTo(99);
        clock.advance(2_000_000L);
        assertThat(irq.rises - before).isEqualTo(100);
    }

    @Test
    void doesNotDrift_whenPeriodic() {
        program(0, 0x34, 1193);
        int before = irq.rises;
        clock.advance(60_000_000_000L);
        assertThat(irq.rises - before).isEqualTo((int) (60L * 1_193_182 / 1193));
    }

    @Test
    void interruptsOnce_whenCounterZeroStrobesInModeFour() {
        program(0, 0x38, 1000);
        int before = irq.rises;
        advanceTo(1000);
        assertThat(irq.rises).isEqualTo(before);
        advanceTo(1001);
        assertThat(irq.rises).isEqualTo(before + 1);
        clock.advance(1_000_000_000L);
        assertThat(irq.rises).isEqualTo(before + 1);
    }

    @Test
    void wakesNobody_whenShutDownAsLinuxDoesIt() {
        program(0, 0x34, 11932);
        program(0, 0x30, 0);
        clock.advance(1_000_000_000L);
        long before = clock.fired;
        clock.advance(10_000_000_000L);
        assertThat(clock.fired).isEqualTo(before);
    }

    @Test
    void raisesOutTwo_whenTheCalibrationCountIsOver() {
        portB.writePort(0, 1, portB.readPort(0, 1) & ~0x02 | 0x01);
        program(2, 0x30, 1193182 / 20);
        assertThat(portB.readPort(0, 1) & 0x20).isZero();
        clock.advance(49_900_000);
        assertThat(portB.readPort(0, 1) & 0x20).isZero();
        clock.advance(200_000);
        assertThat(portB.readPort(0, 1) & 0x20).isEqualTo(0x20);
    }

    @Test
    void countsDownThroughTheHighByte_whenQuickCalibrationWatchesIt() {
        portB.writePort(0, 1, 0x01);
        program(2, 0x30, 0xffff);
        for (int expected = 0xff; expected > 0xf0; expected--) {
            pit.readPort(2, 1);
            assertThat(pit.readPort(2, 1)).isEqualTo(expected);
            advanceTo(Pit8254.CRYSTAL.ticks(clock.nanos()) + 256);
        }
    }

    @Test
    void holdsTheCount_whenTheGateIsLowInModeZero() {
        portB.writePort(0, 1, 0x01);
        program(2, 0x30, 5000);
        advanceTo(1000);
        portB.writePort(0, 1, 0x00);
        advanceTo(20_000);
        assertThat(latched(2)).isEqualTo(4000);
        portB.writePort(0, 1, 0x01);
        advanceTo(20_500);
        assertThat(latched(2)).isEqualTo(3500);
    }

    @Test
    void keepsTheLatchedCount_untilItIsRead() {
        program(0, 0x34, 50_000);
        advanceTo(100);
        pit.writePort(3, 1, 0x00);
        advanceTo(200);
        pit.writePort(3, 1, 0x00);
        advanceTo(300);
        assertThat(pit.readPort(0, 1) | pit.readPort(0, 1) << 8).isEqualTo(49_900);
        assertThat(latched(0)).isEqualTo(49_700);
    }

    @Test
    void latchesStatusBeforeCount_whenReadBackAsksForBoth() {
        program(0, 0x34, 50_000);
        advanceTo(1000);
        pit.writePort(3, 1, 0xc2);
        assertThat(pit.readPort(0, 1)).isEqualTo(0xb4);
        assertThat(pit.readPort(0, 1) | pit.readPort(0, 1) << 8).isEqualTo(49_000);
    }

    @Test
    void showsNullCount_whenNoCountIsLoadedYet() {
        pit.writePort(3, 1, 0x30);
        pit.writePort(3, 1, 0xe2);
        assertThat(pit.readPort(0, 1)).isEqualTo(0x70);
    }

    @Test
    void takesTheNewCountAtThePeriodsEnd_whenReprogrammedInModeTwo() {
        program(0, 0x34, 10_000);
        advanceTo(4000);
        pit.writePort(0, 1, 2000 & 0xff);
        pit.writePort(0, 1, 2000 >> 8);
        assertThat(latched(0)).isEqualTo(6000);
        advanceTo(10_500);
        assertThat(latched(0)).isEqualTo(1500);
    }

    @Test
    void halvesThePeriod_whenSquareWave() {
        portB.writePort(0, 1, 0x01);
        program(2, 0x36, 1000);
        advanceTo(499);
        assertThat(portB.readPort(0, 1) & 0x20).isEqualTo(0x20);
        advanceTo(500);
        assertThat(portB.readPort(0, 1) & 0x20).isZero();
        advanceTo(600);
        assertThat(latched(2)).isEqualTo(800);
        advanceTo(1000);
        assertThat(portB.readPort(0, 1) & 0x20).isEqualTo(0x20);
    }

    @Test
    void startsWithTheGate_whenOneShot() {
        program(2, 0x32, 1000);
        assertThat(portB.readPort(0, 1) & 0x20).isEqualTo(0x20);
        advanceTo(5000);
        portB.writePort(0, 1, 0x01);
        assertThat(portB.readPort(0, 1) & 0x20).isZero();
        advanceTo(6000);
        assertThat(portB.readPort(0, 1) & 0x20).isEqualTo(0x20);
    }

    @Test
    void countsInDecimal_whenBcd() {
        program(0, 0x35, 0x1000);
        advanceTo(1);
        assertThat(latched(0)).isEqualTo(0x0999);
    }

    @Test
    void togglesRefresh_whenTimePasses() {
        int changes = 0;
        int last = portB.readPort(0, 1) & 0x10;
        for (int i = 0; i < 1000; i++) {
            clock.advance(1000);
            int now = portB.readPort(0, 1) & 0x10;
            changes += now == last ? 0 : 1;
            last = now;
        }
        assertThat(changes).isBetween(64, 68);
    }

    @Test
    void sparesTheHost_whenTheGuestAsksForAStorm() {
        program(0, 0x34, 2);
        long before = clock.fired;
        clock.advance(1_000_000_000L);
        assertThat(clock.fired - before).isLessThanOrEqualTo(20_001);
    }
}
