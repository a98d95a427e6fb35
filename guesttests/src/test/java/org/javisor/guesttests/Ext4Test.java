package org.javisor.guesttests;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.javisor.filesystem.Attributes;
import org.javisor.filesystem.Ext4Options;
import org.javisor.filesystem.Ext4Writer;
import org.javisor.machine.VirtioDevices;
import org.javisor.storage.DiskSpec;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A stock kernel on an ext4 file system that was written on the host. */
@Timeout(value = 10, unit = TimeUnit.MINUTES)
class Ext4Test {
    private static final Instant TIME = Instant.parse("2026-01-02T03:04:05Z");
    private static final Attributes PLAIN = new Attributes(04711, 70_000, 5, TIME);

    @TempDir Path directory;

    @Test
    void theKernelReadsAndChangesIt_whenItIsMounted() throws Exception {
        Path disk = directory.resolve("disk.img");
        byte[] content = new byte[3 << 20];
        new Random(7).nextBytes(content);
        try (Ext4Writer writer =
                Ext4Writer.create(
                        disk, Ext4Options.of(256L << 20, "written", UUID.randomUUID(), TIME))) {
            writer.file("deep/er/content", PLAIN, content);
            writer.symbolicLink("deep/link", PLAIN, "er/content");
            writer.hardLink("again", "deep/er/content");
            for (int i = 0; i < 500; i++) {
                writer.file("many/name-" + i, PLAIN, ascii("number " + i + "\n"));
            }
            writer.finish();
        }
        DiskSpec spec = DiskSpec.parse(disk + ",format=raw");
        try (DebianGuest guest =
                DebianGuest.start("tiny", config -> config.device(VirtioDevices.disk(0, spec)))) {
            guest.awaitPrompt();
            assertThat(guest.run("mount -t ext4 /dev/vda /mnt").status()).isZero();
            assertThat(guest.run("stat -c '%a %u %g %s %Y %h' /mnt/deep/er/content").output())
                    .isEqualTo("4711 70000 5 3145728 " + TIME.getEpochSecond() + " 2\n");
            assertThat(guest.run("cmp /mnt/deep/link /mnt/again && echo same").output())
                    .isEqualTo("same\n");
            assertThat(guest.run("cat /mnt/many/name-* | wc -l; ls /mnt/many | wc -l").output())
                    .isEqualTo("500\n500\n");
            // Enough new names to make the directory a hashed one, and enough data for new extents.
            guest.run(
                    "cd /mnt/many; for i in $(seq 300); do echo $i >new-$i; rm name-$i; done; cd /");
            guest.run("cat /mnt/again /mnt/again >/mnt/twice; rm /mnt/again; sync");
            assertThat(guest.run("ls /mnt/many | wc -l; dmesg | grep -i 'ext4.*err'").output())
                    .isEqualTo("500\n");
            assertThat(guest.run("umount /mnt").status()).isZero();
            guest.type("poweroff\n");
            guest.awaitEnd(DebianGuest.ANSWER);
        }
        assertThat(Files.size(disk)).isEqualTo(256L << 20);
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }
}
