package org.javisor.storage;

/** Opens an image and what lies under it. */
final class DiskChain {
    private DiskChain() {}

    static BlockBackend open(DiskSpec spec, HostFile.Mode mode) {
        HostFile file = HostFile.open(spec.file(), mode);
        try {
            DiskFormat format = spec.format().orElseGet(() -> DiskProbe.probe(file));
            return switch (format) {
                case RAW -> new RawDisk(file, !mode.writable(), spec.format().isEmpty());
                case QCOW2 ->
                        throw new StorageException(
                                StorageException.Code.UNSUPPORTED,
                                spec.file() + " has the format qcow2");
            };
        } catch (StorageException e) {
            file.close();
            throw e;
        }
    }
}
