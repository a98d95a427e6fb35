package org.javisor.chipset;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import org.junit.jupiter.api.Test;

class Rtc146818Test {
    private final FakeClock clock = new FakeClock(Instant.parse("2026-12-31T23:59:50Z"));
    private final FakeLine irq = new FakeLine();
    private final Rtc146818 rtc = new Rtc146818(clock, irq);

    private int read(int index) {
        rtc.writePort(0, 1, index | 0x80);
        return rtc.readPort(1, 1);
    }

    private void write(int index, int value) {
        rtc.writePort(0, 1, index);
        rtc.writePort(1, 1, value);
    }

    @Test
    void tellsWallTimeInBcd_afterPowerOn() {
        assertThat(new int[] {read(0), read(2), read(4), read(6), read(7), read(8), read(9)})
                .containsExactly(0x50, 0x59, 0x23, 5, 0x31, 0x12, 0x26);
        assertThat(read(0x32)).isEqualTo(0x20);
        assertThat(read(0x0d)).isEqualTo(0x80);
        clock.advance(10_000_000_000L);
        assertThat(new int[] {read(0), read(2), read(4), read(7), read(8), read(9)})
                .containsExactly(0, 0, 0, 1, 1, 0x27);
    }

    @Test
    void changesRepresentation_withRegisterB() {
        write(0x0b, 0x06);
        assertThat(read(4)).isEqualTo(23);
        write(0x0b, 0x04);
        assertThat(read(4)).isEqualTo(0x8b);
        write(0x0b, 0x00);
        assertThat(read(4)).isEqualTo(0x91);
        clock.advance(10_000_000_000L);
        assertThat(read(4)).as("midnight").isEqualTo(0x12);
    }

    @Test
    void announcesTheUpdate_beforeEachSecondEnds() {
        assertThat(read(0x0a)).isEqualTo(0x26);
        clock.advance(997_000_000);
        assertThat(read(0x0a) & 0x80).isZero();
        clock.advance(1_000_000);
        assertThat(read(0x0a) & 0x80).isEqualTo(0x80);
        assertThat(read(0)).isEqualTo(0x50);
        clock.advance(2_000_000);
        assertThat(read(0x0a) & 0x80).isZero();
        assertThat(read(0)).isEqualTo(0x51);
    }

    @Test
    void goesOnFromTheNewTime_whenSetAsLinuxDoesIt() {
        write(0x0b, read(0x0b) | 0x80);
        int a = read(0x0a);
        write(0x0a, a | 0x70);
        int[] time = {0x15, 0x30, 0x08, 0x29, 0x02, 0x24};
        int[] registers = {0, 2, 4, 7, 8, 9};
        for (int i = 0; i < 6; i++) {
            write(registers[i], time[i]);
        }
        clock.advance(3_000_000_000L);
        assertThat(read(0)).as("stopped").isEqualTo(0x15);
        write(0x0b, read(0x0b) & 0x7f);
        write(0x0a, a);
        assertThat(read(0)).isEqualTo(0x15);
        clock.advance(499_000_000);
        assertThat(read(0)).isEqualTo(0x15);
        clock.advance(1_000_000);
        assertThat(read(0)).as("half a second after the divider's reset").isEqualTo(0x16);
        clock.advance(86_400_000_000_000L);
        assertThat(new int[] {read(7), read(8), read(9)}).containsExactly(1, 3, 0x24);
    }

    @Test
    void interruptsPeriodically_onceEachTimeTheFlagIsRead() {
        write(0x0b, 0x42);
        int ticks = 0;
        for (int i = 0; i < 2000; i++) {
            clock.advance(500_000);
            if (irq.high) {
                assertThat(read(0x0c) & 0xc0).isEqualTo(0xc0);
                ticks++;
            }
        }
        assertThat(ticks).as("1024 Hz over a second, within the poll's grain").isBetween(990, 1024);
        clock.advance(1_000_000_000L);
        long before = clock.fired;
        clock.advance(10_000_000_000L);
        assertThat(clock.fired).as("an unread flag wakes nobody").isEqualTo(before);
    }

    @Test
    void interruptsOnUpdate_whenAsked() {
        read(0x0c);
        write(0x0b, 0x12);
        clock.advance(999_999_999);
        assertThat(irq.high).isFalse();
        clock.advance(1);
        assertThat(irq.high).isTrue();
        assertThat(read(0x0c)).isEqualTo(0xd0);
        assertThat(irq.high).isFalse();
        assertThat(read(0x0c)).isZero();
    }

    @Test
    void setsFlagsWithoutInterrupt_whenPolled() {
        read(0x0c);
        clock.advance(1_000_000_000L);
        assertThat(read(0x0c)).isEqualTo(0x50);
        assertThat(irq.rises).isZero();
    }

    @Test
    void interruptsAtTheAlarm_andTreatsHighBitsAsAny() {
        write(1, 0x05);
        write(3, 0xff);
        write(5, 0xff);
        write(0x0b, 0x22);
        read(0x0c);
        clock.advance(14_000_000_000L);
        assertThat(irq.high).isFalse();
        clock.advance(1_000_000_000L);
        assertThat(irq.high).isTrue();
        assertThat(read(0x0c) & 0xa0).isEqualTo(0xa0);
        clock.advance(60_000_000_000L);
        assertThat(irq.high).isTrue();
    }

    @Test
    void noticesAMissedAlarm_whenNobodyLookedForDays() {
        write(1, 0x00);
        write(3, 0x00);
        write(5, 0x12);
        read(0x0c);
        clock.advance(86_400_000_000_000L * 40);
        assertThat(read(0x0c) & 0x20).isEqualTo(0x20);
    }

    @Test
    void keepsMemory_overAReset() {
        rtc.setCmos(0x10, 0x40);
        write(0x7f, 0x99);
        write(0x0b, 0x72);
        rtc.reset();
        assertThat(read(0x10)).isEqualTo(0x40);
        assertThat(read(0x7f)).isEqualTo(0x99);
        assertThat(read(0x0b)).isEqualTo(0x02);
    }

    @Test
    void roundTripsEverySecond_inAllRepresentations() {
        byte[] cmos = new byte[128];
        long start = LocalDateTime.of(1999, 12, 31, 0, 0, 0).toEpochSecond(ZoneOffset.UTC);
        for (int form = 0; form < 4; form++) {
            RtcCalendar calendar = new RtcCalendar((form & 1) != 0, (form & 2) != 0);
            for (long second = start; second < start + 200_000; second += 611) {
                calendar.encode(second, cmos);
                assertThat(calendar.decode(cmos)).isEqualTo(second);
            }
        }
    }
}
