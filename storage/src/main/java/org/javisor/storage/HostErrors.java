package org.javisor.storage;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/** What the host's errors mean to a user. */
final class HostErrors {
    private HostErrors() {}

    /** From an error number of Linux. */
    static StorageException of(String doing, Path file, int errno) {
        String line = doing + " " + file + ": " + words(errno);
        return new StorageException(code(errno), line);
    }

    static StorageException of(String doing, Path file, IOException e) {
        return switch (e) {
            case NoSuchFileException missing -> of(doing, file, 2);
            case AccessDeniedException denied -> of(doing, file, 13);
            default -> {
                String reason =
                        e instanceof FileSystemException f && f.getReason() != null
                                ? f.getReason()
                                : String.valueOf(e.getMessage());
                // FileChannel tells of a full disk in the host's own words only.
                boolean full = reason.contains("No space") || reason.contains("not enough space");
                yield new StorageException(
                        full ? StorageException.Code.NO_SPACE : StorageException.Code.IO,
                        doing + " " + file + ": " + reason,
                        e);
            }
        };
    }

    private static StorageException.Code code(int errno) {
        return switch (errno) {
            case 28, 122, 27 -> StorageException.Code.NO_SPACE;
            case 2 -> StorageException.Code.NOT_FOUND;
            case 1, 13, 26, 30 -> StorageException.Code.ACCESS;
            default -> StorageException.Code.IO;
        };
    }

    private static String words(int errno) {
        return switch (errno) {
            case 1 -> "operation not permitted";
            case 2 -> "no such file";
            case 5 -> "the host's disk reports an error";
            case 13 -> "permission denied";
            case 21 -> "it is a directory";
            case 22 -> "the file system does not allow it";
            case 24 -> "too many open files";
            case 26 -> "it is in use as a program";
            case 27 -> "it would be larger than the file system or ulimit -f allows";
            case 28 -> "no space left on the host's disk";
            case 30 -> "the file system is read-only";
            case 40 -> "too many symbolic links";
            case 116 -> "it is no longer on its file server";
            case 122 -> "the disk quota is used up";
            default -> "error " + errno + " of the host";
        };
    }
}
