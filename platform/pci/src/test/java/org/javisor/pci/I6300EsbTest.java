package org.javisor.pci;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.SplittableRandom;
import org.javisor.testkit.FakeClock;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class I6300EsbTest {
    private static final long BAR = 0xc000_0000L;
    private static final long SECOND = 1_000_000_000L;

    /** About a second in units of 2^15 cycles at 33 MHz. */
    private static final int ONE_SECOND = 1007;

    private final TestBoard board = new TestBoard();
    private final FakeClock clock = new FakeClock();
    private int expiries;
    private final I6300Esb watchdog = new I6300Esb(clock, () -> expiries++);

    @BeforeEach
    void plug() {
        board.bus.plug(new PciAddress(1, 0), watchdog.function());
        board.write(1, 0x10, 4, (int) BAR);
        board.write(1, 4, 2, 2);
    }

    private void unlock() {
        board.memory.write(BAR + 0xc, 2, 0x80);
        board.memory.write(BAR + 0xc, 2, 0x86);
    }

    private void preload(int first, int second) {
        unlock();
        board.memory.write(BAR, 4, first);
        unlock();
        board.memory.write(BAR + 4, 4, second);
    }

    private void reload() {
        unlock();
        board.memory.write(BAR + 0xc, 2, 0x100);
    }

    private void start() {
        preload(ONE_SECOND, ONE_SECOND);
        board.write(1, 0x60, 2, 3);
        board.write(1, 0x68, 1, 2);
    }

    @Test
    void staysQuiet_whileTheGuestReloads() {
        start();
        for (int i = 0; i < 10; i++) {
            clock.advance(SECOND * 19 / 10);
            reload();
        }
        assertThat(expiries).isZero();
        clock.advance(2 * SECOND);
        assertThat(expiries).isEqualTo(1);
    }

    @Test
    void reloadsNothing_whenNotUnlocked() {
        start();
        clock.advance(SECOND * 19 / 10);
        board.memory.write(BAR + 0xc, 2, 0x100);
        board.memory.write(BAR + 0xc, 2, 0x86);
        board.memory.write(BAR + 0xc, 2, 0x100);
        // Unlocked for one write only.
        unlock();
        board.memory.write(BAR, 4, ONE_SECOND);
        board.memory.write(BAR + 0xc, 2, 0x100);
        clock.advance(SECOND);
        assertThat(expiries).isEqualTo(1);
    }

    @Test
    void isUnlockedAfresh_whenUnlockedTwice() {
        start();
        clock.advance(SECOND * 19 / 10);
        unlock();
        reload();
        clock.advance(SECOND);
        assertThat(expiries).isZero();
    }

    @Test
    void remembersTheExpiry_whenTheMachineIsReset() {
        start();
        clock.advance(2 * SECOND);
        watchdog.function().reset();
        board.write(1, 0x10, 4, (int) BAR);
        board.write(1, 4, 2, 2);
        assertThat(board.memory.read(BAR + 0xc, 2)).isEqualTo(0x200);
        clock.advance(100 * SECOND);
        assertThat(expiries).as("not running after a reset").isEqualTo(1);
        unlock();
        board.memory.write(BAR + 0xc, 2, 0x300);
        assertThat(board.memory.read(BAR + 0xc, 2)).isZero();
    }

    @Test
    void interrupts_whenTheFirstPeriodEnds() {
        preload(ONE_SECOND, ONE_SECOND);
        board.write(1, 0x60, 2, 0x20);
        board.write(1, 0x68, 1, 2);
        clock.advance(SECOND);
        assertThat(board.lines[1]).isTrue();
        assertThat(board.memory.read(BAR + 8, 4)).isEqualTo(1);
        board.memory.write(BAR + 8, 4, 1);
        assertThat(board.lines[1]).isFalse();
        clock.advance(SECOND);
        // The output is disabled: nothing but a note.
        assertThat(expiries).isZero();
        assertThat(board.memory.read(BAR + 0xc, 4)).isEqualTo(0x200);
    }

    @Test
    void cannotBeStopped_whenLocked() {
        start();
        board.write(1, 0x68, 1, 3);
        board.write(1, 0x68, 1, 0);
        board.write(1, 0x68, 4, 0);
        assertThat(board.read(1, 0x68, 1)).isEqualTo(3);
        clock.advance(2 * SECOND);
        assertThat(expiries).isEqualTo(1);
    }

    @Test
    void stops_whenSwitchedOff() {
        start();
        board.write(1, 0x68, 1, 0);
        clock.advance(100 * SECOND);
        assertThat(expiries).isZero();
    }

    @Test
    void firesAThousandTimesASecondAtMost_whenThePeriodsAreZero() {
        preload(0, 0);
        board.write(1, 0x60, 2, 7);
        board.write(1, 0x68, 1, 6);
        clock.advance(SECOND);
        assertThat(expiries).isBetween(900, 1000);
    }

    @Test
    void goesOnWhereItWas_whenRestored() {
        start();
        clock.advance(SECOND * 15 / 10);
        PciFunctionState function = watchdog.function().save();
        I6300Esb.State state = watchdog.save();
        int[] others = {0};
        FakeClock later = new FakeClock();
        I6300Esb copy = new I6300Esb(later, () -> others[0]++);
        copy.function().restore(function);
        copy.restore(state);
        assertThat(copy.save()).isEqualTo(state);
        later.advance(SECOND * 4 / 10);
        assertThat(others[0]).isZero();
        later.advance(SECOND * 2 / 10);
        assertThat(others[0]).isEqualTo(1);
    }

    @Test
    void survives_whateverTheGuestWrites() {
        long seed = Long.getLong("javisor.fuzz.seed", 20260101);
        int cases = Integer.getInteger("javisor.fuzz.cases", 20_000);
        System.out.println("I6300Esb fuzzed with seed " + seed + ", " + cases + " cases");
        SplittableRandom random = new SplittableRandom(seed);
        for (int i = 0; i < cases; i++) {
            int size = 1 << random.nextInt(4);
            long at = BAR + random.nextInt(0x10);
            switch (random.nextInt(8)) {
                case 0 -> board.memory.write(at, size, random.nextLong());
                case 1 -> board.memory.read(at, size);
                case 2 -> unlock();
                case 3 -> preload(random.nextInt(), random.nextInt(4));
                case 4 -> board.write(1, 0x60, 2, random.nextInt());
                case 5 -> board.write(1, 0x68, 1, random.nextInt(8));
                case 6 -> clock.advance(random.nextLong(SECOND / 50));
                default -> {
                    watchdog.restore(watchdog.save());
                    if (random.nextInt(50) == 0) {
                        watchdog.function().reset();
                        board.write(1, 0x10, 4, (int) BAR);
                        board.write(1, 4, 2, 2);
                    }
                }
            }
        }
        assertThat(board.read(1, 0, 4)).isEqualTo(0x25ab_8086);
    }
}
