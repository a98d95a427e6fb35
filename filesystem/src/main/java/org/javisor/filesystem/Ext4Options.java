package org.javisor.filesystem;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.UUID;

/**
 * What a new file system is.
 *
 * @param size in bytes, 8 MiB to 8 TiB; the file has at most this size
 * @param label at most 16 bytes
 * @param uuid the file system's name
 * @param created its time of creation
 * @param journal the journal's size in bytes, 0 for none; at least 4 MiB otherwise
 */
public record Ext4Options(long size, String label, UUID uuid, Instant created, long journal) {
    private static final int MAX_LABEL = 16;
    private static final long SMALLEST_JOURNAL = 4L << 20;

    /** Refuses what the format cannot hold. */
    public Ext4Options {
        if (label.getBytes(StandardCharsets.UTF_8).length > MAX_LABEL) {
            throw new FileSystemException(
                    FileSystemException.Code.CONTENT,
                    "A file system's label has at most " + MAX_LABEL + " bytes: " + label);
        }
        if (journal != 0 && (journal < SMALLEST_JOURNAL || journal > size / 2)) {
            throw new FileSystemException(
                    FileSystemException.Code.SIZE,
                    "A journal of " + journal + " bytes does not suit the file system's size");
        }
    }

    /** With a journal as mke2fs sizes it: 1/64 of the file system, 4 to 64 MiB. */
    public static Ext4Options of(long size, String label, UUID uuid, Instant created) {
        long journal =
                Math.clamp(
                        size / 64 / Ext4Geometry.BLOCK * Ext4Geometry.BLOCK, 4L << 20, 64L << 20);
        return new Ext4Options(size, label, uuid, created, size < 16L << 20 ? 0 : journal);
    }

    byte[] uuidBytes() {
        return ByteBuffer.allocate(16)
                .putLong(uuid.getMostSignificantBits())
                .putLong(uuid.getLeastSignificantBits())
                .array();
    }
}
