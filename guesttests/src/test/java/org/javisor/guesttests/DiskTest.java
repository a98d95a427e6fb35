package org.javisor.guesttests;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.javisor.machine.VirtioDevices;
import org.javisor.storage.DiskSpec;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A stock kernel's drivers on virtio disks. */
@Timeout(value = 10, unit = TimeUnit.MINUTES)
class DiskTest {
    private static final int SIZE = 8 << 20;
    private static final int HALF = SIZE / 2;

    @TempDir Path directory;

    @Test
    void guestAndHostSeeTheSameBytes_whenTheGuestReadsAndWritesDisks() throws Exception {
        byte[] content = new byte[SIZE];
        new Random(20260101).nextBytes(content);
        Path disk = Files.write(directory.resolve("disk.img"), content);
        Path other = Files.write(directory.resolve("other.img"), content);
        DiskSpec spec = DiskSpec.parse(disk + ",format=raw,serial=first,queues=2");
        DiskSpec readOnly = DiskSpec.parse(other + ",format=raw,readonly");
        try (DebianGuest guest =
                DebianGuest.start(
                        "tiny",
                        config ->
                                config.cpus(2)
                                        .device(VirtioDevices.disk(0, spec))
                                        .device(VirtioDevices.disk(1, readOnly)))) {
            guest.awaitPrompt();
            assertThat(guest.run("sha256sum /dev/vda /dev/vdb | cut -c1-64").output())
                    .isEqualTo((sha256(content) + "\n").repeat(2));
            assertThat(guest.run("cat /sys/block/vda/serial /sys/block/vdb/ro").output())
                    .isEqualTo("first1\n");
            assertThat(guest.run("ls /sys/block/vda/mq").output()).isEqualTo("0  1\n");
            assertThat(guest.run("echo x >/dev/vdb").status()).isNotZero();
            // Both halves at once, direct and through the page cache.
            String copy = "dd if=/dev/vdb of=/dev/vda bs=64k count=64 ";
            String copied =
                    guest.run(
                                    copy
                                            + "seek=64 oflag=direct 2>/dev/null & "
                                            + copy
                                            + "skip=64 conv=fsync 2>/dev/null; wait; sync")
                            .output();
            assertThat(copied).isEmpty();
            byte[] swapped = Arrays.copyOfRange(content, HALF, SIZE + HALF);
            System.arraycopy(content, 0, swapped, HALF, HALF);
            assertThat(sha256(Files.readAllBytes(disk))).isEqualTo(sha256(swapped));
            assertThat(guest.run("mke2fs -q /dev/vda && mount /dev/vda /mnt").status()).isZero();
            assertThat(guest.run("seq 1 20000 >/mnt/numbers && umount /mnt").status()).isZero();
            guest.type("poweroff\n");
            guest.awaitEnd(DebianGuest.ANSWER);
        }
        assertThat(sha256(Files.readAllBytes(other))).isEqualTo(sha256(content));
        assertThat(new String(Files.readAllBytes(disk), StandardCharsets.US_ASCII))
                .contains("\n19998\n19999\n20000\n");
    }

    private static String sha256(byte[] bytes) throws IOException {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new IOException(e);
        }
    }
}
