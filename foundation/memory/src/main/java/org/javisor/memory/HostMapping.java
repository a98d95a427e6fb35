package org.javisor.memory;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * A page-aligned range of the host's address space outside the Java heap, reserved but not touched:
 * pages the guest never uses cost nothing. On Linux an anonymous private mapping; elsewhere a
 * sparse temporary file.
 */
public final class HostMapping implements AutoCloseable {
    private final long address;
    private final long size;
    private final Runnable release;
    private boolean closed;

    private HostMapping(long address, long size, Runnable release) {
        this.address = address;
        this.size = size;
        this.release = release;
    }

    /**
     * Reserves {@code size} bytes, zero on first read.
     *
     * @throws OutOfHostMemoryException if the host refuses
     */
    public static HostMapping reserve(long size) {
        if (size <= 0 || (size & 0xfff) != 0) {
            throw new IllegalArgumentException("Size must be a positive multiple of 4096: " + size);
        }
        if (LinuxMmap.available()) {
            long address = LinuxMmap.reserve(size);
            return new HostMapping(address, size, () -> LinuxMmap.release(address, size));
        }
        return reserveInFile(size);
    }

    private static HostMapping reserveInFile(long size) {
        Arena arena = Arena.ofShared();
        try {
            Path file = Files.createTempFile("javisor", ".ram");
            try (FileChannel channel =
                    FileChannel.open(
                            file,
                            StandardOpenOption.READ,
                            StandardOpenOption.WRITE,
                            StandardOpenOption.SPARSE,
                            StandardOpenOption.DELETE_ON_CLOSE)) {
                MemorySegment segment = channel.map(FileChannel.MapMode.READ_WRITE, 0, size, arena);
                return new HostMapping(segment.address(), size, arena::close);
            }
        } catch (IOException | OutOfMemoryError e) {
            arena.close();
            throw new OutOfHostMemoryException(size, e);
        }
    }

    /** Gives the host the memory behind some pages back. Returns whether it took it. */
    static boolean discard(long address, long length) {
        return LinuxMmap.available() && LinuxMmap.discard(address, length);
    }

    public long address() {
        return address;
    }

    public long size() {
        return size;
    }

    /** Gives the range back. Any raw address into it is invalid from here on. */
    @Override
    public synchronized void close() {
        if (!closed) {
            closed = true;
            release.run();
        }
    }
}
