package org.javisor.chipset;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * The ways Linux's check_timer tries to get the PIT's interrupt, each through all the chips
 * between.
 */
class TimerRoutingTest {
    private static final int VECTOR = 0x30;
    private static final long JIFFY = 4_000_000;

    private final FakeClock clock = new FakeClock();
    private final ApicBus bus = new ApicBus();
    private final PicPair pics = new PicPair(bus.intr());
    private final IoApic ioApic = new IoApic(bus);
    private final LocalApic apic =
            new LocalApic(bus, 0, new FakePins(), clock, () -> clock.nanos());
    private final Pit8254 pit =
            new Pit8254(clock, new IsaInterrupts(pics, ioApic).line(PcPorts.PIT_IRQ));

    @BeforeEach
    void bootAsLinuxDoes() {
        bus.attach(pics);
        bus.attach(ioApic);
        int[] words = {0x11, VECTOR, 0x04, 0x01};
        for (int i = 0; i < 4; i++) {
            pics.master().writePort(Math.min(i, 1), 1, words[i]);
        }
        pics.master().writePort(1, 1, 0xff);
        apic.writeMmio(0xf0, 4, 0x1ff);
        apic.writeMmio(0x350, 4, 0x10700);
        pit.writePort(3, 1, 0x34);
        pit.writePort(0, 1, 4772 & 0xff);
        pit.writePort(0, 1, 4772 >> 8);
    }

    private int ticksInTenJiffies() {
        int ticks = 0;
        for (int i = 0; i < 100; i++) {
            clock.advance(JIFFY / 10);
            if (apic.interruptPending()) {
                assertThat(apic.acknowledge()).isEqualTo(VECTOR);
                ticks++;
                apic.writeMmio(0xb0, 4, 0);
                pics.master().writePort(0, 1, 0x20);
            }
        }
        return ticks;
    }

    private void redirectTimer(int low) {
        ioApic.writeMmio(0, 4, 0x10 + 2 * PcPorts.IO_APIC_PIT_INPUT);
        ioApic.writeMmio(0x10, 4, low);
    }

    @Test
    void ticks_whenRoutedThroughTheIoApic() {
        assertThat(ticksInTenJiffies()).isZero();
        redirectTimer(VECTOR);
        assertThat(ticksInTenJiffies()).isBetween(9, 11);
        redirectTimer(0x10000 | VECTOR);
        assertThat(ticksInTenJiffies()).isZero();
    }

    @Test
    void ticks_whenThePicsOutputIsAFixedVectorOnLint0() {
        pics.master().writePort(1, 1, 0xfe);
        pics.master().writePort(0, 1, 0x11);
        pics.master().writePort(1, 1, VECTOR);
        pics.master().writePort(1, 1, 0x04);
        pics.master().writePort(1, 1, 0x03);
        pics.master().writePort(1, 1, 0xfe);
        apic.writeMmio(0x350, 4, VECTOR);
        clock.advance(JIFFY * 2);
        assertThat(apic.acknowledge()).isEqualTo(VECTOR);
    }

    @Test
    void ticks_whenLint0IsExtInt() {
        pics.master().writePort(1, 1, 0xfe);
        apic.writeMmio(0x350, 4, 0x700);
        assertThat(ticksInTenJiffies()).isBetween(9, 11);
    }
}
