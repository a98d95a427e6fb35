package org.javisor.guesttests;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.TimeUnit;
import org.javisor.machine.WatchdogAction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The watchdog timer under the stock driver. */
@Timeout(value = 10, unit = TimeUnit.MINUTES)
class WatchdogTest {
    private static final String TIMER = "/sys/class/watchdog/watchdog0/";

    @Test
    void resetsTheMachine_whenTheGuestNoLongerFeedsIt() throws InterruptedException {
        try (DebianGuest guest =
                DebianGuest.start("tiny", config -> config.watchdog(WatchdogAction.RESET))) {
            guest.awaitPrompt();
            assertThat(guest.run("modprobe i6300esb; cat " + TIMER + "identity").output())
                    .contains("i6300ESB");
            assertThat(guest.run("cat " + TIMER + "bootstatus").output()).isEqualTo("0\n");
            // Switched off in order: nothing happens. The heartbeat is the shortest there is.
            guest.run("exec 3>/dev/watchdog; echo V >&3; exec 3>&-; sleep 3");
            assertThat(guest.machine().statistics().resets()).isZero();

            guest.type("watchdog -F -T 2 -t 100 /dev/watchdog\n");
            guest.awaitPrompt();

            assertThat(guest.machine().statistics().resets()).isEqualTo(1);
            guest.run("modprobe i6300esb");
            // WDIOF_CARDRESET.
            assertThat(guest.run("cat " + TIMER + "bootstatus").output()).isEqualTo("32\n");
        }
    }
}
