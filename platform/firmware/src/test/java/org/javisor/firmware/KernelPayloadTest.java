package org.javisor.firmware;

import static org.assertj.core.api.Assertions.assertThat;
import static org.javisor.firmware.FirmwareException.Code.DAMAGED_KERNEL;
import static org.javisor.firmware.Refusal.assertRefused;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Optional;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class KernelPayloadTest {
    private static final byte[] ELF =
            SyntheticKernel.elf64(
                    0x1000000,
                    0x1000000,
                    new SyntheticKernel.Load(0, 0x1000000, SyntheticKernel.counting(1000), 4096));

    private static final KernelPayload.Decompressor NONE =
            (format, data, size) -> {
                throw new AssertionError("not to be called");
            };

    @Test
    void gzip_isUnpackedHere_whenItIsThePayload() throws IOException {
        KernelPayload payload = payload(gzip(ELF)).orElseThrow();

        ElfImage kernel = payload.unpack(NONE);

        assertThat(payload.format()).isEqualTo(KernelPayload.Format.GZIP);
        assertThat(kernel.image().toArray(ValueLayout.JAVA_BYTE)).isEqualTo(ELF);
        assertThat(kernel.description()).contains(SyntheticKernel.VERSION).endsWith("64-bit entry");
    }

    @ParameterizedTest
    @CsvSource({
        "XZ, fd377a585a00",
        "ZSTD, 28b52ffd00",
        "LZ4, 02214c18",
        "LZMA, 5d000080",
        "LZO, 894c5a4f00",
        "BZIP2, 425a6839"
    })
    void otherFormat_isHandedOnWithoutTheAppendedSize_whenRecognised(
            KernelPayload.Format format, String start) {
        byte[] stream = Arrays.copyOf(HexFormat.of().parseHex(start), 40);

        KernelPayload payload = payload(withSize(stream, ELF.length)).orElseThrow();
        ElfImage kernel =
                payload.unpack(
                        (asked, data, size) -> {
                            assertThat(asked).isEqualTo(format);
                            assertThat(data).isEqualTo(stream);
                            assertThat(size).isEqualTo(ELF.length);
                            return ELF;
                        });

        assertThat(kernel.pvhEntry()).isEmpty();
        assertThat(kernel.origin()).isPresent();
    }

    @Test
    void payload_isAbsent_whenOutsideTheFileOrUnknown() {
        byte[] image = SyntheticKernel.bzImageWithPayload(ELF);
        SyntheticKernel.edit(image).putInt(0x24c, -1);

        assertThat(((BzImage) KernelImage.detect(image)).payload()).isEmpty();
        assertThat(payload(new byte[100])).isEmpty();
    }

    @Test
    void payload_isRefused_whenItIsNotWhatItAnnounces() throws IOException {
        byte[] damaged = gzip(ELF);
        damaged[20] ^= 0x40;
        byte[] xz = {(byte) 0xfd, '7', 'z', 'X', 'Z', 0};

        assertRefused(DAMAGED_KERNEL, "damaged", () -> payload(damaged).orElseThrow().unpack(NONE));
        assertRefused(
                DAMAGED_KERNEL,
                "instead of 99",
                () -> payload(withSize(xz, 99)).orElseThrow().unpack((format, data, size) -> ELF));
        assertRefused(
                DAMAGED_KERNEL,
                "announces 4294967295",
                () -> payload(withSize(xz, -1)).orElseThrow().unpack(NONE));
        assertRefused(
                DAMAGED_KERNEL,
                "does not hold an ELF",
                () ->
                        payload(withSize(xz, 99))
                                .orElseThrow()
                                .unpack((format, data, size) -> new byte[99]));
    }

    private static Optional<KernelPayload> payload(byte[] payload) {
        return ((BzImage) KernelImage.detect(SyntheticKernel.bzImageWithPayload(payload)))
                .payload();
    }

    private static byte[] withSize(byte[] stream, int size) {
        ByteBuffer all = ByteBuffer.allocate(stream.length + 4).order(ByteOrder.LITTLE_ENDIAN);
        return all.put(stream).putInt(size).array();
    }

    private static byte[] gzip(byte[] bytes) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (GZIPOutputStream gzip = new GZIPOutputStream(out)) {
            gzip.write(bytes);
        }
        return out.toByteArray();
    }
}
