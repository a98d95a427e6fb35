package org.javisor.image;

import io.airlift.compress.v3.MalformedInputException;
import io.airlift.compress.v3.zstd.ZstdJavaDecompressor;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.Optional;
import org.javisor.firmware.BzImage;
import org.javisor.firmware.ElfImage;
import org.javisor.firmware.FirmwareException;
import org.javisor.firmware.KernelImage;
import org.javisor.firmware.KernelPayload;

/** The ELF file inside a bzImage, unpacked once when the image is made instead of at each start. */
final class UnpackedKernel {
    /**
     * Offsets in a Zstandard frame, and the window's descriptor: an exponent above 10 in bits 3-7.
     */
    private static final int DESCRIPTOR = 4;

    private static final int WINDOW = 5;
    private static final int SINGLE_SEGMENT = 0x20;
    private static final byte WINDOW_8_MIB = 23 - 10 << 3;

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
        if (payload.size() > KernelPayload.MAXIMUM_SIZE) {
            return Optional.empty();
        }
        int size = (int) payload.size();
        byte[] data = payload.data();
        try {
            byte[] elf =
                    switch (payload.format()) {
                        case XZ -> stream(".xz", data, size);
                        case GZIP -> stream(".gz", data, size);
                        case ZSTD -> zstd(data, size);
                        case ELF -> data;
                        case BZIP2, LZMA, LZO, LZ4 -> new byte[0];
                    };
            return KernelImage.detect(elf) instanceof ElfImage
                    ? Optional.of(elf)
                    : Optional.empty();
        } catch (IOException | MalformedInputException e) {
            return Optional.empty();
        }
    }

    private static byte[] stream(String suffix, byte[] data, int size) throws IOException {
        try (InputStream in = Compression.uncompressed(suffix, new ByteArrayInputStream(data))) {
            return in.readNBytes(size);
        }
    }

    /**
     * Kernels are compressed with windows of up to 128 MiB. The decompressor refuses more than 8
     * MiB but needs no window when all of its output lies in one array; so it is shown a frame that
     * claims to need 8 (RFC 8878, 3.1.1.1.2).
     */
    private static byte[] zstd(byte[] data, int size) {
        byte[] frame = data.clone();
        boolean windowGiven = frame.length > WINDOW && (frame[DESCRIPTOR] & SINGLE_SEGMENT) == 0;
        if (windowGiven && (frame[WINDOW] & 0xff) > WINDOW_8_MIB) {
            frame[WINDOW] = WINDOW_8_MIB;
        }
        byte[] out = new byte[size];
        int length = new ZstdJavaDecompressor().decompress(frame, 0, frame.length, out, 0, size);
        return Arrays.copyOf(out, length);
    }
}
