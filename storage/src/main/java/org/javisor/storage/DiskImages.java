package org.javisor.storage;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * What can be done with images that no machine uses. Everything throws {@link StorageException}
 * with one line for the user.
 */
public final class DiskImages {
    private DiskImages() {}

    /** Makes an empty qcow2 image; its backing file, if any, must exist. */
    public static void createQcow2(Path file, QcowOptions options, boolean overwrite) {
        options.checked();
        options.backing().ifPresent(backing -> checkBacking(file, backing));
        NewFile.make(
                file,
                overwrite,
                part -> {
                    try (HostFile host = HostFile.open(part, HostFile.Mode.WRITE)) {
                        QcowCreator.create(host, options);
                    }
                });
    }

    /** The size of the disk that an image underneath a new one has. */
    public static long backingSize(Path image, QcowOptions.Backing backing) {
        return checkBacking(image, backing);
    }

    private static long checkBacking(Path image, QcowOptions.Backing backing) {
        Path path = DiskChain.resolve(image, backing.name());
        DiskSpec spec = DiskSpec.of(path).withFormat(backing.format()).withReadOnly(true);
        try (BlockBackend disk = Disks.open(spec, FullDiskHandler.failing())) {
            return disk.size();
        }
    }

    /** Makes an empty raw disk. */
    public static void createRaw(Path file, long size, boolean overwrite) {
        QcowOptions.checkSize(size, QcowHeader.MAX_CLUSTER_BITS, false);
        NewFile.make(
                file,
                overwrite,
                part -> {
                    try (HostFile host = HostFile.open(part, HostFile.Mode.WRITE)) {
                        host.setLength(size);
                        host.flush();
                    }
                });
    }

    /** Describes an image, also one that is in use; the image underneath is not looked at. */
    public static ImageInfo info(Path file, Optional<DiskFormat> format) {
        HostFile.Mode unlocked = new HostFile.Mode(false, false, false, true);
        try (HostFile host = HostFile.open(file, unlocked)) {
            return switch (format.orElseGet(() -> DiskProbe.probe(host))) {
                case RAW ->
                        new ImageInfo(
                                file,
                                DiskFormat.RAW,
                                host.length(),
                                host.length(),
                                allocated(host),
                                Optional.empty());
                case QCOW2 -> qcowInfo(host);
            };
        }
    }

    private static ImageInfo qcowInfo(HostFile host) {
        QcowHeader header = QcowHeaderReader.read(host);
        List<ImageInfo.Snapshot> snapshots =
                QcowSnapshot.list(host, header).stream()
                        .map(
                                shot ->
                                        new ImageInfo.Snapshot(
                                                shot.id(),
                                                shot.name(),
                                                shot.date(),
                                                shot.size(header.size()),
                                                shot.vmStateSize()))
                        .toList();
        ImageInfo.Qcow qcow =
                new ImageInfo.Qcow(
                        header.version(),
                        header.clusterSize(),
                        1 << header.refcountOrder(),
                        header.compression() == QcowHeader.Compression.ZSTD ? "zstd" : "zlib",
                        header.extendedL2(),
                        header.lazyRefcounts(),
                        header.dirty(),
                        header.corrupt(),
                        header.backingFile().map(name -> DiskChain.resolve(host.path(), name)),
                        header.backingFormat(),
                        snapshots);
        return new ImageInfo(
                host.path(),
                DiskFormat.QCOW2,
                header.size(),
                host.length(),
                allocated(host),
                Optional.of(qcow));
    }

    private static long allocated(HostFile host) {
        long total = 0;
        long end = host.length();
        for (long at = host.nextData(0); at < end; ) {
            long hole = host.nextHole(at);
            total += hole - at;
            at = host.nextData(hole);
        }
        return total;
    }

    /** What {@link #check} may put right. */
    public enum Repair {
        /** Only look. */
        NOTHING,
        /** Clusters that count as used and are not. */
        LEAKS,
        /** Refcounts and marks too. */
        ALL
    }

    /**
     * Checks a qcow2 image.
     *
     * @throws StorageException {@code UNSUPPORTED} for raw disks, where there is nothing to check
     */
    public static CheckReport check(Path file, Repair repair) {
        HostFile.Mode mode = repair == Repair.NOTHING ? HostFile.Mode.READ : HostFile.Mode.WRITE;
        try (HostFile host = HostFile.open(file, mode)) {
            if (DiskProbe.probe(host) == DiskFormat.RAW) {
                throw new StorageException(
                        StorageException.Code.UNSUPPORTED,
                        file + " is a raw disk: it has nothing that could be checked");
            }
            QcowCheck.Repair wanted =
                    switch (repair) {
                        case NOTHING -> QcowCheck.Repair.NOTHING;
                        case LEAKS -> QcowCheck.Repair.LEAKS;
                        case ALL -> QcowCheck.Repair.ALL;
                    };
            return QcowCheck.run(host, QcowHeaderReader.read(host), wanted);
        }
    }

    /**
     * Changes the size of a disk.
     *
     * @param size bytes, a multiple of 512
     * @param shrink whether it may become smaller, which cuts off what lies behind
     */
    public static void resize(Path file, Optional<DiskFormat> format, long size, boolean shrink) {
        ImageInfo info = info(file, format);
        if (size < info.size() && !shrink) {
            throw new StorageException(
                    StorageException.Code.BAD_ARGUMENT,
                    "%s has %s and would be cut off; use --shrink if that is meant"
                            .formatted(file, ByteSize.show(info.size())));
        }
        switch (info.format()) {
            case RAW -> {
                QcowOptions.checkSize(size, QcowHeader.MAX_CLUSTER_BITS, false);
                try (HostFile host = HostFile.open(file, HostFile.Mode.WRITE)) {
                    host.setLength(size);
                    host.flush();
                }
            }
            case QCOW2 -> QcowResize.resize(file, size);
        }
    }

    /**
     * Copies a disk into a new image.
     *
     * @param source what to read; its snapshot, if it names one
     * @param target how the copy is to be
     */
    public static void convert(DiskSpec source, ConvertTarget target, Progress progress) {
        ImageConverter.convert(source, target, progress);
    }
}
