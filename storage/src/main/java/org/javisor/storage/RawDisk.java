package org.javisor.storage;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * A disk that lies in its file byte for byte. Requests go to the host as they come; holes are the
 * host's.
 */
final class RawDisk implements BlockBackend, SparseSource {
    private static final int MAGIC_BYTES = 8;

    private final HostFile file;
    private final boolean readOnly;
    private final boolean guarded;
    private final long size;

    /**
     * @param guarded whether the format was only guessed: the guest must then not be able to write
     *     what would make the next guess a different one, with a backing file of its choice
     */
    RawDisk(HostFile file, boolean readOnly, boolean guarded) {
        this.file = file;
        this.readOnly = readOnly;
        this.guarded = guarded;
        // A last sector that is not whole reads as zeros past the end, and grows when written.
        this.size = (file.length() + 511) & -512;
        if (size == 0) {
            throw new StorageException(
                    StorageException.Code.BAD_FORMAT, file.path() + " is empty: it holds no disk");
        }
    }

    @Override
    public long size() {
        return size;
    }

    @Override
    public int logicalBlockSize() {
        // A guest that addressed less than the host can transfer would make every write a
        // read and a write.
        return Math.max(512, size % 4096 == 0 ? file.alignment() : 512);
    }

    @Override
    public int discardGranularity() {
        return 4096;
    }

    @Override
    public boolean readOnly() {
        return readOnly;
    }

    @Override
    public void read(long offset, MemorySegment... targets) {
        Ranges.check(offset, Segments.length(targets), size);
        file.read(offset, targets);
    }

    @Override
    public void write(long offset, MemorySegment... sources) {
        Ranges.checkWrite(offset, Segments.length(sources), this);
        if (guarded && offset < MAGIC_BYTES) {
            guard(offset, sources);
        }
        file.write(offset, sources);
    }

    private void guard(long offset, MemorySegment[] sources) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment start = arena.allocate(MAGIC_BYTES);
            file.read(0, start);
            for (MemorySegment source : sources) {
                long part = Math.min(source.byteSize(), MAGIC_BYTES - offset);
                if (part <= 0) {
                    break;
                }
                MemorySegment.copy(source, 0, start, offset, part);
                offset += part;
            }
            if (DiskProbe.isOtherFormat(start.toArray(ValueLayout.JAVA_BYTE))) {
                throw new StorageException(
                        StorageException.Code.READ_ONLY,
                        "The guest wants to turn "
                                + file.path()
                                + " into a disk image; say format=raw if it may");
            }
        }
    }

    @Override
    public void flush() {
        if (!readOnly) {
            file.flush();
        }
    }

    @Override
    public void discard(long offset, long length) {
        Ranges.checkWrite(offset, length, this);
        if (length > 0) {
            file.punchHole(offset, length);
        }
    }

    @Override
    public void writeZeroes(long offset, long length, boolean mayUnmap) {
        Ranges.checkWrite(offset, length, this);
        if (length == 0) {
            return;
        }
        boolean done = mayUnmap && file.punchHole(offset, length);
        if (!done && !file.zeroRange(offset, length)) {
            Zeros.write(file, offset, length);
        }
    }

    @Override
    public long zeroLength(long offset, long most) {
        long data = file.nextData(offset);
        return data >= file.length() ? most : Math.min(most, data - offset);
    }

    @Override
    public void close() {
        try {
            flush();
        } finally {
            file.close();
        }
    }
}
