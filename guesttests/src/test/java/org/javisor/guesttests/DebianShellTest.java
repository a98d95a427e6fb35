package org.javisor.guesttests;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.TimeUnit;
import org.javisor.machine.EndReason;
import org.javisor.machine.MachineEnd;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.Timeout;

/**
 * One guest with four processors, booted, used, rebooted and switched off. The tests go on from
 * where the last one left the guest: a boot costs more than all the rest.
 */
@Tag("engine")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
@Timeout(value = 10, unit = TimeUnit.MINUTES)
class DebianShellTest {
    /** Of {@code seq 1 20000}, by the host's sha256sum. */
    static final String SUM_OF_20000 =
            "f6351f5ead9a700e34275480b3856ea738122a7c57bdeb744a631251c069587a";

    private DebianGuest guest;

    @BeforeAll
    void boot() throws InterruptedException {
        guest = DebianGuest.start("tiny", config -> config.cpus(4)).awaitPrompt();
    }

    @AfterAll
    void end() {
        if (guest != null) {
            guest.close();
        }
    }

    @Test
    @Order(1)
    void answers_whenACommandIsTyped() throws InterruptedException {
        assertThat(guest.run("echo $((6 * 7)); (exit 3)"))
                .isEqualTo(new DebianGuest.Answer("42\n", 3));
    }

    @Test
    @Order(2)
    void hasFourProcessors_whenConfiguredSo() throws InterruptedException {
        assertThat(guest.run("grep -c ^processor /proc/cpuinfo").output()).isEqualTo("4\n");
        assertThat(guest.run("cat /sys/devices/system/cpu/online").output()).isEqualTo("0-3\n");
    }

    /** Each runs a program at the same time and all get the same answer. */
    @Test
    @Order(3)
    void computesOnAllProcessorsAtOnce_whenPinned() throws InterruptedException {
        String sums =
                guest.run(
                                "for c in 0 1 2 3; do taskset -c $c sh -c"
                                        + " 'seq 1 20000 | sha256sum' & done; wait")
                        .output();
        assertThat(sums.lines().filter(line -> line.endsWith("-")).toList())
                .hasSize(4)
                .containsOnly(SUM_OF_20000 + "  -");
    }

    @Test
    @Order(4)
    void keepsTimeWithTheHost_whileItWorks() throws InterruptedException {
        guest.run("yes >/dev/null & load=$!");
        ClockComparison.overSeconds(guest, 5).assertWithin(0.01);
        guest.run("kill $load");
    }

    @Test
    @Order(5)
    void complainsOfNothing_whenTheKernelLogIsRead() throws InterruptedException {
        assertThat(guest.run("dmesg -r | grep '^<[0-4]>'").output()).isEmpty();
    }

    @Test
    @Order(6)
    void startsOver_whenTheGuestReboots() throws InterruptedException {
        guest.type("reboot\n");
        guest.awaitPrompt();
        assertThat(guest.machine().statistics().resets()).isEqualTo(1);
        assertThat(guest.run("grep -c ^processor /proc/cpuinfo").output()).isEqualTo("4\n");
    }

    @Test
    @Order(7)
    void shutsDown_whenThePowerButtonIsPressed() throws InterruptedException {
        // The button's driver is a module that is loaded while the shell starts.
        guest.run("until [ -e /dev/input/event0 ] && pidof acpid; do usleep 50000; done");
        guest.machine().pressPowerButton();
        MachineEnd end = guest.awaitEnd(DebianGuest.ANSWER);
        assertThat(end.reason()).isEqualTo(EndReason.POWER_OFF);
    }
}
