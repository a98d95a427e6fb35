package org.javisor.storage;

/** Opens disks. */
public final class Disks {
    private Disks() {}

    /**
     * Opens a disk with everything under it and locks its files.
     *
     * @param spec what the user wants
     * @param handler asked when the host's disk is full and the spec says {@link
     *     FullDiskPolicy#STOP}
     * @throws StorageException with one line for the user; nothing stays open or locked
     */
    public static BlockBackend open(DiskSpec spec, FullDiskHandler handler) {
        boolean writable = !spec.readOnly() && !spec.ephemeral();
        HostFile.Mode mode =
                new HostFile.Mode(
                        writable,
                        spec.cache().direct(),
                        spec.locking(),
                        !spec.cache().ignoreFlush());
        BlockBackend disk = DiskChain.open(spec, mode);
        if (spec.ephemeral()) {
            disk = Overlay.temporary(disk);
        }
        return new PolicyDisk(disk, spec, handler);
    }
}
