package org.javisor.storage;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** A disk whose changes are kept apart from the disk underneath, and dropped at the end. */
final class Overlay {
    private static final Path VAR_TMP = Path.of("/var/tmp");

    private Overlay() {}

    /**
     * A disk that begins as {@code base} and forgets its changes when it is closed. They lie in a
     * file that has no name where the host can do that, so that nothing stays behind however this
     * process ends.
     *
     * @param base only read; closed with the overlay, also when this fails
     */
    static BlockBackend temporary(BlockBackend base) {
        try {
            Path file = Files.createTempFile(directory(), "javisor-", ".qcow2");
            file.toFile().deleteOnExit();
            HostFile host = HostFile.open(file, HostFile.Mode.SCRATCH);
            try {
                QcowCreator.create(host, QcowOptions.of(base.size()));
                if (LinuxCalls.available()) {
                    Files.delete(file);
                }
                QcowHeader header = QcowHeaderReader.read(host);
                return QcowDisk.open(host, header, Optional.of(base), false);
            } catch (IOException | StorageException e) {
                host.close();
                throw e;
            }
        } catch (IOException e) {
            base.close();
            throw HostErrors.of("Cannot make a temporary disk in", directory(), e);
        } catch (StorageException e) {
            base.close();
            throw e;
        }
    }

    /** Not where files are kept in memory, if there is a choice. */
    private static Path directory() {
        return Files.isWritable(VAR_TMP) ? VAR_TMP : Path.of(System.getProperty("java.io.tmpdir"));
    }
}
