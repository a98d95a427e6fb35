package org.javisor.storage;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * Copies a disk into a new image, without what reads as zeros, or as the image underneath the new
 * one. Reading goes on while the previous part is compressed or written.
 */
final class ImageConverter {
    private static final int CHUNK = 2 << 20;
    private static final int SPARSE_UNIT = 4096;

    private final BlockBackend source;
    private final BlockBackend target;
    private final Optional<BlockBackend> base;
    private final Progress progress;
    private final int unit;

    private ImageConverter(
            BlockBackend source,
            BlockBackend target,
            Optional<BlockBackend> base,
            int unit,
            Progress progress) {
        this.source = source;
        this.target = target;
        this.base = base;
        this.unit = unit;
        this.progress = progress;
    }

    static void convert(DiskSpec spec, ConvertTarget target, Progress progress) {
        DiskSpec reading = spec.withReadOnly(true).withEphemeral(false);
        HostFile.Mode mode = new HostFile.Mode(false, spec.cache().direct(), spec.locking(), true);
        try (BlockBackend source = DiskChain.open(reading, mode)) {
            NewFile.make(
                    target.file(),
                    target.overwrite(),
                    part -> copy(source, target, part, progress));
        }
    }

    private static void copy(
            BlockBackend source, ConvertTarget target, Path part, Progress progress) {
        if (target.qcow().isEmpty()) {
            if (target.compress()) {
                throw DiskSpec.wrong("A raw disk cannot be compressed");
            }
            try (HostFile file = HostFile.open(part, HostFile.Mode.WRITE)) {
                file.setLength(source.size());
                BlockBackend raw = new RawDisk(file, false, false);
                new ImageConverter(source, raw, Optional.empty(), SPARSE_UNIT, progress).plain();
                raw.flush();
            }
            return;
        }
        QcowOptions given = target.qcow().get();
        QcowOptions options = given.ofSize(source.size());
        Optional<BlockBackend> base =
                given.backing().map(backing -> openBase(target.file(), backing));
        HostFile file = HostFile.open(part, HostFile.Mode.WRITE);
        try {
            QcowCreator.create(file, options);
            QcowHeader header = QcowHeaderReader.read(file);
            try (QcowDisk disk = QcowDisk.open(file, header, base, false)) {
                int unit = target.compress() ? given.clusterSize() : SPARSE_UNIT;
                ImageConverter converter = new ImageConverter(source, disk, base, unit, progress);
                if (target.compress()) {
                    converter.compressed(disk);
                } else {
                    converter.plain();
                }
            }
        } finally {
            file.close();
        }
    }

    private static BlockBackend openBase(Path target, QcowOptions.Backing backing) {
        Path path = DiskChain.resolve(target, backing.name());
        DiskSpec spec = DiskSpec.of(path).withFormat(backing.format()).withReadOnly(true);
        return DiskChain.open(spec, HostFile.Mode.READ);
    }

    /** Two buffers by turns: one is filled while the other is written. */
    private void plain() {
        try (Arena arena = Arena.ofShared();
                ExecutorService writer = Executors.newSingleThreadExecutor()) {
            MemorySegment[] buffers = {arena.allocate(CHUNK, 4096), arena.allocate(CHUNK, 4096)};
            Future<?> pending = null;
            int turn = 0;
            for (long at = 0; at < source.size(); ) {
                long zero = skip(at, CHUNK);
                if (zero > 0) {
                    at += zero;
                    continue;
                }
                int length = (int) Math.min(CHUNK, source.size() - at);
                MemorySegment chunk = buffers[turn].asSlice(0, length);
                turn ^= 1;
                source.read(at, chunk);
                await(pending);
                long offset = at;
                pending = writer.submit(() -> write(offset, chunk));
                at += length;
                progress.at(at, source.size());
            }
            await(pending);
            progress.at(source.size(), source.size());
        }
    }

    /** How much can be left out without being read: whole chunks, or all that is left. */
    private long skip(long at, long chunk) {
        if (base.isPresent()) {
            return 0;
        }
        long left = source.size() - at;
        long zero = SparseSource.zeroLength(source, at, left);
        long skipped = zero == left ? left : zero / chunk * chunk;
        if (skipped > 0) {
            progress.at(at + skipped, source.size());
        }
        return skipped;
    }

    private static void await(Future<?> pending) {
        if (pending == null) {
            return;
        }
        try {
            pending.get();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof StorageException storage) {
                throw storage;
            }
            throw new StorageException(
                    StorageException.Code.IO, "The copy failed: " + e.getCause(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new StorageException(StorageException.Code.IO, "The copy was interrupted", e);
        }
    }

    /** Writes the units of a chunk that are not zero, or not as they are underneath. */
    private void write(long offset, MemorySegment chunk) {
        long size = chunk.byteSize();
        for (long at = 0; at < size; ) {
            long length = 0;
            while (at + length < size && needed(offset, chunk, at + length)) {
                length = Math.min(length + unit, size - at);
            }
            if (length > 0) {
                target.write(offset + at, chunk.asSlice(at, length));
            }
            at += Math.max(length, unit);
        }
    }

    private boolean needed(long offset, MemorySegment chunk, long at) {
        MemorySegment bytes = chunk.asSlice(at, Math.min(unit, chunk.byteSize() - at));
        if (base.isEmpty()) {
            return !Zeros.isZero(bytes);
        }
        return !sameUnderneath(offset + at, bytes);
    }

    /** The new image reads as the one underneath as long as nothing is written to it. */
    private boolean sameUnderneath(long offset, MemorySegment bytes) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment there = arena.allocate(bytes.byteSize(), 4096);
            long covered = Math.clamp(base.orElseThrow().size() - offset, 0, bytes.byteSize());
            if (covered > 0) {
                base.orElseThrow().read(offset, there.asSlice(0, covered));
            }
            return there.mismatch(bytes) < 0;
        }
    }

    /** As many clusters at once as there are processors; written in their order. */
    private void compressed(QcowDisk disk) {
        int threads = Runtime.getRuntime().availableProcessors();
        QcowHeader.Compression method = disk.header().compression();
        Deque<Future<Cluster>> running = new ArrayDeque<>();
        try (ExecutorService workers = Executors.newFixedThreadPool(threads);
                Arena arena = Arena.ofConfined()) {
            MemorySegment buffer = arena.allocate(unit, 4096);
            for (long at = 0; at < source.size(); at += unit) {
                long skipped = skip(at, unit);
                at += skipped;
                if (at >= source.size()) {
                    break;
                }
                MemorySegment part = buffer.asSlice(0, Math.min(unit, source.size() - at));
                source.read(at, part);
                if (!needed(at, part, 0)) {
                    continue;
                }
                byte[] bytes = new byte[unit];
                MemorySegment.copy(part, ValueLayout.JAVA_BYTE, 0, bytes, 0, (int) part.byteSize());
                long number = at / unit;
                running.add(
                        workers.submit(
                                () ->
                                        new Cluster(
                                                number,
                                                bytes,
                                                ClusterCodec.compress(method, bytes))));
                if (running.size() > 4 * threads) {
                    writeNext(disk, running.remove());
                }
            }
            while (!running.isEmpty()) {
                writeNext(disk, running.remove());
            }
            progress.at(source.size(), source.size());
        }
    }

    private record Cluster(long number, byte[] bytes, byte[] compressed) {}

    private void writeNext(QcowDisk disk, Future<Cluster> next) {
        await(next);
        Cluster cluster = next.resultNow();
        long at = cluster.number() * unit;
        if (cluster.compressed().length > 0) {
            disk.writeCompressed(cluster.number(), cluster.compressed());
        } else {
            int length = (int) Math.min(unit, source.size() - at);
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment bytes = arena.allocate(unit, 4096);
                bytes.copyFrom(MemorySegment.ofArray(cluster.bytes()));
                disk.write(at, bytes.asSlice(0, length));
            }
        }
        progress.at(at, source.size());
    }
}
