package org.javisor.guesttests;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.TimeUnit;
import org.javisor.guesttests.DebianGuest.Kernel;
import org.javisor.image.CachedImage;
import org.javisor.machine.EndReason;
import org.javisor.machine.MachineEnd;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Two machines in this JVM at the same time: what becomes of one is nothing to the other. */
@Timeout(value = 10, unit = TimeUnit.MINUTES)
class TwoGuestsTest {
    @Test
    void oneLivesOn_whenTheOtherPanics() throws InterruptedException {
        CachedImage image = GuestImage.require("tiny");
        // As Debian ships it, unpacking itself; the other one starts from the unpacked kernel.
        Kernel shipped = new Kernel(true, "", true);
        try (DebianGuest doomed =
                        DebianGuest.start(image, shipped, config -> config.name("doomed"));
                DebianGuest other =
                        DebianGuest.start("tiny", config -> config.name("other").cpus(2))) {
            other.awaitPrompt();
            assertThat(other.run("echo $$ >/tmp/mark; nproc").output()).isEqualTo("2\n");
            doomed.awaitPrompt();
            assertThat(doomed.run("nproc; cat /tmp/mark").output())
                    .startsWith("1\n")
                    .contains("No such file");

            doomed.type("echo c >/proc/sysrq-trigger\n");
            MachineEnd end = doomed.awaitEnd(DebianGuest.ANSWER);

            assertThat(end.reason()).isEqualTo(EndReason.PANIC);
            assertThat(end.detail()).isEqualTo("Kernel panic - not syncing: sysrq triggered crash");
            assertThat(other.run("test -s /tmp/mark; seq 1 20000 | sha256sum").output())
                    .isEqualTo(DebianShellTest.SUM_OF_20000 + "  -\n");
            other.type("poweroff\n");
            assertThat(other.awaitEnd(DebianGuest.ANSWER).reason()).isEqualTo(EndReason.POWER_OFF);
        }
    }
}
