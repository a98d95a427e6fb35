package org.javisor.image;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;

/** Lets one pull or removal at a time into a cache, across threads and processes. */
final class StoreLock implements AutoCloseable {

    private static final long POLL_MILLIS = 50;

    private final FileChannel channel;

    private StoreLock(FileChannel channel) {
        this.channel = channel;
    }

    /**
     * Takes the lock, waiting while another holds it.
     *
     * @param file the lock file, created when needed and never removed: another process may wait on
     *     it
     * @param listener told once when there is a wait
     * @throws ImageException {@code CACHE}, {@code INTERRUPTED}
     */
    static StoreLock take(Path file, ProgressListener listener) {
        FileChannel channel = open(file);
        boolean told = false;
        try {
            while (attempt(channel).isEmpty()) {
                if (!told) {
                    listener.on(new ProgressEvent.Waiting(file));
                    told = true;
                }
                Thread.sleep(POLL_MILLIS);
            }
            return new StoreLock(channel);
        } catch (InterruptedException e) {
            closeQuietly(channel);
            Thread.currentThread().interrupt();
            throw new ImageException(
                    ImageException.Code.INTERRUPTED,
                    "Interrupted while waiting for another pull",
                    e);
        } catch (IOException e) {
            closeQuietly(channel);
            throw cannotLock(file, e);
        }
    }

    private static FileChannel open(Path file) {
        try {
            return FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        } catch (IOException e) {
            throw cannotLock(file, e);
        }
    }

    private static Optional<FileLock> attempt(FileChannel channel) throws IOException {
        try {
            return Optional.ofNullable(channel.tryLock());
        } catch (OverlappingFileLockException e) {
            // Another thread of this JVM holds it: file locks belong to processes.
            return Optional.empty();
        }
    }

    private static ImageException cannotLock(Path file, IOException e) {
        return new ImageException(
                ImageException.Code.CACHE,
                "Cannot lock "
                        + file
                        + ": "
                        + Text.reason(e)
                        + "; check the directory's owner and permissions",
                e);
    }

    private static void closeQuietly(FileChannel channel) {
        try {
            channel.close();
        } catch (IOException e) {
            // The lock is gone with the descriptor either way.
        }
    }

    @Override
    public void close() {
        closeQuietly(channel);
    }
}
