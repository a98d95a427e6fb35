package org.javisor.storage;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;

/**
 * An open file or block device of the host. Thread-safe; offsets and lengths are bytes. What lies
 * past the end reads as zeros, but a file that has become shorter than it was known to be is an
 * error: somebody else cut it off.
 */
interface HostFile extends AutoCloseable {

    /**
     * How a file is opened.
     *
     * @param writable whether it may be written
     * @param direct whether the host's page cache is gone round
     * @param locked whether others are kept from using it in a way that conflicts
     * @param durable whether a flush reaches the disk; otherwise a crash of the host may cost all
     */
    record Mode(boolean writable, boolean direct, boolean locked, boolean durable) {
        static final Mode READ = new Mode(false, false, true, true);
        static final Mode WRITE = new Mode(true, false, true, true);
        static final Mode SCRATCH = new Mode(true, false, true, false);
    }

    /**
     * Opens an existing file.
     *
     * @throws StorageException {@code NOT_FOUND}, {@code ACCESS}, {@code LOCKED}, {@code
     *     UNSUPPORTED}, {@code IO}
     */
    static HostFile open(Path path, Mode mode) {
        requireDisk(path);
        return LinuxCalls.available() ? LinuxFile.open(path, mode) : ChannelFile.open(path, mode);
    }

    private static void requireDisk(Path path) {
        BasicFileAttributes attributes;
        try {
            attributes = Files.readAttributes(path, BasicFileAttributes.class);
        } catch (IOException e) {
            throw HostErrors.of("Cannot open", path, e);
        }
        // Opening a pipe would wait for its other end.
        boolean other = attributes.isOther() && !isBlockDevice(path);
        if (attributes.isDirectory() || other) {
            throw new StorageException(
                    StorageException.Code.BAD_FORMAT,
                    "Cannot open " + path + ": it is neither a file nor a block device");
        }
    }

    private static boolean isBlockDevice(Path path) {
        try {
            return Files.getAttribute(path, "unix:mode") instanceof Integer mode
                    && (mode & 0xf000) == 0x6000;
        } catch (IOException | UnsupportedOperationException | IllegalArgumentException e) {
            return false;
        }
    }

    Path path();

    /** As the host says now. */
    long length();

    /** Bytes to which offsets and lengths should be aligned: 1, or more with O_DIRECT. */
    int alignment();

    void read(long offset, MemorySegment... targets);

    void write(long offset, MemorySegment... sources);

    /**
     * Brings everything written to the disk. After one failure all later calls fail: the host may
     * have dropped what it could not write, and would report success the next time.
     */
    void flush();

    /**
     * Gives space back; the range reads as zeros.
     *
     * @return false if the host cannot, and nothing has changed
     */
    boolean punchHole(long offset, long length);

    /**
     * Zeroes a range, keeping its space.
     *
     * @return false if the host cannot, and nothing has changed
     */
    boolean zeroRange(long offset, long length);

    /**
     * Reserves space for a range, so that writing it cannot run out of it.
     *
     * @return false if the host cannot, and nothing has changed
     */
    boolean reserve(long offset, long length);

    void setLength(long length);

    /**
     * Where the next data at or after {@code offset} begins; the file's length if there is none.
     */
    long nextData(long offset);

    /** Where the next hole at or after {@code offset} begins; at latest the file's length. */
    long nextHole(long offset);

    @Override
    void close();
}
