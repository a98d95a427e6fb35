package org.javisor.firmware;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.Optional;
import java.util.zip.GZIPInputStream;

/**
 * The compressed vmlinux inside a {@link BzImage} (boot.rst, payload_offset and payload_length).
 * Unpacking it here and booting the ELF spares the guest its own decompressor.
 */
public final class KernelPayload {
    /** No kernel unpacks to more; a larger announcement is damage. */
    public static final int MAXIMUM_SIZE = 512 << 20;

    /**
     * How the payload is compressed; told from its first bytes, as the format's own description
     * gives them.
     */
    public enum Format {
        GZIP(0x1f, 0x8b),
        BZIP2('B', 'Z', 'h'),
        LZMA(0x5d, 0x00, 0x00),
        XZ(0xfd, '7', 'z', 'X', 'Z', 0x00),
        LZO(0x89, 'L', 'Z', 'O'),
        /** The legacy frame: magic, then blocks each preceded by its compressed size. */
        LZ4(0x02, 0x21, 0x4c, 0x18),
        ZSTD(0x28, 0xb5, 0x2f, 0xfd),
        /** Not compressed. */
        ELF(0x7f, 'E', 'L', 'F');

        private final int[] magic;

        Format(int... magic) {
            this.magic = magic;
        }

        boolean matches(byte[] data) {
            for (int i = 0; i < magic.length; i++) {
                if (i >= data.length || (data[i] & 0xff) != magic[i]) {
                    return false;
                }
            }
            return true;
        }
    }

    /** Unpacks what the JDK cannot. */
    @FunctionalInterface
    public interface Decompressor {
        /**
         * @param data one complete stream
         * @param size what it unpacks to, in bytes, as the kernel announces; at most {@link
         *     #MAXIMUM_SIZE}
         */
        byte[] decompress(Format format, byte[] data, int size) throws IOException;
    }

    private final Format format;
    private final byte[] data;
    private final long size;
    private final BzImage origin;

    private KernelPayload(Format format, byte[] data, long size, BzImage origin) {
        this.format = format;
        this.data = data;
        this.size = size;
        this.origin = origin;
    }

    static Optional<KernelPayload> of(byte[] payload, BzImage origin) {
        for (Format format : Format.values()) {
            if (format.matches(payload)) {
                return Optional.of(split(format, payload, origin));
            }
        }
        return Optional.empty();
    }

    /**
     * The last four bytes are the unpacked size: gzip's own trailer, and added by the kernel's
     * build to the others.
     */
    private static KernelPayload split(Format format, byte[] payload, BzImage origin) {
        if (format == Format.ELF || payload.length < 8) {
            return new KernelPayload(format, payload, payload.length, origin);
        }
        int end = payload.length - 4;
        long size = 0;
        for (int i = 3; i >= 0; i--) {
            size = size << 8 | payload[end + i] & 0xff;
        }
        byte[] data = format == Format.GZIP ? payload : Arrays.copyOf(payload, end);
        return new KernelPayload(format, data, size, origin);
    }

    public Format format() {
        return format;
    }

    /** One complete stream of the {@link #format}, without what the kernel's build appends. */
    public byte[] data() {
        return data.clone();
    }

    /** Unpacked, in bytes, as announced. */
    public long size() {
        return size;
    }

    /**
     * Unpacks the kernel; it then starts at its 64-bit entry with the boot parameters of the
     * bzImage.
     *
     * @param others asked for every format but gzip
     * @throws FirmwareException if the payload is damaged or is no kernel
     */
    public ElfImage unpack(Decompressor others) {
        if (size > MAXIMUM_SIZE) {
            throw damaged("it announces " + size + " bytes", null);
        }
        byte[] elf;
        try {
            elf =
                    switch (format) {
                        case ELF -> data;
                        case GZIP -> gunzip();
                        case BZIP2, LZMA, XZ, LZO, LZ4, ZSTD ->
                                others.decompress(format, data, (int) size);
                    };
        } catch (IOException e) {
            throw damaged(e.getMessage(), e);
        }
        if (elf.length != size) {
            throw damaged("it unpacks to " + elf.length + " bytes instead of " + size, null);
        }
        if (!ElfImage.matches(elf)) {
            throw damaged("it does not hold an ELF file", null);
        }
        return ElfImage.parse(elf).startedAs(origin);
    }

    private byte[] gunzip() throws IOException {
        try (GZIPInputStream in = new GZIPInputStream(new ByteArrayInputStream(data), 1 << 16)) {
            byte[] elf = in.readNBytes((int) size);
            if (in.read() != -1) {
                throw new IOException("it unpacks to more than the announced " + size + " bytes");
            }
            return elf;
        }
    }

    private static FirmwareException damaged(String reason, IOException cause) {
        String message = "The compressed kernel in the bzImage is damaged: " + reason;
        return new FirmwareException(FirmwareException.Code.DAMAGED_KERNEL, message, cause);
    }
}
