package org.javisor.chipset;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class LocalApicTest {
    private static final int BASE_MSR = 0x1b;
    private static final int DEADLINE_MSR = 0x6e0;

    private final FakeClock clock = new FakeClock();
    private final ApicBus bus = new ApicBus();
    private final FakePins[] pins = new FakePins[4];
    private final LocalApic[] apics = new LocalApic[4];
    private long tscOffset;

    @BeforeEach
    void machineOfFour() {
        for (int i = 0; i < 4; i++) {
            pins[i] = new FakePins();
            apics[i] = new LocalApic(bus, i, pins[i], clock, () -> clock.nanos() + tscOffset);
            write(i, 0xf0, 0x1ff);
        }
    }

    private void write(int cpu, int offset, long value) {
        apics[cpu].writeMmio(offset, 4, value);
    }

    private int read(int cpu, int offset) {
        return (int) apics[cpu].readMmio(offset, 4);
    }

    private void message(int cpu, int vector) {
        bus.deliver(cpu, false, DeliveryMode.FIXED, vector, false);
    }

    private void ipi(int cpu, int high, int low) {
        write(cpu, 0x310, high);
        write(cpu, 0x300, low);
    }

    @Test
    void hasPowerOnValues_afterReset() {
        apics[0].reset();
        apics[1].reset();
        assertThat(apics[0].readMsr(BASE_MSR)).isEqualTo(0xfee00900L);
        assertThat(apics[1].readMsr(BASE_MSR)).isEqualTo(0xfee00800L);
        assertThat(apics[1].mmioBase()).isEqualTo(0xfee00000L);
        assertThat(read(1, 0x20)).isEqualTo(1 << 24);
        assertThat(read(1, 0x30)).isEqualTo(0x01050014);
        assertThat(read(1, 0xe0)).isEqualTo(0xffffffff);
        assertThat(read(1, 0xf0)).isEqualTo(0xff);
        assertThat(read(1, 0x350)).isEqualTo(0x10000);
        assertThat(read(0, 0x350)).as("virtual wire mode").isEqualTo(0x700);
    }

    @Test
    void deliversHighestVectorFirst_whenSeveralWait() {
        message(0, 0x40);
        message(0, 0x81);
        assertThat(pins[0].requests).isGreaterThanOrEqualTo(2);
        assertThat(read(0, 0x220)).isEqualTo(1);
        assertThat(apics[0].interruptPending()).isTrue();
        assertThat(apics[0].acknowledge()).isEqualTo(0x81);
        assertThat(read(0, 0x140)).isEqualTo(2);
        assertThat(apics[0].interruptPending()).as("blocked by the one in service").isFalse();
        assertThat(apics[0].acknowledge()).isEqualTo(-1);
        pins[0].requests = 0;
        write(0, 0xb0, 0);
        assertThat(pins[0].requests).as("the processor is told to look again").isPositive();
        assertThat(apics[0].acknowledge()).isEqualTo(0x40);
    }

    @Test
    void nests_whenABetterPriorityClassArrives() {
        message(0, 0x41);
        apics[0].acknowledge();
        message(0, 0x4f);
        assertThat(apics[0].interruptPending()).as("same class").isFalse();
        message(0, 0x50);
        assertThat(apics[0].acknowledge()).isEqualTo(0x50);
        assertThat(read(0, 0xa0)).isEqualTo(0x50);
        write(0, 0xb0, 0);
        assertThat(read(0, 0xa0)).isEqualTo(0x40);
        assertThat(apics[0].interruptPending()).isFalse();
        write(0, 0xb0, 0);
        assertThat(apics[0].acknowledge()).isEqualTo(0x4f);
    }

    @Test
    void holdsInterruptsBack_whenCr8IsHigher() {
        apics[0].setCr8(8);
        assertThat(read(0, 0x80)).isEqualTo(0x80);
        message(0, 0x8f);
        assertThat(apics[0].interruptPending()).isFalse();
        apics[0].setCr8(7);
        assertThat(apics[0].interruptPending()).isTrue();
        write(0, 0x80, 0x95);
        assertThat(apics[0].cr8()).isEqualTo(9);
        assertThat(read(0, 0xa0)).isEqualTo(0x95);
    }

    @Test
    void dropsFixedInterrupts_whenSoftwareDisabled() {
        write(0, 0xf0, 0xff);
        message(0, 0x40);
        assertThat(apics[0].interruptPending()).isFalse();
        assertThat(read(0, 0x320) & 0x10000).isEqualTo(0x10000);
        write(0, 0x320, 0x30);
        assertThat(read(0, 0x320)).as("mask cannot be cleared").isEqualTo(0x10030);
        bus.deliver(0, false, DeliveryMode.NMI, 0, false);
        assertThat(pins[0].nmis).isEqualTo(1);
    }

    @Test
    void repeatsALevelInterrupt_whenItsEndIsBroadcastAndTheLineIsHigh() {
        IoApic ioApic = new IoApic(bus);
        bus.attach(ioApic);
        ioApic.writeMmio(0, 4, 0x22);
        ioApic.writeMmio(0x10, 4, 0x8039);
        ioApic.input(9).drive(true);
        assertThat(apics[0].acknowledge()).isEqualTo(0x39);
        assertThat(read(0, 0x190)).as("TMR").isEqualTo(1 << 25);
        write(0, 0xb0, 0);
        assertThat(apics[0].interruptPending()).isTrue();
        assertThat(apics[0].acknowledge()).isEqualTo(0x39);
        ioApic.input(9).drive(false);
        write(0, 0xb0, 0);
        assertThat(apics[0].interruptPending()).isFalse();
    }

    @Test
    void leavesTheEndToTheIoApic_whenBroadcastsAreSuppressed() {
        IoApic ioApic = new IoApic(bus);
        bus.attach(ioApic);
        write(0, 0xf0, 0x11ff);
        ioApic.writeMmio(0, 4, 0x22);
        ioApic.writeMmio(0x10, 4, 0x8039);
        ioApic.input(9).drive(true);
        apics[0].acknowledge();
        write(0, 0xb0, 0);
        assertThat(apics[0].interruptPending()).isFalse();
        ioApic.writeMmio(0x40, 4, 0x39);
        assertThat(apics[0].interruptPending()).isTrue();
    }

    @Test
    void fetchesTheVectorFromThePic_whenLint0IsExtInt() {
        PicPair pics = picsWithIrq0();
        assertThat(apics[0].interruptPending()).isTrue();
        assertThat(apics[1].interruptPending()).isFalse();
        assertThat(apics[0].acknowledge()).isEqualTo(0x30);
        assertThat(apics[0].interruptPending()).isFalse();
        assertThat(pics.save().master().isr()).isEqualTo(1);
    }

    private PicPair picsWithIrq0() {
        apics[0].reset();
        PicPair pics = new PicPair(bus.intr());
        bus.attach(pics);
        pics.master().writePort(0, 1, 0x11);
        pics.master().writePort(1, 1, 0x30);
        pics.master().writePort(1, 1, 0x04);
        pics.master().writePort(1, 1, 0x01);
        pics.input(0).drive(true);
        return pics;
    }

    @Test
    void ignoresThePic_whenLint0IsMasked() {
        picsWithIrq0();
        write(0, 0xf0, 0x1ff);
        write(0, 0x350, 0x10700);
        assertThat(apics[0].interruptPending()).isFalse();
        write(0, 0x350, 0x700);
        assertThat(apics[0].interruptPending()).isTrue();
    }

    @Test
    void servesThePicDirectly_whenTheApicIsOff() {
        picsWithIrq0();
        assertThat(apics[0].writeMsr(BASE_MSR, 0xfee00000L)).isTrue();
        assertThat(apics[0].mmioBase()).isEqualTo(-1);
        assertThat(apics[0].acknowledge()).isEqualTo(0x30);
    }

    @Test
    void acceptsAFixedVectorOnLint0_whenTheKernelTriesVirtualWire() {
        write(0, 0x350, 0x31);
        bus.intr().drive(true);
        assertThat(apics[0].acknowledge()).isEqualTo(0x31);
    }

    @Test
    void raisesNmi_whenLint1SaysSo() {
        write(2, 0x360, 0x400);
        bus.nmi().pulse();
        assertThat(pins[2].nmis).isEqualTo(1);
        assertThat(pins[1].nmis).isZero();
    }

    @Test
    void reachesOneProcessor_whenTheDestinationIsPhysical() {
        ipi(0, 2 << 24, 0x4042);
        assertThat(apics[2].acknowledge()).isEqualTo(0x42);
        assertThat(apics[1].interruptPending()).isFalse();
    }

    @Test
    void reachesAll_whenBroadcastOrShorthand() {
        ipi(0, 0xff << 24, 0x4042);
        ipi(0, 0, 0x40043);
        ipi(1, 0, 0x80044);
        ipi(1, 0, 0xc0055);
        for (int i = 0; i < 4; i++) {
            assertThat(apics[i].acknowledge()).isEqualTo(i == 1 ? 0x44 : 0x55);
        }
        assertThat(read(0, 0x220)).isEqualTo(0x1c);
        assertThat(read(2, 0x220)).isEqualTo(0x14);
    }

    @Test
    void reachesTheSet_whenLogicalFlat() {
        for (int i = 0; i < 4; i++) {
            write(i, 0xd0, 1 << 24 + i);
        }
        ipi(0, 0x0a << 24, 0x4842);
        assertThat(apics[0].interruptPending()).isFalse();
        assertThat(apics[1].interruptPending()).isTrue();
        assertThat(apics[2].interruptPending()).isFalse();
        assertThat(apics[3].interruptPending()).isTrue();
    }

    @Test
    void reachesTheClusterMember_whenLogicalCluster() {
        for (int i = 0; i < 4; i++) {
            write(i, 0xe0, 0x0fffffff);
            write(i, 0xd0, (i / 2 << 4 | 1 << i % 2) << 24);
        }
        ipi(0, 0x13 << 24, 0x4842);
        assertThat(apics[1].interruptPending()).isFalse();
        assertThat(apics[2].interruptPending()).isTrue();
        assertThat(apics[3].interruptPending()).isTrue();
        ipi(0, 0xf1 << 24, 0x4850);
        assertThat(apics[0].acknowledge()).isEqualTo(0x50);
        assertThat(apics[2].acknowledge()).isEqualTo(0x50);
    }

    @Test
    void picksTheLeastBusy_whenLowestPriority() {
        for (int i = 0; i < 4; i++) {
            write(i, 0xd0, 1 << 24 + i);
            write(i, 0x80, i == 2 ? 0x10 : 0x30);
        }
        for (int i = 0; i < 8; i++) {
            bus.deliver(0x0f, true, DeliveryMode.LOWEST_PRIORITY, 0x60 + i, false);
        }
        assertThat(read(2, 0x230)).isEqualTo(0xff);
    }

    @Test
    void startsAProcessor_whenInitAndStartUpArrive() {
        write(1, 0x320, 0x20030);
        write(1, 0x380, 1000);
        message(1, 0x77);
        ipi(0, 1 << 24, 0xc500);
        ipi(0, 1 << 24, 0x8500);
        ipi(0, 1 << 24, 0x0699);
        ipi(0, 1 << 24, 0x0699);
        assertThat(pins[1].inits).as("the de-assert is no INIT").isEqualTo(1);
        assertThat(pins[1].startUps).containsExactly(0x99, 0x99);
        message(1, 0x78);
        clock.advance(10_000_000);
        assertThat(apics[1].interruptPending()).isFalse();
        assertThat(read(1, 0xf0)).isEqualTo(0xff);
        assertThat(read(1, 0x320)).isEqualTo(0x10000);
        assertThat(apics[1].readMsr(BASE_MSR)).isEqualTo(0xfee00800L);
        assertThat(clock.armed()).isZero();
    }

    @Test
    void countsOnce_whenTheTimerIsOneShot() {
        write(0, 0x3e0, 0x3);
        write(0, 0x320, 0x30);
        write(0, 0x380, 1000);
        clock.advance(8000);
        assertThat(read(0, 0x390)).isEqualTo(500);
        clock.advance(7999);
        assertThat(apics[0].interruptPending()).isFalse();
        clock.advance(1);
        assertThat(apics[0].acknowledge()).isEqualTo(0x30);
        write(0, 0xb0, 0);
        clock.advance(1_000_000);
        assertThat(read(0, 0x390)).isZero();
        assertThat(apics[0].interruptPending()).isFalse();
    }

    @Test
    void repeatsWithoutDrift_whenTheTimerIsPeriodic() {
        write(0, 0x3e0, 0xb);
        write(0, 0x320, 0x20030);
        write(0, 0x380, 1_000_000);
        int ticks = 0;
        for (int i = 0; i < 10_000; i++) {
            clock.advance(333_333);
            if (apics[0].acknowledge() == 0x30) {
                ticks++;
                write(0, 0xb0, 0);
            }
        }
        assertThat(ticks).isEqualTo(3333);
        assertThat(read(0, 0x390)).isEqualTo(1_000_000 - 330_000);
        write(0, 0x320, 0x30030);
        assertThat(clock.armed()).as("a masked timer wakes nobody").isZero();
    }

    @Test
    void sparesTheHost_whenThePeriodIsAbsurd() {
        write(0, 0x3e0, 0xb);
        write(0, 0x320, 0x20030);
        write(0, 0x380, 1);
        long before = clock.fired;
        clock.advance(1_000_000_000);
        assertThat(clock.fired - before).isLessThanOrEqualTo(20_002);
    }

    @Test
    void firesAtTheTsc_whenInDeadlineMode() {
        tscOffset = 5_000;
        write(0, 0x320, 0x40030);
        apics[0].writeMsr(DEADLINE_MSR, clock.nanos() + tscOffset + 700);
        assertThat(apics[0].readMsr(DEADLINE_MSR)).isEqualTo(5_700);
        clock.advance(699);
        assertThat(apics[0].interruptPending()).isFalse();
        clock.advance(1);
        assertThat(apics[0].acknowledge()).isEqualTo(0x30);
        assertThat(apics[0].readMsr(DEADLINE_MSR)).isZero();
    }

    @Test
    void firesAtOnce_whenTheDeadlineHasPassed() {
        clock.advance(1000);
        write(0, 0x320, 0x40030);
        apics[0].writeMsr(DEADLINE_MSR, 1);
        assertThat(apics[0].acknowledge()).isEqualTo(0x30);
        write(0, 0xb0, 0);
        apics[0].writeMsr(DEADLINE_MSR, -1L);
        clock.advance(1_000_000_000);
        assertThat(apics[0].interruptPending()).isFalse();
        apics[0].writeMsr(DEADLINE_MSR, 0);
        assertThat(clock.armed()).isZero();
    }

    @Test
    void waitsForTheNewTsc_whenItWasSetBack() {
        tscOffset = 10_000;
        write(0, 0x320, 0x40030);
        apics[0].writeMsr(DEADLINE_MSR, 11_000);
        tscOffset = 0;
        clock.advance(2_000);
        assertThat(apics[0].interruptPending()).isFalse();
        clock.advance(9_000);
        assertThat(apics[0].interruptPending()).isTrue();
    }

    @Test
    void disarmsTheTimer_whenItsModeChangesToDeadline() {
        write(0, 0x320, 0x20030);
        write(0, 0x380, 1000);
        write(0, 0x320, 0x40030);
        assertThat(read(0, 0x380)).isZero();
        clock.advance(1_000_000);
        assertThat(apics[0].interruptPending()).isFalse();
    }

    @Test
    void reportsIllegalVectors_inTheErrorStatus() {
        write(0, 0x370, 0xfe);
        ipi(0, 1 << 24, 0x4005);
        assertThat(read(0, 0x280)).as("latched by a write only").isZero();
        write(0, 0x280, 0);
        assertThat(read(0, 0x280)).isEqualTo(0x20);
        assertThat(apics[0].acknowledge()).isEqualTo(0xfe);
        message(0, 0x07);
        read(0, 0x000);
        write(0, 0x280, 0);
        assertThat(read(0, 0x280)).isEqualTo(0xc0);
    }

    @Test
    void obeysTheModeGraph_whenTheBaseIsWritten() {
        LocalApic apic = apics[1];
        assertThat(apic.canReadMsr(0x802)).isFalse();
        assertThat(apic.writeMsr(0x80b, 0)).isFalse();
        assertThat(apic.writeMsr(BASE_MSR, 0xfee00400L)).as("x2APIC while off").isFalse();
        assertThat(apic.writeMsr(BASE_MSR, 0xfee00c00L)).isTrue();
        assertThat(apic.mmioBase()).isEqualTo(-1);
        assertThat(apic.writeMsr(BASE_MSR, 0xfee00800L)).as("back to xAPIC").isFalse();
        assertThat(apic.writeMsr(BASE_MSR, 0xfee00000L)).isTrue();
        assertThat(apic.writeMsr(BASE_MSR, 0xfee00c00L)).as("from off").isFalse();
        assertThat(apic.writeMsr(BASE_MSR, 1L << 60)).isFalse();
        assertThat(apic.writeMsr(BASE_MSR, 0xfee00800L)).isTrue();
        assertThat(read(1, 0xf0)).as("off and on again resets").isEqualTo(0xff);
    }

    @Test
    void speaksMsrs_whenInX2apicMode() {
        for (LocalApic apic : apics) {
            apic.writeMsr(BASE_MSR, apic.readMsr(BASE_MSR) | 0x400);
        }
        assertThat(apics[3].readMsr(0x802)).isEqualTo(3);
        assertThat(apics[3].readMsr(0x80d)).isEqualTo(8);
        assertThat(apics[3].canReadMsr(0x80e)).isFalse();
        assertThat(apics[3].canReadMsr(0x831)).isFalse();
        assertThat(apics[3].canReadMsr(0x80b)).isFalse();
        assertThat(apics[3].canReadMsr(0x8ff)).isFalse();
        assertThat(apics[3].writeMsr(0x802, 1)).isFalse();
        assertThat(apics[3].writeMsr(0x80b, 1)).isFalse();
        assertThat(apics[3].writeMsr(0x828, 1)).isFalse();
        assertThat(apics[3].writeMsr(0x808, 0x100)).isFalse();
        assertThat(apics[3].writeMsr(0x832, 1L << 32)).isFalse();
        assertThat(apics[0].writeMsr(0x830, 3L << 32 | 0x4042)).isTrue();
        assertThat(apics[3].acknowledge()).isEqualTo(0x42);
        assertThat(apics[3].writeMsr(0x80b, 0)).isTrue();
        assertThat(apics[0].writeMsr(0x830, 0x6L << 32 | 0x4843)).isTrue();
        assertThat(apics[1].acknowledge()).isEqualTo(0x43);
        assertThat(apics[2].acknowledge()).isEqualTo(0x43);
        assertThat(apics[3].acknowledge()).isEqualTo(-1);
        assertThat(apics[0].writeMsr(0x83f, 0x51)).isTrue();
        assertThat(apics[0].acknowledge()).isEqualTo(0x51);
        assertThat(apics[0].readMsr(0x830)).isEqualTo(0x6L << 32 | 0x4843);
    }

    @Test
    void routesAMessage_whenADeviceSignalsByMemoryWrite() {
        bus.deliver(0xfee02000L, 0x4061);
        assertThat(apics[2].acknowledge()).isEqualTo(0x61);
        bus.deliver(0xfed02000L, 0x4062);
        bus.deliver(0x1fee02000L, 0x4062);
        assertThat(read(2, 0x230)).isZero();
    }

    @Test
    void losesNothing_whenManyThreadsSend() throws Exception {
        Thread[] senders = new Thread[4];
        int perSender = 20_000;
        for (int t = 0; t < 4; t++) {
            int first = 0x40 + 0x30 * t;
            senders[t] =
                    new Thread(
                            () -> {
                                for (int i = 0; i < perSender; i++) {
                                    message(0, first + i % 0x20);
                                }
                            });
            senders[t].start();
        }
        boolean[] seen = new boolean[256];
        boolean alive = true;
        while (alive) {
            alive = false;
            for (Thread sender : senders) {
                alive |= sender.isAlive();
            }
            drain(seen);
        }
        for (Thread sender : senders) {
            sender.join();
        }
        drain(seen);
        for (int t = 0; t < 4; t++) {
            for (int i = 0; i < 0x20; i++) {
                assertThat(seen[0x40 + 0x30 * t + i]).isTrue();
            }
        }
        assertThat(apics[0].save().irr()).containsOnly(0);
    }

    private void drain(boolean[] seen) {
        while (apics[0].interruptPending()) {
            int vector = apics[0].acknowledge();
            if (vector >= 0) {
                seen[vector] = true;
                write(0, 0xb0, 0);
            }
        }
    }
}
