package org.javisor.firmware;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.zip.GZIPOutputStream;
import org.javisor.hypervisor.VcpuState;
import org.javisor.memory.GuestMemory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Damaged kernel files: loaders refuse them with their own exception, or load them inside the
 * machine's memory.
 */
@Timeout(300)
class LoaderFuzzTest {
    /** Replay a failure with {@code -Djavisor.seed=N}, N being what it printed. */
    private static final long SEED =
            Long.getLong("javisor.seed", new SplittableRandom().nextLong());

    private static final int ROUNDS = 8_000;
    private static final long[] INTERESTING = {
        0,
        1,
        -1,
        0x7fff_ffff,
        0x8000_0000L,
        0xffff_ffffL,
        Long.MIN_VALUE,
        Long.MAX_VALUE,
        0x100000,
        0xfffff
    };

    private final SplittableRandom random = new SplittableRandom(SEED);

    @Test
    void damagedBzImage_isRefusedOrLoaded_whenAnyHeaderBytesChange() throws IOException {
        byte[] image = SyntheticKernel.bzImageWithPayload(gzip(elf()));
        fuzz(image, 0x1f0, 0x270);
    }

    @Test
    void damagedElf_isRefusedOrLoaded_whenAnyHeaderBytesChange() {
        fuzz(elf(), 4, 64 + 3 * 56 + 20);
        byte[] elf32 = SyntheticKernel.elf32(3, 0x100010);
        fuzz(elf32, 4, elf32.length);
    }

    @Test
    void damagedPayload_isRefused_whenAnyOfItChanges() throws IOException {
        byte[] image = SyntheticKernel.bzImageWithPayload(gzip(elf()));
        fuzz(image, SyntheticKernel.KERNEL_OFFSET, image.length);
    }

    private void fuzz(byte[] image, int from, int to) {
        try (GuestMemory memory = GuestMemory.allocate(MemoryLayout.of(8 << 20).ranges())) {
            for (int round = 0; round < ROUNDS; round++) {
                byte[] damaged = damage(image, from, to);
                try {
                    start(memory, damaged);
                } catch (FirmwareException expected) {
                    assertThat(expected.getMessage()).isNotBlank().doesNotContain("\n");
                } catch (RuntimeException | Error e) {
                    throw new AssertionError("-Djavisor.seed=" + SEED + ", round " + round, e);
                }
            }
        }
    }

    private static void start(GuestMemory memory, byte[] image) {
        KernelImage kernel = KernelImage.detect(image);
        assertThat(kernel.description()).doesNotContain("\n");
        install(memory, kernel);
        if (kernel instanceof BzImage bzImage) {
            bzImage.payload()
                    .map(payload -> payload.unpack((format, data, size) -> data))
                    .ifPresent(elf -> install(memory, elf));
        }
    }

    private static void install(GuestMemory memory, KernelImage kernel) {
        VcpuState state = new VcpuState();
        Firmware.install(
                memory,
                new BootConfig(
                        kernel, Optional.of(new byte[100]), "quiet", AcpiConfig.forProcessors(1)),
                state);
        assertThat(memory.isRam(state.rip, 1)).isTrue();
        assertThat(memory.read64(LowMemory.RSDP)).isEqualTo(0x2052545020445352L);
    }

    private byte[] damage(byte[] image, int from, int to) {
        byte[] damaged = image.clone();
        for (int changes = random.nextInt(1, 5); changes > 0; changes--) {
            int at = random.nextInt(from, to);
            int size = 1 << random.nextInt(4);
            long value =
                    random.nextBoolean()
                            ? INTERESTING[random.nextInt(INTERESTING.length)]
                            : random.nextLong() >>> random.nextInt(64);
            for (int i = 0; i < size && at + i < to; i++) {
                damaged[at + i] = (byte) (value >>> (8 * i));
            }
        }
        return random.nextInt(8) == 0
                ? Arrays.copyOf(damaged, random.nextInt(damaged.length))
                : damaged;
    }

    private static byte[] elf() {
        return SyntheticKernel.elf64(
                0x200000,
                0x200010,
                new SyntheticKernel.Load(
                        0xffff_ffff_8100_0000L, 0x200000, SyntheticKernel.counting(300), 4096),
                new SyntheticKernel.Load(0, 0x202000, SyntheticKernel.counting(100), 100));
    }

    private static byte[] gzip(byte[] bytes) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (GZIPOutputStream gzip = new GZIPOutputStream(out)) {
            gzip.write(bytes);
        }
        return out.toByteArray();
    }
}
