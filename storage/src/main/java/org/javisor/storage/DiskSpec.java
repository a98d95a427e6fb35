package org.javisor.storage;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * One disk as the user names it: {@code FILE[,KEY=VALUE…]}. A comma in the file's name is written
 * twice.
 *
 * @param file the image
 * @param format its format; empty to find out from its contents
 * @param readOnly whether the guest may not write
 * @param ephemeral whether the guest's writes go to a file of their own and are dropped at the end
 * @param snapshot the snapshot inside a qcow2 image to read instead of its present state
 * @param cache what the host may keep in memory
 * @param discard whether what the guest discards is given back to the host
 * @param fullDisk what becomes of a write when the host's disk is full
 * @param locking whether the file is locked against other users
 * @param serial what the guest sees as the serial number, at most 20 printable ASCII characters
 * @param bytesPerSecond limit of the guest's reads and writes together, 0 for none
 * @param operationsPerSecond limit of the guest's requests, 0 for none
 * @param queues the device's queues; 0 for one for each processor
 */
public record DiskSpec(
        Path file,
        Optional<DiskFormat> format,
        boolean readOnly,
        boolean ephemeral,
        Optional<String> snapshot,
        CacheMode cache,
        boolean discard,
        FullDiskPolicy fullDisk,
        boolean locking,
        Optional<String> serial,
        long bytesPerSecond,
        long operationsPerSecond,
        int queues) {

    private static final int MAX_SERIAL = 20; // VIRTIO_BLK_ID_BYTES
    private static final int MAX_QUEUES = 256;

    /** A disk with the defaults. */
    public static DiskSpec of(Path file) {
        return new DiskSpec(
                file,
                Optional.empty(),
                false,
                false,
                Optional.empty(),
                CacheMode.WRITEBACK,
                true,
                FullDiskPolicy.STOP,
                true,
                Optional.empty(),
                0,
                0,
                0);
    }

    /** The same in another file. */
    public DiskSpec withFile(Path newFile) {
        return new Fields(this).file(newFile).spec();
    }

    /** The same with a format. */
    public DiskSpec withFormat(DiskFormat newFormat) {
        return new Fields(this).format(Optional.of(newFormat)).spec();
    }

    /** The same with writes refused or not. */
    public DiskSpec withReadOnly(boolean newReadOnly) {
        return new Fields(this).readOnly(newReadOnly).spec();
    }

    /** The same with the guest's writes dropped or not. */
    public DiskSpec withEphemeral(boolean newEphemeral) {
        return new Fields(this).ephemeral(newEphemeral).spec();
    }

    /** The same, reading a snapshot inside the image; such a disk is read-only or ephemeral. */
    public DiskSpec withSnapshot(String name) {
        return new Fields(this).snapshot(name).spec();
    }

    /** The same with another answer to a full host disk. */
    public DiskSpec withFullDisk(FullDiskPolicy newPolicy) {
        return new Fields(this).fullDisk(newPolicy).spec();
    }

    /** The same with another cache mode. */
    public DiskSpec withCache(CacheMode newCache) {
        return new Fields(this).cache(newCache).spec();
    }

    /**
     * Reads what the user wrote.
     *
     * @throws StorageException {@code BAD_ARGUMENT} with a line that names the wrong word
     */
    public static DiskSpec parse(String text) {
        List<String> words = DiskSpecParser.split(text);
        if (words.getFirst().isEmpty()) {
            throw wrong("'" + text + "' names no file");
        }
        Fields fields = new Fields(of(DiskSpecParser.path(words.getFirst())));
        for (String word : words.subList(1, words.size())) {
            DiskSpecParser.apply(fields, word);
        }
        DiskSpec spec = fields.spec();
        if (spec.snapshot().isPresent() && !spec.readOnly() && !spec.ephemeral()) {
            throw wrong("A snapshot can only be read; add 'readonly' or 'ephemeral'");
        }
        if (spec.readOnly() && spec.ephemeral()) {
            throw wrong("A disk is 'readonly' or 'ephemeral', not both");
        }
        return spec;
    }

    static StorageException wrong(String message) {
        return new StorageException(StorageException.Code.BAD_ARGUMENT, message);
    }

    /** The same record while it is put together. */
    static final class Fields {
        private Path file;
        private Optional<DiskFormat> format;
        private boolean readOnly;
        private boolean ephemeral;
        private Optional<String> snapshot;
        private CacheMode cache;
        private boolean discard;
        private FullDiskPolicy fullDisk;
        private boolean locking;
        private Optional<String> serial;
        private long bytesPerSecond;
        private long operationsPerSecond;
        private int queues;

        Fields(DiskSpec spec) {
            file = spec.file();
            format = spec.format();
            readOnly = spec.readOnly();
            ephemeral = spec.ephemeral();
            snapshot = spec.snapshot();
            cache = spec.cache();
            discard = spec.discard();
            fullDisk = spec.fullDisk();
            locking = spec.locking();
            serial = spec.serial();
            bytesPerSecond = spec.bytesPerSecond();
            operationsPerSecond = spec.operationsPerSecond();
            queues = spec.queues();
        }

        Fields file(Path value) {
            file = value;
            return this;
        }

        Fields format(Optional<DiskFormat> value) {
            format = value;
            return this;
        }

        Fields readOnly(boolean value) {
            readOnly = value;
            return this;
        }

        Fields ephemeral(boolean value) {
            ephemeral = value;
            return this;
        }

        Fields snapshot(String value) {
            snapshot = Optional.of(value);
            return this;
        }

        Fields cache(CacheMode value) {
            cache = value;
            return this;
        }

        Fields discard(boolean value) {
            discard = value;
            return this;
        }

        Fields fullDisk(FullDiskPolicy value) {
            fullDisk = value;
            return this;
        }

        Fields locking(boolean value) {
            locking = value;
            return this;
        }

        Fields serial(String value) {
            boolean printable = value.chars().allMatch(c -> c >= 0x20 && c < 0x7f);
            if (!printable || value.getBytes(StandardCharsets.UTF_8).length > MAX_SERIAL) {
                throw wrong(
                        "The serial number '"
                                + value
                                + "' is not at most 20 printable ASCII characters");
            }
            serial = Optional.of(value);
            return this;
        }

        Fields bytesPerSecond(long value) {
            bytesPerSecond = value;
            return this;
        }

        Fields operationsPerSecond(long value) {
            operationsPerSecond = value;
            return this;
        }

        Fields queues(long value) {
            if (value < 1 || value > MAX_QUEUES) {
                throw wrong("A disk has 1 to 256 queues, not " + value);
            }
            queues = (int) value;
            return this;
        }

        DiskSpec spec() {
            return new DiskSpec(
                    file,
                    format,
                    readOnly,
                    ephemeral,
                    snapshot,
                    cache,
                    discard,
                    fullDisk,
                    locking,
                    serial,
                    bytesPerSecond,
                    operationsPerSecond,
                    queues);
        }
    }
}
