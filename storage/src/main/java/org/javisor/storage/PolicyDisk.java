package org.javisor.storage;

import java.lang.foreign.MemorySegment;

/** Carries out what a {@link DiskSpec} says about flushing, discarding and a full host disk. */
final class PolicyDisk implements BlockBackend {
    private final BlockBackend disk;
    private final CacheMode cache;
    private final boolean discard;
    private final FullDiskPolicy policy;
    private final FullDiskHandler handler;

    PolicyDisk(BlockBackend disk, DiskSpec spec, FullDiskHandler handler) {
        this.disk = disk;
        this.cache = spec.cache();
        this.discard = spec.discard();
        this.policy = spec.fullDisk();
        this.handler = handler;
    }

    @Override
    public long size() {
        return disk.size();
    }

    @Override
    public int logicalBlockSize() {
        return disk.logicalBlockSize();
    }

    @Override
    public int discardGranularity() {
        return disk.discardGranularity();
    }

    @Override
    public boolean readOnly() {
        return disk.readOnly();
    }

    @Override
    public void read(long offset, MemorySegment... targets) {
        disk.read(offset, targets);
    }

    @Override
    public void write(long offset, MemorySegment... sources) {
        changing(() -> disk.write(offset, sources));
    }

    @Override
    public void flush() {
        retrying(disk::flush);
    }

    @Override
    public void discard(long offset, long length) {
        if (discard) {
            changing(() -> disk.discard(offset, length));
        } else {
            Ranges.checkWrite(offset, length, disk);
        }
    }

    @Override
    public void writeZeroes(long offset, long length, boolean mayUnmap) {
        changing(() -> disk.writeZeroes(offset, length, mayUnmap && discard));
    }

    private void changing(Runnable request) {
        retrying(request);
        if (cache.flushEveryWrite()) {
            retrying(disk::flush);
        }
    }

    private void retrying(Runnable request) {
        while (true) {
            try {
                request.run();
                return;
            } catch (StorageException e) {
                if (e.code() != StorageException.Code.NO_SPACE) {
                    throw e;
                }
                switch (policy) {
                    case REPORT -> throw e;
                    case IGNORE -> {
                        return;
                    }
                    case STOP -> {
                        if (!handler.retryAfter(e.getMessage())) {
                            throw e;
                        }
                    }
                }
            }
        }
    }

    @Override
    public void close() {
        disk.close();
    }
}
