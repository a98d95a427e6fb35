package org.javisor.storage;

import java.io.IOException;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.function.Consumer;

/** A file that appears under its name when it is whole, or not at all. */
final class NewFile {
    private NewFile() {}

    /**
     * Makes a file.
     *
     * @param overwrite whether a file of that name may be replaced
     * @param filler writes into an empty file of another name
     */
    static void make(Path target, boolean overwrite, Consumer<Path> filler) {
        if (Files.exists(target) && !overwrite) {
            throw new StorageException(
                    StorageException.Code.BAD_ARGUMENT,
                    target + " exists already; remove it first, or use --force");
        }
        Path part = part(target);
        try {
            filler.accept(part);
            requireUnused(target);
            move(part, target);
        } finally {
            try {
                Files.deleteIfExists(part);
            } catch (IOException e) {
                part.toFile().deleteOnExit();
            }
        }
    }

    private static Path part(Path target) {
        Path name = target.getFileName();
        if (name == null) {
            throw new StorageException(
                    StorageException.Code.BAD_ARGUMENT, target + " is not the name of a file");
        }
        Path part = target.resolveSibling("." + name + "." + ProcessHandle.current().pid());
        try {
            Files.createFile(part);
        } catch (FileAlreadyExistsException e) {
            throw new StorageException(
                    StorageException.Code.BAD_ARGUMENT,
                    "Cannot make " + target + ": " + part + " is in the way; remove it",
                    e);
        } catch (IOException e) {
            throw HostErrors.of("Cannot make", target, e);
        }
        // Also when the process is told to end.
        part.toFile().deleteOnExit();
        return part;
    }

    /** A file that is replaced must not be in anybody's use. */
    private static void requireUnused(Path target) {
        if (Files.isRegularFile(target)) {
            HostFile.open(target, HostFile.Mode.WRITE).close();
        }
    }

    private static void move(Path part, Path target) {
        try {
            try {
                Files.move(part, target, StandardCopyOption.ATOMIC_MOVE);
            } catch (AtomicMoveNotSupportedException e) {
                Files.move(part, target, StandardCopyOption.REPLACE_EXISTING);
            }
        } catch (IOException e) {
            throw HostErrors.of("Cannot make", target, e);
        }
    }
}
