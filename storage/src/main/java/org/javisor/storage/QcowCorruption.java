package org.javisor.storage;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Notes that an image contradicts itself. From then on nothing is written to it, and where the
 * format can say so (version 3) the file itself says it, so that nobody else writes either.
 */
final class QcowCorruption {
    private final HostFile file;
    private final QcowHeader header;
    private final boolean writable;
    private boolean noted;
    private volatile boolean found;

    QcowCorruption(HostFile file, QcowHeader header, boolean writable) {
        this.file = file;
        this.header = header;
        this.writable = writable;
    }

    /** The exception that says what is wrong, after it has been noted in the file. */
    StorageException found(String what) {
        found = true;
        StorageException exception =
                new StorageException(
                        StorageException.Code.CORRUPT,
                        "The qcow2 image %s is damaged: %s; writing stops, see 'javisor image check'"
                                .formatted(file.path(), what));
        synchronized (this) {
            if (writable && !noted && header.version() >= 3) {
                noted = true;
                try {
                    setBit();
                } catch (StorageException e) {
                    exception.addSuppressed(e);
                }
            }
        }
        return exception;
    }

    private void setBit() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment field = arena.allocate(8, 8);
            BigEndian.put(field, 0, header.incompatible() | QcowHeader.CORRUPT);
            file.write(QcowHeader.INCOMPATIBLE_FIELD, field);
            file.flush();
        }
    }

    /** To be called before anything is changed. */
    void requireSound() {
        if (found) {
            throw new StorageException(
                    StorageException.Code.CORRUPT,
                    "The qcow2 image " + file.path() + " is damaged and takes no more writes");
        }
    }
}
