package org.javisor.storage;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/**
 * A file by Linux's own calls. Unlike a {@code FileChannel} it takes scatter lists at an offset,
 * tells exactly why something failed, and does not close when a thread is interrupted.
 */
final class LinuxFile implements HostFile {
    private final Path path;
    private final int fd;
    private final int alignment;
    private final boolean durable;
    private final LinuxCalls.Frames frames = new LinuxCalls.Frames();

    /** Only with O_DIRECT: writes that must read around their edges first exclude all others. */
    private final ReadWriteLock edges = new ReentrantReadWriteLock();

    /** The file was at least this long when last looked at, and nobody but us may change that. */
    private final AtomicLong knownLength;

    private volatile boolean flushFailed;
    private volatile boolean closed;

    private LinuxFile(Path path, int fd, int alignment, boolean durable, long length) {
        this.path = path;
        this.fd = fd;
        this.alignment = alignment;
        this.durable = durable;
        this.knownLength = new AtomicLong(length);
    }

    static LinuxFile open(Path path, Mode mode) {
        LinuxCalls.Frame frame = new LinuxCalls.Frame();
        int flags = LinuxCalls.O_CLOEXEC | (mode.writable() ? LinuxCalls.O_RDWR : 0);
        int fd = LinuxCalls.open(frame, path.toString(), flags);
        if (fd < 0) {
            String doing = mode.writable() ? "Cannot open for writing" : "Cannot open";
            throw HostErrors.of(doing, path, frame.errno());
        }
        try {
            if (mode.locked()) {
                LinuxLock.take(path, fd, mode.writable());
            }
            if (mode.direct()) {
                fd = reopenDirect(frame, path, fd, flags);
            }
            long length = LinuxCalls.lseek(frame, fd, 0, LinuxCalls.SEEK_END);
            if (length < 0) {
                throw HostErrors.of("Cannot open", path, frame.errno());
            }
            int alignment = mode.direct() ? alignmentOf(frame, fd) : 1;
            return new LinuxFile(path, fd, alignment, mode.durable(), length);
        } catch (StorageException e) {
            LinuxCalls.close(frame, fd);
            throw e;
        }
    }

    /** Sets O_DIRECT on the descriptor that holds the locks. */
    private static int reopenDirect(LinuxCalls.Frame frame, Path path, int fd, int flags) {
        int setFlags = 4; // F_SETFL
        MemorySegment value = MemorySegment.ofAddress(flags | LinuxCalls.directFlag());
        if (LinuxCalls.fcntl(frame, fd, setFlags, value) < 0) {
            throw new StorageException(
                    StorageException.Code.UNSUPPORTED,
                    "Cannot open "
                            + path
                            + " without the page cache: its file system does not offer O_DIRECT;"
                            + " use cache=writeback");
        }
        return fd;
    }

    private static int alignmentOf(LinuxCalls.Frame frame, int fd) {
        try (Arena arena = Arena.ofConfined()) {
            long buffer = arena.allocate(8192, 4096).address() + 512;
            return LinuxCalls.pread(frame, fd, buffer, 512, 0) >= 0 ? 512 : 4096;
        }
    }

    @Override
    public Path path() {
        return path;
    }

    @Override
    public long length() {
        LinuxCalls.Frame frame = frames.take();
        try {
            long length = LinuxCalls.lseek(frame, fd, 0, LinuxCalls.SEEK_END);
            if (length < 0) {
                throw HostErrors.of("Cannot measure", path, frame.errno());
            }
            return length;
        } finally {
            frames.give(frame);
        }
    }

    @Override
    public int alignment() {
        return alignment;
    }

    @Override
    public void read(long offset, MemorySegment... targets) {
        if (alignment > 1 && !aligned(offset, targets)) {
            readBounced(offset, targets);
            return;
        }
        transfer(offset, targets, false);
    }

    @Override
    public void write(long offset, MemorySegment... sources) {
        if (alignment == 1) {
            transfer(offset, sources, true);
        } else if (aligned(offset, sources)) {
            edges.readLock().lock();
            try {
                transfer(offset, sources, true);
            } finally {
                edges.readLock().unlock();
            }
        } else {
            edges.writeLock().lock();
            try {
                writeBounced(offset, sources);
            } finally {
                edges.writeLock().unlock();
            }
        }
    }

    private boolean aligned(long offset, MemorySegment[] segments) {
        long bits = offset;
        for (MemorySegment segment : segments) {
            bits |= segment.address() | segment.byteSize();
        }
        return (bits & (alignment - 1)) == 0;
    }

    private void readBounced(long offset, MemorySegment[] targets) {
        long from = offset & -alignment;
        long to = (offset + Segments.length(targets) + alignment - 1) & -alignment;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment bounce = arena.allocate(to - from, 4096);
            transfer(from, new MemorySegment[] {bounce}, false);
            long at = offset - from;
            for (MemorySegment target : targets) {
                MemorySegment.copy(bounce, at, target, 0, target.byteSize());
                at += target.byteSize();
            }
        }
    }

    private void writeBounced(long offset, MemorySegment[] sources) {
        long end = offset + Segments.length(sources);
        long from = offset & -alignment;
        long to = (end + alignment - 1) & -alignment;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment bounce = arena.allocate(to - from, 4096);
            if (from != offset) {
                transfer(from, new MemorySegment[] {bounce.asSlice(0, alignment)}, false);
            }
            if (to != end) {
                MemorySegment last = bounce.asSlice(to - from - alignment, alignment);
                transfer(to - alignment, new MemorySegment[] {last}, false);
            }
            long at = offset - from;
            for (MemorySegment source : sources) {
                MemorySegment.copy(source, 0, bounce, at, source.byteSize());
                at += source.byteSize();
            }
            transfer(from, new MemorySegment[] {bounce}, true);
        }
    }

    /** Goes on after short transfers until all is done or the file ends. */
    private void transfer(long offset, MemorySegment[] segments, boolean write) {
        long total = Segments.length(segments);
        // Looked at first: another thread may lengthen the file after the host has said it ends.
        long known = write ? 0 : knownLength.get();
        LinuxCalls.Frame frame = frames.take();
        try {
            long done = 0;
            int index = 0;
            long skip = 0;
            boolean ended = false;
            while (done < total) {
                while (skip == segments[index].byteSize()) {
                    index++;
                    skip = 0;
                }
                // Without the page cache nothing can begin in the middle of a block.
                long count = ended ? 0 : one(frame, offset + done, segments, index, skip, write);
                if (count < 0) {
                    if (frame.errno() == LinuxCalls.EINTR) {
                        continue;
                    }
                    throw HostErrors.of(
                            write ? "Cannot write to" : "Cannot read", path, frame.errno());
                }
                if (count == 0) {
                    if (write) {
                        throw HostErrors.of("Cannot write to", path, 28);
                    }
                    if (offset + done < known) {
                        throw shrank();
                    }
                    Segments.fillZero(Segments.slice(segments, done, total - done));
                    return;
                }
                done += count;
                ended = !write && (count & (alignment - 1)) != 0;
                for (long rest = count; rest > 0; ) {
                    long part = Math.min(rest, segments[index].byteSize() - skip);
                    rest -= part;
                    skip += part;
                    if (rest > 0) {
                        index++;
                        skip = 0;
                    }
                }
            }
            if (write) {
                knownLength.accumulateAndGet(offset + total, Math::max);
            }
        } finally {
            frames.give(frame);
            // Only addresses went to the calls.
            Reference.reachabilityFence(segments);
        }
    }

    private long one(
            LinuxCalls.Frame frame,
            long offset,
            MemorySegment[] segments,
            int index,
            long skip,
            boolean write) {
        int count = Math.min(segments.length - index, LinuxCalls.MAX_VECTORS);
        if (count == 1) {
            long address = address(segments[index]) + skip;
            long length = segments[index].byteSize() - skip;
            return write
                    ? LinuxCalls.pwrite(frame, fd, address, length, offset)
                    : LinuxCalls.pread(frame, fd, address, length, offset);
        }
        for (int i = 0; i < count; i++) {
            MemorySegment segment = segments[index + i];
            long from = i == 0 ? skip : 0;
            frame.vector(i, address(segment) + from, segment.byteSize() - from);
        }
        return write
                ? LinuxCalls.pwritev(frame, fd, count, offset)
                : LinuxCalls.preadv(frame, fd, count, offset);
    }

    private static long address(MemorySegment segment) {
        if (!segment.isNative()) {
            throw new IllegalArgumentException("Memory on the Java heap has no address");
        }
        return segment.address();
    }

    private StorageException shrank() {
        return new StorageException(
                StorageException.Code.IO,
                path + " has become shorter while it was in use; what was cut off is lost");
    }

    @Override
    public void flush() {
        if (flushFailed) {
            throw new StorageException(
                    StorageException.Code.IO,
                    "An earlier flush of " + path + " failed; what was written may be lost");
        }
        // Looked at first, as in transfer().
        long known = knownLength.get();
        LinuxCalls.Frame frame = frames.take();
        try {
            if (durable && LinuxCalls.fdatasync(frame, fd) != 0) {
                int errno = frame.errno();
                flushFailed = true;
                throw HostErrors.of("Cannot flush", path, errno);
            }
            if (LinuxCalls.lseek(frame, fd, 0, LinuxCalls.SEEK_END) < known) {
                throw shrank();
            }
        } finally {
            frames.give(frame);
        }
    }

    @Override
    public boolean punchHole(long offset, long length) {
        return allocate(
                LinuxCalls.FALLOC_FL_PUNCH_HOLE | LinuxCalls.FALLOC_FL_KEEP_SIZE, offset, length);
    }

    @Override
    public boolean zeroRange(long offset, long length) {
        return allocate(
                LinuxCalls.FALLOC_FL_ZERO_RANGE | LinuxCalls.FALLOC_FL_KEEP_SIZE, offset, length);
    }

    @Override
    public boolean reserve(long offset, long length) {
        boolean reserved = allocate(0, offset, length);
        if (reserved) {
            knownLength.accumulateAndGet(offset + length, Math::max);
        }
        return reserved;
    }

    private boolean allocate(int mode, long offset, long length) {
        LinuxCalls.Frame frame = frames.take();
        try {
            while (LinuxCalls.fallocate(frame, fd, mode, offset, length) != 0) {
                int errno = frame.errno();
                if (errno == LinuxCalls.EOPNOTSUPP
                        || errno == LinuxCalls.EINVAL
                        || errno == 38 /* ENOSYS */
                        || errno == 19 /* ENODEV */) {
                    return false;
                }
                if (errno != LinuxCalls.EINTR) {
                    throw HostErrors.of("Cannot change the space of", path, errno);
                }
            }
            return true;
        } finally {
            frames.give(frame);
        }
    }

    @Override
    public void setLength(long length) {
        LinuxCalls.Frame frame = frames.take();
        try {
            if (LinuxCalls.ftruncate(frame, fd, length) != 0) {
                throw HostErrors.of("Cannot change the length of", path, frame.errno());
            }
            knownLength.set(length);
        } finally {
            frames.give(frame);
        }
    }

    @Override
    public long nextData(long offset) {
        return seek(offset, LinuxCalls.SEEK_DATA, length());
    }

    @Override
    public long nextHole(long offset) {
        return seek(offset, LinuxCalls.SEEK_HOLE, length());
    }

    private long seek(long offset, int whence, long end) {
        if (offset >= end) {
            return end;
        }
        LinuxCalls.Frame frame = frames.take();
        try {
            long found = LinuxCalls.lseek(frame, fd, offset, whence);
            if (found >= 0) {
                return found;
            }
            // ENXIO: nothing more. Anything else: the file system does not tell, all is data.
            boolean none = frame.errno() == 6;
            return whence == LinuxCalls.SEEK_DATA && !none ? offset : end;
        } finally {
            frames.give(frame);
        }
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            LinuxCalls.close(frames.take(), fd);
        }
    }
}
