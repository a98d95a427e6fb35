package org.javisor.storage;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/** Opens an image and what lies under it, as often as there is something under it. */
final class DiskChain {
    private static final int MAX_DEPTH = 200;

    /** The files opened so far, for finding that one comes back. */
    private final List<Path> files = new ArrayList<>();

    private DiskChain() {}

    /**
     * Opens a disk.
     *
     * @param mode how its own file is opened; those underneath are only read
     */
    static BlockBackend open(DiskSpec spec, HostFile.Mode mode) {
        return new DiskChain().open(spec.file(), spec.format(), spec.snapshot(), mode);
    }

    private BlockBackend open(
            Path path, Optional<DiskFormat> named, Optional<String> snapshot, HostFile.Mode mode) {
        remember(path);
        HostFile file = HostFile.open(path, mode);
        try {
            DiskFormat format = named.orElseGet(() -> DiskProbe.probe(file));
            return switch (format) {
                case RAW -> {
                    if (snapshot.isPresent()) {
                        throw new StorageException(
                                StorageException.Code.NOT_FOUND,
                                path + " is a raw disk, which has no snapshots");
                    }
                    yield new RawDisk(file, !mode.writable(), named.isEmpty());
                }
                case QCOW2 -> openQcow(file, snapshot, mode);
            };
        } catch (StorageException e) {
            file.close();
            throw e;
        }
    }

    private BlockBackend openQcow(HostFile file, Optional<String> snapshot, HostFile.Mode mode) {
        QcowHeader header = sound(file, QcowHeaderReader.read(file), mode);
        Optional<BlockBackend> backing =
                header.backingFile().map(name -> openBacking(file.path(), name, header, mode));
        try {
            if (snapshot.isPresent()) {
                QcowSnapshot shot = QcowSnapshot.named(file, header, snapshot.get());
                return QcowDisk.openSnapshot(file, header, backing, shot);
            }
            return QcowDisk.open(file, header, backing, !mode.writable());
        } catch (StorageException e) {
            backing.ifPresent(BlockBackend::close);
            throw e;
        }
    }

    /** Puts the refcounts of an image right that was not closed, before it is written. */
    private static QcowHeader sound(HostFile file, QcowHeader header, HostFile.Mode mode) {
        if (!mode.writable() || !header.dirty() || header.corrupt()) {
            return header;
        }
        QcowCheck.repairRefcounts(file, header);
        return QcowHeaderReader.read(file);
    }

    private BlockBackend openBacking(
            Path image, String name, QcowHeader header, HostFile.Mode mode) {
        Path path = resolve(image, name);
        Optional<DiskFormat> format =
                header.backingFormat()
                        .map(
                                word ->
                                        DiskFormat.named(word)
                                                .orElseThrow(() -> unknownFormat(image, word)));
        try {
            return open(
                    path,
                    format,
                    Optional.empty(),
                    new HostFile.Mode(false, mode.direct(), mode.locked(), true));
        } catch (StorageException e) {
            if (e.code() == StorageException.Code.NOT_FOUND) {
                throw new StorageException(
                        StorageException.Code.NOT_FOUND,
                        "%s lies on %s, which does not exist".formatted(image, path),
                        e);
            }
            throw e;
        }
    }

    /** A relative name counts from the image that has it. */
    static Path resolve(Path image, String name) {
        String file = name.startsWith("file:") ? name.substring(5) : name;
        if (name.startsWith("json:") || file.matches("[a-z][a-z0-9+.-]*:.*")) {
            throw new StorageException(
                    StorageException.Code.UNSUPPORTED,
                    "%s lies on '%s', which is not a plain file".formatted(image, name));
        }
        try {
            return image.resolveSibling(file);
        } catch (InvalidPathException e) {
            throw new StorageException(
                    StorageException.Code.BAD_FORMAT,
                    "%s lies on '%s', which is not a file name".formatted(image, name),
                    e);
        }
    }

    private static StorageException unknownFormat(Path image, String word) {
        return new StorageException(
                StorageException.Code.UNSUPPORTED,
                "%s lies on an image of the format '%s', which is not supported"
                        .formatted(image, word));
    }

    private void remember(Path path) {
        Path real;
        try {
            real = Files.exists(path) ? path.toRealPath() : path.toAbsolutePath();
        } catch (IOException e) {
            throw HostErrors.of("Cannot open", path, e);
        }
        if (files.contains(real)) {
            throw new StorageException(
                    StorageException.Code.BAD_FORMAT,
                    "Images lie on each other in a circle: "
                            + files.stream().map(Path::toString).collect(Collectors.joining(" on "))
                            + " on "
                            + real);
        }
        if (files.size() == MAX_DEPTH) {
            throw new StorageException(
                    StorageException.Code.UNSUPPORTED,
                    files.getFirst() + " lies on more than " + MAX_DEPTH + " images");
        }
        files.add(real);
    }
}
