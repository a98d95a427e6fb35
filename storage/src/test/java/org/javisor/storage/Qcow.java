package org.javisor.storage;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Makes and checks qcow2 images for tests. */
final class Qcow {
    private Qcow() {}

    static void create(Path file, QcowOptions options) throws IOException {
        Files.deleteIfExists(file);
        Files.createFile(file);
        try (HostFile host = HostFile.open(file, HostFile.Mode.WRITE)) {
            QcowCreator.create(host, options);
        }
    }

    /** What our own check has to say; nothing if all is well. */
    static List<String> check(Path file) {
        try (HostFile host = HostFile.open(file, HostFile.Mode.READ)) {
            return QcowCheck.run(host, QcowHeaderReader.read(host), QcowCheck.Repair.NOTHING)
                    .messages();
        }
    }
}
