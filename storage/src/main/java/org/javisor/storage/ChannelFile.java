package org.javisor.storage;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A file on hosts other than Linux. There are no holes, and a thread that is interrupted in the
 * middle of a request closes the file for all.
 */
final class ChannelFile implements HostFile {
    /** Past every file's end, where a mandatory lock hinders nobody. */
    private static final long LOCK_POSITION = Long.MAX_VALUE - 1;

    /** The most that one buffer of a channel can cover, kept a multiple of all alignments. */
    private static final long MAX_TRANSFER = 1 << 30;

    private final Path path;
    private final FileChannel channel;
    private final boolean durable;
    private final AtomicLong knownLength;

    private ChannelFile(Path path, FileChannel channel, boolean durable, long length) {
        this.path = path;
        this.channel = channel;
        this.durable = durable;
        this.knownLength = new AtomicLong(length);
    }

    static ChannelFile open(Path path, Mode mode) {
        Set<OpenOption> options = new HashSet<>();
        options.add(StandardOpenOption.READ);
        if (mode.writable()) {
            options.add(StandardOpenOption.WRITE);
        }
        if (mode.direct()) {
            throw new StorageException(
                    StorageException.Code.UNSUPPORTED,
                    "Only on Linux can " + path + " be used without the page cache");
        }
        try {
            FileChannel channel = FileChannel.open(path, options);
            try {
                if (mode.locked()) {
                    lock(path, channel, mode.writable());
                }
                return new ChannelFile(path, channel, mode.durable(), channel.size());
            } catch (IOException | StorageException e) {
                channel.close();
                throw e;
            }
        } catch (IOException e) {
            throw HostErrors.of("Cannot open", path, e);
        }
    }

    private static void lock(Path path, FileChannel channel, boolean writable) throws IOException {
        boolean taken;
        try {
            taken = channel.tryLock(LOCK_POSITION, 1, !writable) != null;
        } catch (OverlappingFileLockException e) {
            taken = false;
        }
        if (!taken) {
            throw new StorageException(
                    StorageException.Code.LOCKED,
                    "Cannot open " + path + ": another machine or program uses it; end that first");
        }
    }

    @Override
    public Path path() {
        return path;
    }

    @Override
    public long length() {
        try {
            return Math.max(channel.size(), Files.isRegularFile(path) ? 0 : knownLength.get());
        } catch (IOException e) {
            throw HostErrors.of("Cannot measure", path, e);
        }
    }

    @Override
    public int alignment() {
        return 1;
    }

    @Override
    public void read(long offset, MemorySegment... targets) {
        // Looked at first: another thread may lengthen the file after the host has said it ends.
        long known = knownLength.get();
        try {
            for (MemorySegment target : targets) {
                for (long done = 0; done < target.byteSize(); ) {
                    long part = Math.min(MAX_TRANSFER, target.byteSize() - done);
                    ByteBuffer buffer = target.asSlice(done, part).asByteBuffer();
                    int count = channel.read(buffer, offset + done);
                    if (count <= 0) {
                        if (offset + done < known) {
                            throw new StorageException(
                                    StorageException.Code.IO,
                                    path + " has become shorter while it was in use");
                        }
                        target.asSlice(done).fill((byte) 0);
                        break;
                    }
                    done += count;
                }
                offset += target.byteSize();
            }
        } catch (IOException e) {
            throw HostErrors.of("Cannot read", path, e);
        }
    }

    @Override
    public void write(long offset, MemorySegment... sources) {
        try {
            for (MemorySegment source : sources) {
                for (long done = 0; done < source.byteSize(); ) {
                    long part = Math.min(MAX_TRANSFER, source.byteSize() - done);
                    done += channel.write(source.asSlice(done, part).asByteBuffer(), offset + done);
                }
                offset += source.byteSize();
            }
            knownLength.accumulateAndGet(offset, Math::max);
        } catch (IOException e) {
            throw HostErrors.of("Cannot write to", path, e);
        }
    }

    @Override
    public void flush() {
        try {
            if (durable) {
                channel.force(false);
            }
        } catch (IOException e) {
            throw HostErrors.of("Cannot flush", path, e);
        }
    }

    @Override
    public boolean punchHole(long offset, long length) {
        return false;
    }

    @Override
    public boolean zeroRange(long offset, long length) {
        return false;
    }

    @Override
    public boolean reserve(long offset, long length) {
        return false;
    }

    @Override
    public void setLength(long length) {
        try {
            if (length < channel.size()) {
                channel.truncate(length);
            } else if (length > channel.size()) {
                channel.write(ByteBuffer.allocate(1), length - 1);
            }
            knownLength.set(length);
        } catch (IOException e) {
            throw HostErrors.of("Cannot change the length of", path, e);
        }
    }

    @Override
    public long nextData(long offset) {
        return Math.min(offset, length());
    }

    @Override
    public long nextHole(long offset) {
        return length();
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException e) {
            throw HostErrors.of("Cannot close", path, e);
        }
    }
}
