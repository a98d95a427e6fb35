package org.javisor.firmware;

import static org.assertj.core.api.Assertions.assertThat;
import static org.javisor.firmware.FirmwareException.Code.COMMAND_LINE;
import static org.javisor.firmware.FirmwareException.Code.INITRD_SIZE;
import static org.javisor.firmware.FirmwareException.Code.MEMORY_SIZE;
import static org.javisor.firmware.FirmwareException.Code.UNREADABLE;
import static org.javisor.firmware.Refusal.assertRefused;
import static org.javisor.firmware.SyntheticKernel.counting;
import static org.javisor.firmware.SyntheticKernel.edit;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.javisor.hypervisor.VcpuState;
import org.javisor.memory.GuestMemory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FirmwareTest {
    private static final long ONE_MIB = 1 << 20;
    private static final int LARGE = 300_000;
    private static final byte[] KERNEL = counting(5000);
    private static final byte[] INITRD = counting(10_000);
    private static final long ZERO_PAGE = 0x7000;
    private static final SyntheticKernel.Load TEXT =
            new SyntheticKernel.Load(0xffff_ffff_8100_0000L, 0x200000, counting(5000), 0x10000);

    private final GuestMemory memory = GuestMemory.allocate(MemoryLayout.of(16 << 20).ranges());
    private final VcpuState state = new VcpuState();

    @AfterEach
    void close() {
        memory.close();
    }

    @Test
    void bzImage_isEnteredInLongMode_whenItHasA64BitEntry() {
        install(SyntheticKernel.bzImage(KERNEL));

        assertThat(state.rip).isEqualTo(0x200200);
        assertThat(state.gpr[VcpuState.RSI]).isEqualTo(ZERO_PAGE);
        assertThat(state.cr0).isEqualTo(0x80000011L);
        assertThat(state.cr4).isEqualTo(0x20);
        assertThat(state.efer).isEqualTo(0x500);
        assertThat(state.rflags).isEqualTo(2);
        assertThat(state.segments[VcpuState.CS])
                .isEqualTo(new VcpuState.Segment(0x10, 0, -1, 0xa09b));
        assertThat(state.segments[VcpuState.DS])
                .isEqualTo(new VcpuState.Segment(0x18, 0, -1, 0xc093));
        assertThat(state.segments[VcpuState.SS]).isEqualTo(state.segments[VcpuState.DS]);
        assertThat(memory.read64(state.gdtr.base() + 0x10)).isEqualTo(0x00af9b000000ffffL);
        assertThat(memory.read64(state.gdtr.base() + 0x18)).isEqualTo(0x00cf93000000ffffL);
        assertThat(bytes(0x200000, KERNEL.length)).isEqualTo(KERNEL);
    }

    @Test
    void pageTables_mapTheFirst4GiBToThemselves_whenInLongMode() {
        install(SyntheticKernel.bzImage(KERNEL));

        for (long address :
                new long[] {0, 0x200200, 0x3fff_ffffL, 0x4000_0000L, 0xfee0_0000L, 0xffff_ffffL}) {
            assertThat(translate(address)).isEqualTo(address);
        }
    }

    @Test
    void bzImage_isEnteredIn32BitMode_whenItHasNo64BitEntry() {
        byte[] image = SyntheticKernel.bzImage(KERNEL);
        edit(image).putShort(0x236, (short) 0);

        install(image);

        assertThat(state.rip).isEqualTo(0x200000);
        assertThat(state.cr0).isEqualTo(0x11);
        assertThat(state.segments[VcpuState.CS])
                .isEqualTo(new VcpuState.Segment(0x10, 0, -1, 0xc09b));
        assertThat(state.gpr[VcpuState.RSI]).isEqualTo(ZERO_PAGE);
    }

    @Test
    void zeroPage_tellsEverything_whenABzImageIsLoaded() {
        install(SyntheticKernel.bzImage(KERNEL));

        assertThat(memory.read32(ZERO_PAGE + 0x202)).isEqualTo(0x53726448);
        assertThat(memory.read8(ZERO_PAGE + 0x210)).isEqualTo(0xff);
        assertThat(memory.read8(ZERO_PAGE + 0x1ef)).as("sentinel").isZero();
        assertThat(memory.read64(ZERO_PAGE + 0x70)).isEqualTo(LowMemory.RSDP);
        long initrd = memory.read32(ZERO_PAGE + 0x218);
        assertThat(memory.read32(ZERO_PAGE + 0x21c)).isEqualTo(INITRD.length);
        assertThat(initrd % 4096).isZero();
        assertThat(initrd + INITRD.length).isBetween((16L << 20) - 4096, 16L << 20);
        assertThat(bytes(initrd, INITRD.length)).isEqualTo(INITRD);
        assertThat(text(memory.read32(ZERO_PAGE + 0x228))).isEqualTo("console=ttyS0");
    }

    @Test
    void memoryMap_coversTheMachine_whenRamLiesOnBothSidesOfTheHole() {
        try (GuestMemory large = GuestMemory.allocate(MemoryLayout.of(5L << 30).ranges())) {
            Firmware.install(large, config(SyntheticKernel.bzImage(KERNEL)), state);

            List<MemoryMap.Entry> entries = new ArrayList<>();
            for (int i = 0; i < large.read8(ZERO_PAGE + 0x1e8); i++) {
                long at = ZERO_PAGE + 0x2d0 + 20L * i;
                entries.add(
                        new MemoryMap.Entry(
                                large.read64(at), large.read64(at + 8), large.read32(at + 16)));
            }
            assertThat(entries)
                    .containsExactly(
                            new MemoryMap.Entry(0, 0x9fc00, 1),
                            new MemoryMap.Entry(0x9fc00, 0x400, 2),
                            new MemoryMap.Entry(0xe0000, 0xf000, 3),
                            new MemoryMap.Entry(0xef000, 0x1000, 4),
                            new MemoryMap.Entry(0xf0000, 0x10000, 2),
                            new MemoryMap.Entry(0x100000, 0xbff00000L, 1),
                            new MemoryMap.Entry(0x1_0000_0000L, 0x8000_0000L, 1));
        }
    }

    @Test
    void initrd_staysBelowTheKernelsLimit_whenThatIsLowerThanRam() {
        byte[] image = SyntheticKernel.bzImage(KERNEL);
        edit(image).putInt(0x22c, 0x7fffff);

        install(image);

        assertThat(memory.read32(ZERO_PAGE + 0x218) + INITRD.length).isLessThanOrEqualTo(0x800000);
    }

    @Test
    void elf_isEnteredByPvh_whenItHasTheNote() {
        install(SyntheticKernel.elf64(0x200000, 0x200010, TEXT));

        assertThat(state.rip).isEqualTo(0x200010);
        assertThat(state.cr0).isEqualTo(0x11);
        assertThat(state.cr4).isZero();
        assertThat(state.efer).isZero();
        assertThat(state.segments[VcpuState.CS])
                .isEqualTo(new VcpuState.Segment(0x10, 0, -1, 0xc09b));
        assertThat(state.segments[VcpuState.TR]).isEqualTo(new VcpuState.Segment(0, 0, 0x67, 0x8b));
        long info = state.gpr[VcpuState.RBX];
        assertThat(memory.read32(info)).isEqualTo(0x336ec578);
        assertThat(memory.read32(info + 4)).isEqualTo(1);
        assertThat(memory.read32(info + 12)).isEqualTo(1);
        long module = memory.read64(info + 16);
        assertThat(bytes(memory.read64(module), (int) memory.read64(module + 8))).isEqualTo(INITRD);
        assertThat(text(memory.read64(info + 24))).isEqualTo("console=ttyS0");
        assertThat(memory.read64(info + 32)).isEqualTo(LowMemory.RSDP);
        long map = memory.read64(info + 40);
        assertThat(memory.read32(info + 48)).isEqualTo(6);
        assertThat(memory.read64(map + 5 * 24)).isEqualTo(0x100000);
        assertThat(memory.read64(map + 5 * 24 + 8)).isEqualTo(15 << 20);
        assertThat(memory.read32(map + 5 * 24 + 16)).isEqualTo(1);
    }

    @Test
    void elf_isEnteredInLongMode_whenItHasNoNote() {
        install(SyntheticKernel.elf64(0x200020, 0, TEXT));

        assertThat(state.rip).isEqualTo(0x200020);
        assertThat(state.efer).isEqualTo(0x500);
        assertThat(state.gpr[VcpuState.RSI]).isEqualTo(ZERO_PAGE);
        assertThat(memory.read32(ZERO_PAGE + 0x202)).isEqualTo(0x53726448);
        assertThat(memory.read16(ZERO_PAGE + 0x1fe)).isEqualTo(0xaa55);
    }

    @Test
    void unpackedKernel_getsTheHeaderOfItsBzImage_whenStarted() {
        byte[] elf = SyntheticKernel.elf64(0x200000, 0x200010, TEXT);
        byte[] image = SyntheticKernel.bzImageWithPayload(elf);
        BzImage bzImage = (BzImage) KernelImage.detect(image);
        ElfImage kernel = bzImage.payload().orElseThrow().unpack((format, data, size) -> data);

        Firmware.install(memory, config(kernel, "quiet"), state);

        assertThat(state.rip).isEqualTo(0x200000);
        assertThat(memory.read32(ZERO_PAGE + 0x238)).isEqualTo(2047);
        assertThat(memory.read32(ZERO_PAGE + 0x230)).isEqualTo(0x200000);
    }

    @Test
    void everything_isAsBefore_whenInstalledAgainOverAGuestsTraces() {
        byte[] ruin = new byte[16 << 20];
        Arrays.fill(ruin, (byte) 0xa5);
        for (byte[] image :
                List.of(
                        SyntheticKernel.bzImage(KERNEL),
                        SyntheticKernel.elf64(0x200000, 0, TEXT),
                        SyntheticKernel.elf64(0x200000, 0x200010, TEXT))) {
            BootConfig config = config(image);
            memory.write(0, ruin, 0, ruin.length);
            Firmware.install(memory, config, state);
            byte[] first = bytes(0, ruin.length);
            memory.write(0, ruin, 0, ruin.length);
            state.rip = 1;
            state.cr8 = 15;
            state.gpr[VcpuState.RBP] = 1;
            state.activity = VcpuState.Activity.SHUTDOWN;

            Firmware.install(memory, config, state);

            assertThat(Arrays.mismatch(bytes(0, ruin.length), first)).isEqualTo(-1);
            assertThat(state.cr8).isZero();
            assertThat(state.gpr[VcpuState.RBP]).isZero();
            assertThat(state.activity).isEqualTo(VcpuState.Activity.RUNNING);
        }
    }

    @Test
    void uninitializedData_isZero_whenMemoryWasNot() {
        byte[] ruin = new byte[0x20000];
        Arrays.fill(ruin, (byte) 0xa5);
        memory.write(0x200000, ruin, 0, ruin.length);

        install(SyntheticKernel.elf64(0x200000, 0, TEXT));

        assertThat(bytes(0x200000, 5000)).isEqualTo(counting(5000));
        assertThat(bytes(0x200000 + 5000, 0x10000 - 5000)).containsOnly(0);
        assertThat(memory.read8(0x210000)).isEqualTo(0xa5);
    }

    @Test
    void start_isRefused_whenSomethingDoesNotFit() {
        byte[] hungry = SyntheticKernel.bzImage(KERNEL);
        edit(hungry).putInt(0x260, 100 << 20);
        assertRefused(MEMORY_SIZE, "needs 102 MiB, the machine has 16 MiB", () -> install(hungry));

        BootConfig large =
                new BootConfig(
                        KernelImage.detect(SyntheticKernel.bzImage(KERNEL)),
                        Optional.of(new byte[14 << 20]),
                        "",
                        AcpiConfig.forProcessors(1));
        assertRefused(
                INITRD_SIZE,
                "needs 14 MiB, 13 MiB are left beside the kernel; give the machine more memory",
                () -> Firmware.install(memory, large, state));
        byte[] low = SyntheticKernel.bzImage(KERNEL);
        edit(low).putInt(0x22c, 0x2fffff);
        assertRefused(INITRD_SIZE, "takes none above 3 MiB", () -> install(low));

        KernelImage kernel = KernelImage.detect(SyntheticKernel.bzImage(KERNEL));
        assertRefused(
                COMMAND_LINE,
                "has 2048 bytes, this kernel takes 2047",
                () -> Firmware.install(memory, config(kernel, "x".repeat(2048)), state));
        assertRefused(
                COMMAND_LINE, "NUL", () -> Firmware.install(memory, config(kernel, "a\0b"), state));
    }

    @Test
    void commandLine_isTakenWhole_whenItIsAsLongAsTheKernelAllows() {
        String longest = "x".repeat(2047);

        Firmware.install(
                memory,
                config(KernelImage.detect(SyntheticKernel.bzImage(KERNEL)), longest),
                state);

        assertThat(text(LowMemory.COMMAND_LINE)).isEqualTo(longest);
    }

    @Test
    void everyProcessor_hasTheSameMtrrs_whenPrepared() {
        VcpuState other = new VcpuState();

        install(SyntheticKernel.bzImage(KERNEL));
        Firmware.prepareProcessor(other);

        assertThat(state.msrs).containsEntry(0x2ff, 0x806L).isEqualTo(other.msrs);
    }

    @Test
    void initrd_isNotAnnounced_whenEmpty() {
        KernelImage kernel = KernelImage.detect(SyntheticKernel.bzImage(KERNEL));
        BootConfig config =
                new BootConfig(kernel, Optional.of(new byte[0]), "", AcpiConfig.forProcessors(1));

        Firmware.install(memory, config, state);

        assertThat(memory.read64(ZERO_PAGE + 0x218)).isZero();
    }

    @Test
    void elfFile_isInstalledAgain_whenItHasBeenDeletedMeanwhile(@TempDir Path directory)
            throws IOException {
        BootConfig config = config(KernelImage.detect(elfFile(directory)), "");
        Files.delete(directory.resolve("vmlinux"));

        Firmware.install(memory, config, state);

        assertThat(memory.read8(ONE_MIB + LARGE - 1)).isEqualTo(LARGE & 0xff);
    }

    @Test
    void elfFile_isRefused_whenItHasBeenCutMeanwhile(@TempDir Path directory) throws IOException {
        Path file = elfFile(directory);
        BootConfig config = config(KernelImage.detect(file), "");
        Files.write(file, new byte[] {1});

        assertRefused(UNREADABLE, "became shorter", () -> Firmware.install(memory, config, state));
    }

    private static Path elfFile(Path directory) throws IOException {
        byte[] content = SyntheticKernel.counting(LARGE);
        return Files.write(
                directory.resolve("vmlinux"),
                SyntheticKernel.elf64(
                        ONE_MIB,
                        (int) ONE_MIB,
                        new SyntheticKernel.Load(ONE_MIB, ONE_MIB, content, LARGE)));
    }

    private void install(byte[] image) {
        Firmware.install(memory, config(image), state);
    }

    private static BootConfig config(byte[] image) {
        return config(KernelImage.detect(image), "console=ttyS0");
    }

    private static BootConfig config(KernelImage kernel, String commandLine) {
        return new BootConfig(
                kernel, Optional.of(INITRD), commandLine, AcpiConfig.forProcessors(2));
    }

    private long translate(long address) {
        long entry = state.cr3;
        for (int shift = 39; shift >= 21; shift -= 9) {
            entry = memory.read64((entry & 0xf_ffff_ffff_f000L) + 8 * (address >>> shift & 511));
            assertThat(entry & 3).isEqualTo(3);
        }
        assertThat(entry & 0x80).isNotZero();
        return (entry & -0x200000L) | address & 0x1fffff;
    }

    private byte[] bytes(long address, int size) {
        byte[] bytes = new byte[size];
        memory.read(address, bytes, 0, size);
        return bytes;
    }

    private String text(long address) {
        byte[] bytes = bytes(address, 4096);
        int end = 0;
        while (bytes[end] != 0) {
            end++;
        }
        return new String(bytes, 0, end, StandardCharsets.UTF_8);
    }
}
