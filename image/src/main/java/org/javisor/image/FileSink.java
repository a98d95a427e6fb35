package org.javisor.image;

import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Locale;

/** Creates the files of the cache; tests put a full disk in its place. */
@FunctionalInterface
interface FileSink {

    /**
     * Creates or replaces a file. Closing the stream puts it on the disk before it returns. Every
     * failure to create, write or close is a {@link WriteFailure}.
     */
    OutputStream create(Path file) throws WriteFailure;

    /** Writing failed, as opposed to reading what was to be written. */
    final class WriteFailure extends IOException {
        private static final long serialVersionUID = 1;
        private final transient Path file;

        WriteFailure(Path file, IOException cause) {
            super(cause.getMessage(), cause);
            this.file = file;
        }

        /** The failure as the user is told of it. */
        ImageException explain() {
            String reason = Text.reason(getCause());
            String lower = reason.toLowerCase(Locale.ROOT);
            // No Java exception says "disk full"; the texts are those of Linux, macOS and Windows.
            boolean full =
                    lower.contains("no space left")
                            || lower.contains("quota")
                            || lower.contains("not enough space");
            Path directory = file.toAbsolutePath().getParent();
            return full
                    ? new ImageException(
                            ImageException.Code.DISK_FULL,
                            "The disk that holds the cache is full ("
                                    + directory
                                    + "); free some space or set XDG_CACHE_HOME to another disk",
                            this)
                    : new ImageException(
                            ImageException.Code.CACHE,
                            "Cannot write "
                                    + file
                                    + ": "
                                    + reason
                                    + "; check the directory's owner and permissions",
                            this);
        }
    }

    /** Writes real files. */
    static FileSink disk() {
        return file -> {
            try {
                FileChannel channel =
                        FileChannel.open(
                                file,
                                StandardOpenOption.CREATE,
                                StandardOpenOption.TRUNCATE_EXISTING,
                                StandardOpenOption.WRITE);
                return new Guarded(file, new Synced(channel));
            } catch (IOException e) {
                throw new WriteFailure(file, e);
            }
        };
    }

    /** Forces the file to the disk when it is closed. */
    final class Synced extends FilterOutputStream {
        private final FileChannel channel;
        private boolean closed;

        private Synced(FileChannel channel) {
            super(Channels.newOutputStream(channel));
            this.channel = channel;
        }

        @Override
        public void write(byte[] bytes, int offset, int length) throws IOException {
            out.write(bytes, offset, length);
        }

        @Override
        public void close() throws IOException {
            if (!closed) {
                closed = true;
                try (channel) {
                    channel.force(true);
                }
            }
        }
    }

    /** Turns every failure of the stream below into a {@link WriteFailure}. */
    final class Guarded extends OutputStream {
        private final Path file;
        private final OutputStream out;

        Guarded(Path file, OutputStream out) {
            this.file = file;
            this.out = out;
        }

        @Override
        public void write(int value) throws WriteFailure {
            write(new byte[] {(byte) value}, 0, 1);
        }

        @Override
        public void write(byte[] bytes, int offset, int length) throws WriteFailure {
            try {
                out.write(bytes, offset, length);
            } catch (IOException e) {
                throw new WriteFailure(file, e);
            }
        }

        @Override
        public void close() throws WriteFailure {
            try {
                out.close();
            } catch (IOException e) {
                throw new WriteFailure(file, e);
            }
        }
    }
}
