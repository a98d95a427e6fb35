package org.javisor.share;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A folder of the host that a guest may look into, and write to if the user says so. Thread-safe.
 */
public final class SharedFolder implements AutoCloseable {
    private final Path directory;
    private final boolean writable;
    private final int root;
    private final FileAttributes rootAttributes;
    private boolean closed;

    private SharedFolder(Path directory, boolean writable) throws FileError {
        this.directory = directory;
        this.writable = writable;
        LinuxCalls calls = new LinuxCalls();
        String name =
                new String(
                        directory.toString().getBytes(StandardCharsets.UTF_8),
                        StandardCharsets.ISO_8859_1);
        int flags = LinuxCalls.O_PATH | LinuxCalls.O_DIRECTORY;
        root = calls.open(LinuxCalls.AT_FDCWD, name, flags, 0);
        rootAttributes = attributes(calls, root);
    }

    /**
     * Opens a folder. What the name leads to now is what is shared, whatever is done to the name
     * later.
     *
     * @throws ShareException if it is no folder, cannot be entered, or the host is not Linux
     */
    public static SharedFolder open(Path directory, boolean writable) {
        if (!LinuxCalls.available()) {
            throw new ShareException("Sharing a folder needs a Linux host");
        }
        if (!Files.exists(directory)) {
            throw new ShareException(
                    "Cannot share %s: there is no such folder".formatted(directory));
        }
        if (!Files.isDirectory(directory)) {
            throw new ShareException("Cannot share %s: it is not a folder".formatted(directory));
        }
        if (!Files.isReadable(directory) || !Files.isExecutable(directory)) {
            throw new ShareException("Cannot share %s: permission denied".formatted(directory));
        }
        try {
            return new SharedFolder(directory.toRealPath(), writable);
        } catch (FileError | IOException e) {
            throw new ShareException("Cannot share %s: %s".formatted(directory, e.getMessage()));
        }
    }

    public Path directory() {
        return directory;
    }

    public boolean writable() {
        return writable;
    }

    /** Begins a conversation with a client. */
    public P9Session newSession() {
        return new P9Session(this);
    }

    FileAttributes rootAttributes() {
        return rootAttributes;
    }

    void checkWritable() throws FileError {
        if (!writable) {
            throw new FileError(Errno.EROFS);
        }
    }

    /**
     * A descriptor of what a path names: no more than that, not open for reading. One component at
     * a time and no link followed; the last may be one.
     */
    int find(LinuxCalls calls, FilePath path) throws FileError {
        int flags = LinuxCalls.O_PATH | LinuxCalls.O_NOFOLLOW;
        int at = calls.open(root, ".", flags | LinuxCalls.O_DIRECTORY, 0);
        int last = path.names().size() - 1;
        for (int i = 0; i <= last; i++) {
            int from = at;
            try {
                int kind = i < last ? LinuxCalls.O_DIRECTORY : 0;
                at = calls.open(from, path.names().get(i), flags | kind, 0);
            } finally {
                calls.close(from);
            }
        }
        return at;
    }

    static FileAttributes attributes(LinuxCalls calls, int fd) throws FileError {
        calls.statx(fd);
        return FileAttributes.read(calls.result);
    }

    Qid qid(LinuxCalls calls, int fd) throws FileError {
        return attributes(calls, fd).qid(rootAttributes);
    }

    /**
     * The name by which calls that take none but names reach what a descriptor stands for, and
     * nothing else.
     */
    static String nameOf(int fd) {
        return "/proc/self/fd/" + fd;
    }

    /**
     * Opens what a descriptor stands for. Opening a pipe or a device would do something, so that
     * only files and directories can be opened.
     */
    int reopen(LinuxCalls calls, int fd, int flags) throws FileError {
        switch (attributes(calls, fd).kind()) {
            case FileAttributes.S_IFREG, FileAttributes.S_IFDIR -> {}
            case FileAttributes.S_IFLNK -> throw new FileError(Errno.ELOOP);
            default -> throw new FileError(Errno.EACCES);
        }
        return calls.open(LinuxCalls.AT_FDCWD, nameOf(fd), flags | LinuxCalls.O_NONBLOCK, 0);
    }

    @Override
    public synchronized void close() {
        if (!closed) {
            closed = true;
            new LinuxCalls().close(root);
        }
    }
}
