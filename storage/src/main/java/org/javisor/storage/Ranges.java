package org.javisor.storage;

/** The check that every request begins with. */
final class Ranges {
    private Ranges() {}

    static void check(long offset, long length, long size) {
        // Compared so that no sum can overflow.
        if (offset < 0 || length < 0 || offset > size || length > size - offset) {
            throw new StorageException(
                    StorageException.Code.OUT_OF_RANGE,
                    "%d bytes at %d are not within a disk of %d bytes"
                            .formatted(length, offset, size));
        }
    }

    static void checkWrite(long offset, long length, BlockBackend disk) {
        if (disk.readOnly()) {
            throw new StorageException(StorageException.Code.READ_ONLY, "The disk is read-only");
        }
        check(offset, length, disk.size());
    }
}
