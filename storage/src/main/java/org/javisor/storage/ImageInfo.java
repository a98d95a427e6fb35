package org.javisor.storage;

import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * What an image says of itself.
 *
 * @param file where it lies
 * @param format its format
 * @param size of the disk, bytes
 * @param fileLength of the file, bytes
 * @param allocated bytes that the file takes on its disk, holes not counted
 * @param qcow what only qcow2 images have
 */
public record ImageInfo(
        Path file,
        DiskFormat format,
        long size,
        long fileLength,
        long allocated,
        Optional<Qcow> qcow) {

    /**
     * What only qcow2 images have.
     *
     * @param version 2 or 3
     * @param clusterSize bytes
     * @param refcountBits of each refcount
     * @param compression how compressed clusters are compressed
     * @param extendedL2 whether clusters have subclusters
     * @param lazyRefcounts whether refcounts may be out of date while others have it open
     * @param dirty whether it was not closed by somebody who kept refcounts out of date
     * @param corrupt whether it is marked as damaged
     * @param backingFile the image underneath
     * @param backingFormat its format, as the header has it
     * @param snapshots states inside the image
     */
    public record Qcow(
            int version,
            long clusterSize,
            int refcountBits,
            String compression,
            boolean extendedL2,
            boolean lazyRefcounts,
            boolean dirty,
            boolean corrupt,
            Optional<Path> backingFile,
            Optional<String> backingFormat,
            List<Snapshot> snapshots) {}

    /**
     * A state inside the image.
     *
     * @param id unique in the image
     * @param name given by whoever made it
     * @param date when it was made
     * @param diskSize bytes
     * @param machineStateSize bytes of machine state kept with it
     */
    public record Snapshot(
            String id, String name, Instant date, long diskSize, long machineStateSize) {}
}
