package org.javisor.storage;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;

/** Finds out a file's format from its first bytes. */
final class DiskProbe {
    private static final byte[] QCOW = {'Q', 'F', 'I', (byte) 0xfb};

    private DiskProbe() {}

    /**
     * The format, raw if nothing else fits.
     *
     * @throws StorageException {@code UNSUPPORTED} for formats that are known and cannot be used
     */
    static DiskFormat probe(HostFile file) {
        byte[] start = start(file);
        if (begins(start, QCOW)) {
            if (start[7] == 1) {
                throw unsupported(file, "qcow, version 1");
            }
            return DiskFormat.QCOW2;
        }
        Optional<String> other = otherFormat(start);
        if (other.isPresent()) {
            throw unsupported(file, other.get());
        }
        return DiskFormat.RAW;
    }

    private static byte[] start(HostFile file) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment start = arena.allocate(512, 512);
            if (file.length() > 0) {
                file.read(0, start);
            }
            return start.toArray(ValueLayout.JAVA_BYTE);
        }
    }

    /** Whether the first eight bytes are those of a format that would not be taken for raw. */
    static boolean isOtherFormat(byte[] start) {
        return begins(start, QCOW) || otherFormat(start).isPresent();
    }

    private static Optional<String> otherFormat(byte[] start) {
        if (begins(start, "KDMV".getBytes(StandardCharsets.US_ASCII))
                || begins(start, "COWD".getBytes(StandardCharsets.US_ASCII))) {
            return Optional.of("vmdk");
        }
        if (begins(start, "vhdxfile".getBytes(StandardCharsets.US_ASCII))) {
            return Optional.of("vhdx");
        }
        if (begins(start, "conectix".getBytes(StandardCharsets.US_ASCII))) {
            return Optional.of("vpc");
        }
        if (begins(start, new byte[] {'Q', 'E', 'D', 0})) {
            return Optional.of("qed");
        }
        if (begins(start, new byte[] {'L', 'U', 'K', 'S', (byte) 0xba, (byte) 0xbe})) {
            return Optional.of("luks");
        }
        return Optional.empty();
    }

    private static boolean begins(byte[] start, byte[] magic) {
        return start.length >= magic.length
                && Arrays.equals(start, 0, magic.length, magic, 0, magic.length);
    }

    private static StorageException unsupported(HostFile file, String format) {
        return new StorageException(
                StorageException.Code.UNSUPPORTED,
                "%s has the format %s, which is not supported; convert it with qemu-img, or say"
                                .formatted(file.path(), format)
                        + " format=raw if its bytes are the disk");
    }
}
