package org.javisor.image;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.junit.jupiter.api.Test;

class KernelModulesTest {
    private static final String KERNEL = "usr/lib/modules/6.1/kernel/";
    private final KernelModules modules = new KernelModules();

    @Test
    void dependenciesComeAlong_onlyWhenSomethingWantedNeedsThem() {
        take("drivers/net/virtio_net.ko.xz", "depends=net_failover\0alias=virtio:d00000001v*\0");
        take("drivers/net/net_failover.ko.xz", "depends=failover\0");
        take("net/core/failover.ko.xz", "depends=\0");
        take("fs/netfs/netfs.ko.xz", "depends=\0");
        Map<String, byte[]> files = modules.files();
        assertThat(files)
                .containsOnlyKeys(
                        "lib/modules/6.1/failover.ko",
                        "lib/modules/6.1/modules.alias",
                        "lib/modules/6.1/modules.dep",
                        "lib/modules/6.1/net_failover.ko",
                        "lib/modules/6.1/virtio_net.ko");
        assertThat(text(files, "modules.dep").lines())
                .containsExactlyInAnyOrder(
                        "virtio_net.ko: net_failover.ko failover.ko",
                        "net_failover.ko: failover.ko",
                        "failover.ko:");
        assertThat(text(files, "modules.alias")).isEqualTo("alias virtio:d00000001v* virtio_net\n");
    }

    @Test
    void hyphensBecomeUnderscores_asTheKernelNamesModules() {
        assertThat(KernelModules.mayNeed(KERNEL + "drivers/char/hw_random/virtio-rng.ko")).isTrue();
        assertThat(KernelModules.mayNeed(KERNEL + "drivers/net/e1000.ko")).isFalse();
        assertThat(KernelModules.mayNeed("usr/share/doc/ext4.ko")).isFalse();
        take("drivers/char/hw_random/virtio-rng.ko", "depends=absent\0");
        assertThat(text(modules.files(), "modules.dep")).isEqualTo("virtio_rng.ko:\n");
    }

    @Test
    void damagedModuleIsTakenWithoutFacts_whenItIsNoElfFile() {
        modules.take(KERNEL + "fs/ext4/ext4.ko", new byte[100]);
        byte[] cut = elf("depends=jbd2\0");
        modules.take(KERNEL + "fs/overlayfs/overlay.ko", java.util.Arrays.copyOf(cut, 70));
        assertThat(text(modules.files(), "modules.dep")).isEqualTo("ext4.ko:\noverlay.ko:\n");
    }

    private void take(String path, String facts) {
        assertThat(KernelModules.mayNeed(KERNEL + path)).isTrue();
        modules.take(KERNEL + path, elf(facts));
    }

    private static String text(Map<String, byte[]> files, String name) {
        return new String(files.get("lib/modules/6.1/" + name), StandardCharsets.US_ASCII);
    }

    /** A 64-bit ELF file of two sections: their names, and .modinfo. */
    private static byte[] elf(String facts) {
        byte[] names = "\0.modinfo\0.shstrtab\0".getBytes(StandardCharsets.US_ASCII);
        byte[] info = facts.getBytes(StandardCharsets.US_ASCII);
        ByteBuffer elf =
                ByteBuffer.allocate(64 + 2 * 64 + names.length + info.length)
                        .order(ByteOrder.LITTLE_ENDIAN);
        elf.putInt(0, 0x464c457f)
                .putLong(0x28, 64)
                .putShort(0x3a, (short) 64)
                .putShort(0x3c, (short) 2)
                .putShort(0x3e, (short) 1);
        section(elf, 64, 1, 192 + names.length, info);
        section(elf, 128, 10, 192, names);
        return elf.array();
    }

    private static void section(ByteBuffer elf, int at, int name, int offset, byte[] content) {
        elf.putInt(at, name).putLong(at + 0x18, offset).putLong(at + 0x20, content.length);
        elf.put(offset, content);
    }
}
