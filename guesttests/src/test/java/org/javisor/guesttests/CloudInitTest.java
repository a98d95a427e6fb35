package org.javisor.guesttests;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.javisor.machine.EngineChoice;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A Debian with cloud-init carries out what the command line and a file of the user's ask for. */
@Tag("slow")
@Timeout(value = 15, unit = TimeUnit.MINUTES)
class CloudInitTest {
    private static final String IMAGE = "cloud";
    private static final String KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGvV someone@\"there\"";

    @TempDir Path directory;

    @Test
    void theSeedIsApplied_whenTheImageHasCloudInit() throws Exception {
        EngineChoice engine = GuestEngine.require();
        DebianProcess.reasonToSkip(engine, IMAGE, IMAGE + " --packages cloud-init")
                .ifPresent(reason -> Assumptions.abort(() -> reason));
        Path key = Files.writeString(directory.resolve("key.pub"), KEY + "\n");
        Path data =
                Files.writeString(
                        directory.resolve("user-data"),
                        "#cloud-config\nruncmd:\n  - [sh, -c, 'id -un ann >/root/ran']\n");
        try (DebianProcess guest =
                DebianProcess.start(
                        IMAGE,
                        engine,
                        Map.of(),
                        "--hostname",
                        "seeded",
                        "--user",
                        "ann",
                        "--ssh-key",
                        key.toString(),
                        "--cloud-init",
                        data.toString(),
                        "--first-boot",
                        "cat /root/ran >/root/after",
                        "--net",
                        "user",
                        "--wait",
                        "boot")) {
            guest.messages().await("Ready after", DebianProcess.BOOT);
            guest.quieten();
            String script =
                    """
                    cloud-init status
                    hostname
                    cat /root/after
                    su -c 'sudo -n id -un' ann
                    cat /home/ann/.ssh/authorized_keys
                    grep -c . /root/.ssh/authorized_keys
                    ls /etc/ssh/ssh_host_*_key
                    systemctl --failed --no-legend --plain""";
            assertThat(guest.output(script))
                    .isEqualTo(
                            "status: done\nseeded\nann\nroot\n"
                                    + KEY
                                    + "\n1\n/etc/ssh/ssh_host_ed25519_key\n");
            guest.type("poweroff\n");
            assertThat(guest.awaitExit()).as(guest.messages()::text).isZero();
        }
    }
}
