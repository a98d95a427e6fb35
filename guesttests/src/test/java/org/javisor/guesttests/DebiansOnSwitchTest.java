package org.javisor.guesttests;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.javisor.machine.EngineChoice;
import org.javisor.network.SwitchDirectory;
import org.javisor.network.SwitchServer;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Two whole Debians, each a process of its own, whose only network cards are on one switch. They
 * find each other, and what goes over TCP in both directions arrives as it was.
 */
@Tag("slow")
@Timeout(value = 15, unit = TimeUnit.MINUTES)
class DebiansOnSwitchTest {
    private static final int BYTES = 20_000_000;
    private static final Pattern SUM = Pattern.compile("[0-9a-f]{64}");

    @TempDir Path directory;

    @Test
    void theyPingAndExchangeData_whenOnOneSwitch() throws Exception {
        EngineChoice engine = GuestEngine.require();
        DebianProcess.reasonToSkip(engine).ifPresent(reason -> Assumptions.abort(() -> reason));
        Map<String, String> environment = Map.of("XDG_RUNTIME_DIR", directory.toString());
        SwitchDirectory switches =
                new SwitchDirectory(Files.createDirectories(directory.resolve("javisor/switches")));
        try (SwitchServer lab = new SwitchServer(switches, "lab");
                DebianProcess one = start(engine, environment);
                DebianProcess two = start(engine, environment)) {
            for (DebianProcess each : new DebianProcess[] {one, two}) {
                each.messages().await("Ready after", DebianProcess.BOOT);
                each.quieten();
            }
            one.output("ip address add 192.168.77.1/24 dev enp0s2");
            two.output("ip address add 192.168.77.2/24 dev enp0s2");
            assertThat(switches.status("lab")).map(SwitchDirectory.Running::cards).contains(2);
            assertThat(two.output("ping -c 5 -i 0.2 -w 60 192.168.77.1"))
                    .contains("5 received, 0% packet loss");
            assertThat(one.output("ping -c 5 -i 0.2 -w 60 192.168.77.2"))
                    .contains("5 received, 0% packet loss");

            String sent1 = makeData(one);
            String sent2 = makeData(two);
            one.output(serve());
            String got1 = sum(two.output("cat </dev/tcp/192.168.77.1/5001 | sha256sum"));
            assertThat(got1).isEqualTo(sent1);
            // Both directions at the same time: the server sends while it is sent to.
            String both =
                    two.output(
                            "exec 5<>/dev/tcp/192.168.77.1/5002; cat /tmp/data >&5 & "
                                    + "head -c %d <&5 | sha256sum; wait; head -c 64 <&5; echo; exec 5>&-"
                                            .formatted(BYTES));
            Matcher sums = SUM.matcher(both);
            assertThat(sums.results().map(result -> result.group()))
                    .as(both)
                    .containsExactly(sent1, sent2);
            for (DebianProcess each : new DebianProcess[] {one, two}) {
                assertThat(each.output("dmesg --level=err,crit,alert,emerg")).isEmpty();
                each.type("poweroff\n");
            }
            assertThat(one.awaitExit()).as(one.messages()::text).isZero();
            assertThat(two.awaitExit()).as(two.messages()::text).isZero();
        }
    }

    private static DebianProcess start(EngineChoice engine, Map<String, String> environment)
            throws Exception {
        return DebianProcess.start(engine, environment, "--net", "switch=lab", "--wait", "boot");
    }

    /** Puts data of its own into a file, and says its checksum. */
    private static String makeData(DebianProcess guest) throws Exception {
        return sum(
                guest.output(
                        "head -c %d /dev/urandom >/tmp/data; sha256sum </tmp/data"
                                .formatted(BYTES)));
    }

    /**
     * A port that sends the data, and one that receives as much meanwhile and tells its checksum.
     */
    private static String serve() {
        String exchange =
                "cat /tmp/data & head -c %d | sha256sum >/tmp/got; wait; head -c 64 /tmp/got"
                        .formatted(BYTES);
        return "cd /tmp; echo '%s' >/tmp/exchange; ".formatted(exchange)
                + "systemd-run -q systemd-socket-activate -a --inetd -l 5001 cat /tmp/data; "
                + "systemd-run -q systemd-socket-activate -a --inetd -l 5002 bash /tmp/exchange; "
                + "until ss -ltn | grep -q :5002; do sleep 0.2; done";
    }

    private static String sum(String output) {
        Matcher matcher = SUM.matcher(output);
        assertThat(matcher.find()).as(output).isTrue();
        return matcher.group();
    }
}
