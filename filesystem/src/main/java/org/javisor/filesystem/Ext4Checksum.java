package org.javisor.filesystem;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.zip.CRC32C;

/**
 * The checksums of metadata_csum (Documentation/filesystems/ext4, "Checksums"): CRC-32C that starts
 * from all ones and is not inverted at the end, of the file system's UUID and then of what tells
 * the structure and its place. The superblock's own has no UUID in front.
 */
final class Ext4Checksum {
    private final CRC32C crc = new CRC32C();

    private Ext4Checksum() {}

    /** Of nothing yet. */
    static Ext4Checksum plain() {
        return new Ext4Checksum();
    }

    /** Seeded with the file system's UUID. */
    static Ext4Checksum of(byte[] uuid) {
        return new Ext4Checksum().add(uuid, 0, uuid.length);
    }

    /** Seeded with the UUID, an inode's number and its generation, which is always 0 here. */
    static Ext4Checksum ofInode(byte[] uuid, int inode) {
        return of(uuid).add(inode).add(0);
    }

    Ext4Checksum add(int littleEndian) {
        byte[] bytes = new byte[4];
        ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putInt(littleEndian);
        return add(bytes, 0, 4);
    }

    Ext4Checksum add(byte[] bytes, int offset, int length) {
        crc.update(bytes, offset, length);
        return this;
    }

    /** Java's CRC32C inverts at the end, ext4 does not. */
    int value() {
        return (int) ~crc.getValue();
    }
}
