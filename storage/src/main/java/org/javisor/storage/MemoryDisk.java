package org.javisor.storage;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** A disk in memory, gone when it is closed. For tests and for scratch disks. */
public final class MemoryDisk implements BlockBackend {
    private final Arena arena = Arena.ofShared();
    private final MemorySegment contents;
    private final boolean readOnly;

    /**
     * @param size bytes, a multiple of 512
     * @param readOnly whether writes are refused
     */
    public MemoryDisk(long size, boolean readOnly) {
        if (size <= 0 || size % 512 != 0) {
            throw new StorageException(
                    StorageException.Code.BAD_ARGUMENT,
                    "A disk of " + size + " bytes is not a whole number of sectors");
        }
        this.contents = arena.allocate(size, 4096);
        this.readOnly = readOnly;
    }

    @Override
    public long size() {
        return contents.byteSize();
    }

    @Override
    public int logicalBlockSize() {
        return 512;
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
        Ranges.check(offset, Segments.length(targets), size());
        for (MemorySegment target : targets) {
            MemorySegment.copy(contents, offset, target, 0, target.byteSize());
            offset += target.byteSize();
        }
    }

    @Override
    public void write(long offset, MemorySegment... sources) {
        Ranges.checkWrite(offset, Segments.length(sources), this);
        for (MemorySegment source : sources) {
            MemorySegment.copy(source, 0, contents, offset, source.byteSize());
            offset += source.byteSize();
        }
    }

    @Override
    public void flush() {}

    @Override
    public void discard(long offset, long length) {
        writeZeroes(offset, length, true);
    }

    @Override
    public void writeZeroes(long offset, long length, boolean mayUnmap) {
        Ranges.checkWrite(offset, length, this);
        contents.asSlice(offset, length).fill((byte) 0);
    }

    @Override
    public void close() {
        if (arena.scope().isAlive()) {
            arena.close();
        }
    }
}
