package org.javisor.guesttests;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What shows only after minutes. */
@Tag("slow")
@Timeout(value = 60, unit = TimeUnit.MINUTES)
class LongRunningGuestTest {
    private static final int ROUNDS = Integer.getInteger("rounds", 12);

    @Test
    void keepsTimeForAMinute_idleAndAtWork() throws InterruptedException {
        try (DebianGuest guest = DebianGuest.start("tiny", config -> config.cpus(2))) {
            guest.awaitPrompt();
            ClockComparison.overSeconds(guest, 60).assertWithin(0.01);
            guest.run("yes >/dev/null & yes >/dev/null &");
            ClockComparison.overSeconds(guest, 60).assertWithin(0.01);
        }
    }

    /** The whole process counts, garbage collection and compilation included. */
    @Test
    void usesLittleOfTheHost_whenIdle() throws InterruptedException {
        try (DebianGuest guest = DebianGuest.start("tiny", config -> config)) {
            guest.awaitPrompt();
            guest.run("sleep 10");
            long host = System.nanoTime();
            long used = processCpuNanos();
            guest.run("sleep 50", Duration.ofMinutes(2));
            double share = (processCpuNanos() - used) / (double) (System.nanoTime() - host);
            assertThat(share).isLessThan(0.02);
        }
    }

    private static long processCpuNanos() {
        return ((com.sun.management.OperatingSystemMXBean)
                        ManagementFactory.getOperatingSystemMXBean())
                .getProcessCpuTime();
    }

    /**
     * Four processors on fewer cores of the host: a lost wake-up, interrupt or store shows as a
     * hang, a complaint of the kernel's or a wrong sum.
     */
    @Test
    void computesRightAndHangsNowhere_whenFourProcessorsAreBusy() throws InterruptedException {
        String work =
                """
                work() {
                    seq 1 20000 | gzip | gunzip | sort -rn | sort -n | sha256sum
                    dd if=/dev/zero bs=64k count=32 2>/dev/null | cat | cat | md5sum
                    n=0; while [ $n -lt 60 ]; do /bin/busybox sh -c : & n=$((n + 1)); done; wait
                    dd if=/dev/urandom of=/tmp/r$1 bs=16k count=32 2>/dev/null
                    cp /tmp/r$1 /tmp/s$1; cmp /tmp/r$1 /tmp/s$1 && echo same; rm /tmp/[rs]$1
                }
                """;
        String expected =
                "%s  -\nb2d1236c286a3c0704224fe4105eca49  -\nsame\n"
                        .formatted(DebianShellTest.SUM_OF_20000);
        try (DebianGuest guest = DebianGuest.start("tiny", config -> config.cpus(4))) {
            guest.awaitPrompt();
            guest.run(work);
            for (int round = 0; round < ROUNDS; round++) {
                String output =
                        guest.run(
                                        "for p in 1 2 3 4 5 6; do (work $p) >/tmp/out$p & done;"
                                                + " wait; cat /tmp/out*",
                                        Duration.ofMinutes(5))
                                .output();
                assertThat(withoutJobs(output)).as("round %d", round).isEqualTo(expected.repeat(6));
            }
            assertThat(guest.run("dmesg -r | grep '^<[0-4]>'").output()).isEmpty();
        }
    }

    /** What an interactive shell says of the end of its jobs. */
    private static String withoutJobs(String output) {
        return output.replaceAll("(?m)^\\[\\d+\\][ +-] .*\n", "");
    }
}
