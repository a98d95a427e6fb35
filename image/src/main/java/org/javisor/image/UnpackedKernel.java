package org.javisor.image;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Optional;
import org.javisor.firmware.BzImage;
import org.javisor.firmware.ElfImage;
import org.javisor.firmware.FirmwareException;
import org.javisor.firmware.KernelImage;
import org.javisor.firmware.KernelPayload;

/** The ELF file inside a bzImage, unpacked once when the image is made instead of at each start. */
final class UnpackedKernel {
    private UnpackedKernel() {}

    /**
     * Empty where there is nothing to gain: no bzImage, or a compression that is not known here.
     */
    static Optional<byte[]> of(byte[] kernel) {
        try {
            if (KernelImage.detect(kernel) instanceof BzImage image) {
                return image.payload().flatMap(UnpackedKernel::unpack);
            }
        } catch (FirmwareException e) {
            // Whoever boots it is told what is wrong with it.
        }
        return Optional.empty();
    }

    private static Optional<byte[]> unpack(KernelPayload payload) {
        String suffix =
                switch (payload.format()) {
                    case XZ -> ".xz";
                    case ZSTD -> ".zst";
                    case GZIP -> ".gz";
                    case ELF -> "";
                    case BZIP2, LZMA, LZO, LZ4 -> "unknown";
                };
        if (suffix.equals("unknown") || payload.size() > KernelPayload.MAXIMUM_SIZE) {
            return Optional.empty();
        }
        try (InputStream in =
                Compression.uncompressed(suffix, new ByteArrayInputStream(payload.data()))) {
            byte[] elf = in.readNBytes((int) payload.size());
            return KernelImage.detect(elf) instanceof ElfImage
                    ? Optional.of(elf)
                    : Optional.empty();
        } catch (IOException e) {
            return Optional.empty();
        }
    }
}
