package org.javisor.chipset;

import static org.assertj.core.api.Assertions.assertThat;

import org.javisor.device.PioDevice;
import org.junit.jupiter.api.Test;

class PicPairTest {
    private final FakeLine intr = new FakeLine();
    private final PicPair pics = new PicPair(intr);
    private final PioDevice master = pics.master();
    private final PioDevice slave = pics.slave();

    /** As Linux's init_8259A does it, with the vectors of the kernel. */
    private void initialize(int icw4) {
        master.writePort(1, 1, 0xff);
        slave.writePort(1, 1, 0xff);
        master.writePort(0, 1, 0x11);
        master.writePort(1, 1, 0x30);
        master.writePort(1, 1, 0x04);
        master.writePort(1, 1, icw4);
        slave.writePort(0, 1, 0x11);
        slave.writePort(1, 1, 0x38);
        slave.writePort(1, 1, 0x02);
        slave.writePort(1, 1, icw4 & 0x0f);
        master.writePort(1, 1, 0x00);
        slave.writePort(1, 1, 0x00);
    }

    private void initialize() {
        initialize(0x01);
    }

    private void raise(int irq) {
        pics.input(irq).drive(true);
    }

    private void lower(int irq) {
        pics.input(irq).drive(false);
    }

    @Test
    void masksReadBack_whenTheKernelProbes() {
        slave.writePort(1, 1, 0xff);
        master.writePort(1, 1, 0xfb);
        assertThat(master.readPort(1, 1)).isEqualTo(0xfb);
        assertThat(slave.readPort(1, 1)).isEqualTo(0xff);
    }

    @Test
    void deliversMasterVector_whenAnEdgeArrives() {
        initialize();
        raise(4);
        assertThat(intr.high).isTrue();
        assertThat(pics.acknowledge()).isEqualTo(0x34);
        assertThat(intr.high).isFalse();
    }

    @Test
    void deliversSlaveVector_whenTheCascadeCarriesIt() {
        initialize();
        raise(14);
        assertThat(pics.acknowledge()).isEqualTo(0x3e);
        master.writePort(0, 1, 0x0b);
        slave.writePort(0, 1, 0x0b);
        assertThat(master.readPort(0, 1)).isEqualTo(0x04);
        assertThat(slave.readPort(0, 1)).isEqualTo(0x40);
        slave.writePort(0, 1, 0x66);
        master.writePort(0, 1, 0x62);
        assertThat(master.readPort(0, 1)).isZero();
        assertThat(slave.readPort(0, 1)).isZero();
    }

    @Test
    void staysSilent_whenTheInputIsMasked() {
        initialize();
        master.writePort(1, 1, 0x10);
        raise(4);
        assertThat(intr.high).isFalse();
        master.writePort(1, 1, 0x00);
        assertThat(intr.high).isTrue();
    }

    @Test
    void nestsOnlyBetterPriorities_whenOneIsInService() {
        initialize();
        raise(3);
        pics.acknowledge();
        raise(5);
        assertThat(intr.high).isFalse();
        raise(1);
        assertThat(intr.high).isTrue();
        assertThat(pics.acknowledge()).isEqualTo(0x31);
        master.writePort(0, 1, 0x20);
        assertThat(intr.high).isFalse();
        master.writePort(0, 1, 0x20);
        assertThat(pics.acknowledge()).isEqualTo(0x35);
    }

    @Test
    void ranksSlaveInputsAboveMasterThree_whenSeveralAreRaised() {
        initialize();
        raise(3);
        raise(12);
        raise(8);
        assertThat(pics.acknowledge()).isEqualTo(0x38);
        slave.writePort(0, 1, 0x20);
        master.writePort(0, 1, 0x20);
        assertThat(pics.acknowledge()).isEqualTo(0x3c);
        slave.writePort(0, 1, 0x20);
        master.writePort(0, 1, 0x20);
        assertThat(pics.acknowledge()).isEqualTo(0x33);
    }

    @Test
    void keepsTheSecondSlaveInterrupt_whenTheSlaveEndsAutomatically() {
        initialize(0x03);
        raise(12);
        raise(8);
        assertThat(pics.acknowledge()).isEqualTo(0x38);
        assertThat(intr.high).isTrue();
        assertThat(pics.acknowledge()).isEqualTo(0x3c);
        assertThat(intr.high).isFalse();
    }

    @Test
    void answersInputSeven_whenTheRequestHasGone() {
        initialize();
        assertThat(pics.acknowledge()).isEqualTo(0x37);
        master.writePort(0, 1, 0x0b);
        assertThat(master.readPort(0, 1)).as("a spurious interrupt is not in service").isZero();
    }

    @Test
    void requestsAgain_whenALevelInputIsStillHighAfterItsEnd() {
        initialize();
        pics.edgeLevel().writePort(1, 1, 0x02);
        raise(9);
        assertThat(pics.acknowledge()).isEqualTo(0x39);
        slave.writePort(0, 1, 0x61);
        master.writePort(0, 1, 0x62);
        assertThat(intr.high).isTrue();
        lower(9);
        assertThat(intr.high).isFalse();
    }

    @Test
    void keepsSystemInputsEdgeTriggered_whenElcrIsWritten() {
        pics.edgeLevel().writePort(0, 2, 0xffff);
        assertThat(pics.edgeLevel().readPort(0, 2)).isEqualTo(0xdef8);
    }

    @Test
    void rotatesPriorities_whenTheEndSaysSo() {
        initialize();
        raise(4);
        pics.acknowledge();
        master.writePort(0, 1, 0xa0);
        raise(3);
        raise(5);
        assertThat(pics.acknowledge()).as("5 is best when 4 is worst").isEqualTo(0x35);
    }

    @Test
    void letsWorsePrioritiesThrough_whenSpecialMaskModeMasksTheOneInService() {
        initialize();
        raise(1);
        pics.acknowledge();
        master.writePort(1, 1, 0x02);
        master.writePort(0, 1, 0x68);
        raise(6);
        assertThat(pics.acknowledge()).isEqualTo(0x36);
    }

    @Test
    void letsABetterSlaveInputThrough_whenSpeciallyFullyNested() {
        initialize(0x11);
        raise(12);
        pics.acknowledge();
        raise(8);
        assertThat(intr.high).isTrue();
        assertThat(pics.acknowledge()).isEqualTo(0x38);
    }

    @Test
    void acknowledgesByReading_whenPolled() {
        initialize();
        raise(6);
        master.writePort(0, 1, 0x0c);
        assertThat(master.readPort(0, 1)).isEqualTo(0x86);
        master.writePort(0, 1, 0x0c);
        assertThat(master.readPort(0, 1)).isZero();
    }

    @Test
    void forgetsEdges_whenInitializedAgain() {
        initialize();
        raise(4);
        initialize();
        assertThat(intr.high).isFalse();
        lower(4);
        raise(4);
        assertThat(intr.high).isTrue();
    }
}
