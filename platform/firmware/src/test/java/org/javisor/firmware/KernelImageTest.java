package org.javisor.firmware;

import static org.assertj.core.api.Assertions.assertThat;
import static org.javisor.firmware.FirmwareException.Code.DAMAGED_KERNEL;
import static org.javisor.firmware.FirmwareException.Code.NOT_A_KERNEL;
import static org.javisor.firmware.FirmwareException.Code.UNREADABLE;
import static org.javisor.firmware.FirmwareException.Code.UNSUPPORTED_KERNEL;
import static org.javisor.firmware.Refusal.assertRefused;
import static org.javisor.firmware.SyntheticKernel.counting;
import static org.javisor.firmware.SyntheticKernel.edit;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class KernelImageTest {
    private static final SyntheticKernel.Load TEXT =
            new SyntheticKernel.Load(0xffff_ffff_8100_0000L, 0x100_0000, counting(100), 4096);

    @Test
    void bzImage_isRecognised_whenItsHeaderIsThere() {
        KernelImage image = KernelImage.detect(SyntheticKernel.bzImage(counting(5000)));

        assertThat(image).isInstanceOf(BzImage.class);
        assertThat(image.description()).isEqualTo("bzImage " + SyntheticKernel.VERSION);
        BzImage bzImage = (BzImage) image;
        assertThat(bzImage.loadAddress()).isEqualTo(0x200000);
        assertThat(bzImage.memoryEnd()).isEqualTo(0x300000);
        assertThat(bzImage.commandLineMaximum()).isEqualTo(2047);
        assertThat(bzImage.has64BitEntry()).isTrue();
    }

    @Test
    void oldProtocol_getsItsDefaults_whenFieldsAreNotThereYet() {
        BzImage image = (BzImage) bzImage(header -> header.putShort(0x206, (short) 0x202));

        assertThat(image.commandLineMaximum()).isEqualTo(255);
        assertThat(image.initrdMaximum()).isEqualTo(0x37ffffff);
        assertThat(image.loadAddress()).isEqualTo(0x100000);
        assertThat(image.has64BitEntry()).isFalse();
        assertThat(image.payload()).isEmpty();
    }

    @Test
    void bzImage_isRefused_whenItsFileEndsEarly() {
        byte[] image = SyntheticKernel.bzImage(counting(5000));

        assertRefused(
                DAMAGED_KERNEL,
                "fetch it again",
                () -> KernelImage.detect(Arrays.copyOf(image, 6000)));
        assertRefused(
                DAMAGED_KERNEL,
                "fetch it again",
                () -> KernelImage.detect(Arrays.copyOf(image, 1100)));
        assertRefused(
                DAMAGED_KERNEL,
                "setup header",
                () -> KernelImage.detect(Arrays.copyOf(image, 600)));
        assertRefused(NOT_A_KERNEL, "vmlinuz", () -> KernelImage.detect(Arrays.copyOf(image, 500)));
    }

    @Test
    void bzImage_isRefused_whenItsHeaderIsImpossible() {
        assertRefused(
                UNSUPPORTED_KERNEL,
                "2.01",
                () -> bzImage(header -> header.putShort(0x206, (short) 0x201)));
        assertRefused(
                UNSUPPORTED_KERNEL, "zImage", () -> bzImage(header -> header.put(0x211, (byte) 0)));
        assertRefused(
                DAMAGED_KERNEL, "0x7000", () -> bzImage(header -> header.putLong(0x258, 0x7000)));
        assertRefused(
                DAMAGED_KERNEL,
                "0xffffffff",
                () -> bzImage(header -> header.putLong(0x258, -4096)));
        assertRefused(
                DAMAGED_KERNEL, "memory up to", () -> bzImage(header -> header.putInt(0x260, -1)));
    }

    @Test
    void version_isAbsent_whenItPointsOutsideTheSetupCode() {
        BzImage image = (BzImage) bzImage(header -> header.putShort(0x20e, (short) -1));

        assertThat(image.version()).isEmpty();
    }

    @Test
    void pvhEntry_isTakenFromTheNote_whenThereIsOne() {
        ElfImage image = elf(SyntheticKernel.elf64(0x1000000, 0x1000010, TEXT));

        assertThat(image.pvhEntry()).hasValue(0x1000010);
        assertThat(image.description()).isEqualTo("64-bit ELF kernel, PVH entry");
    }

    @Test
    void entry_isMadePhysical_whenItIsLinkedVirtual() {
        ElfImage image = elf(SyntheticKernel.elf64(0xffff_ffff_8100_0020L, 0, TEXT));

        assertThat(image.entry()).isEqualTo(0x1000020);
        assertThat(image.pvhEntry()).isEmpty();
    }

    @Test
    void elf32_isAccepted_whenItHasAPvhNote() {
        assertThat(elf(SyntheticKernel.elf32(3, 0x100010)).pvhEntry()).hasValue(0x100010);
        assertRefused(
                UNSUPPORTED_KERNEL, "PVH", () -> KernelImage.detect(SyntheticKernel.elf32(3, 0)));
    }

    @Test
    void elf_isRefused_whenItsPartsDoNotFit() {
        byte[] good = SyntheticKernel.elf64(0x1000000, 0, TEXT);

        assertRefused(
                DAMAGED_KERNEL, "ends early", () -> elf(Arrays.copyOf(good, good.length - 30)));
        assertRefused(DAMAGED_KERNEL, "program headers", () -> elf(Arrays.copyOf(good, 100)));
        assertRefused(DAMAGED_KERNEL, "ELF header", () -> elf(Arrays.copyOf(good, 40)));
        assertRefused(DAMAGED_KERNEL, "entry point", () -> elf(SyntheticKernel.elf64(16, 0, TEXT)));
        assertRefused(
                DAMAGED_KERNEL, "PVH entry", () -> elf(SyntheticKernel.elf64(0x1000000, 16, TEXT)));
        assertRefused(
                DAMAGED_KERNEL,
                "overlap",
                () -> elf(SyntheticKernel.elf64(0x1000000, 0, TEXT, TEXT)));
        assertRefused(
                NOT_A_KERNEL,
                "nothing to load",
                () -> elf(SyntheticKernel.elf64(0x1000000, 0x1000000)));
        assertRefused(
                UNSUPPORTED_KERNEL,
                "0x1000",
                () ->
                        elf(
                                SyntheticKernel.elf64(
                                        0x1000,
                                        0,
                                        new SyntheticKernel.Load(0, 0x1000, counting(9), 9))));
        assertRefused(
                UNSUPPORTED_KERNEL,
                "between 1 MiB and 4 GiB",
                () ->
                        elf(
                                SyntheticKernel.elf64(
                                        0,
                                        0,
                                        new SyntheticKernel.Load(0, 1 << 20, counting(9), -1))));
    }

    @Test
    void elf_isRefused_whenItIsForAnotherMachineOrUserSpace() {
        byte[] arm = SyntheticKernel.elf64(0x1000000, 0, TEXT);
        edit(arm).putShort(18, (short) 183);
        byte[] program = SyntheticKernel.elf64(0x1000000, 0x1000000, TEXT);
        edit(program).putInt(64, 0x6474e551);

        assertRefused(NOT_A_KERNEL, "AArch64", () -> KernelImage.detect(arm));
        assertRefused(NOT_A_KERNEL, "user space", () -> KernelImage.detect(program));
    }

    @ParameterizedTest
    @CsvSource({
        "'', empty",
        "070701, initrd",
        "'\u001f\u008b', gzip",
        "'!<arch>\n', Debian package",
        "MZ, EFI program",
        "<!DOCTYPE html>, HTML",
        "hello, vmlinuz"
    })
    void otherFile_isNamedForWhatItIs_whenPassedAsAKernel(String content, String part) {
        byte[] bytes = content.getBytes(StandardCharsets.ISO_8859_1);

        assertRefused(NOT_A_KERNEL, part, () -> KernelImage.detect(bytes));
    }

    @Test
    void file_isNamedInTheMessage_whenItCannotBeUsed(@TempDir Path directory) throws Exception {
        Path missing = directory.resolve("vmlinuz");
        assertRefused(
                UNREADABLE, "vmlinuz: there is no such file", () -> KernelImage.detect(missing));
        assertRefused(UNREADABLE, "it is a directory", () -> KernelImage.detect(directory));
        Path text = Files.writeString(directory.resolve("notes.txt"), "hello");
        assertRefused(NOT_A_KERNEL, "notes.txt: Not a kernel", () -> KernelImage.detect(text));
        Path kernel =
                Files.write(directory.resolve("bzImage"), SyntheticKernel.bzImage(counting(64)));
        assertThat(KernelImage.detect(kernel)).isInstanceOf(BzImage.class);
    }

    private static KernelImage bzImage(Consumer<ByteBuffer> change) {
        byte[] image = SyntheticKernel.bzImage(counting(5000));
        change.accept(edit(image));
        return KernelImage.detect(image);
    }

    private static ElfImage elf(byte[] image) {
        return (ElfImage) KernelImage.detect(image);
    }
}
