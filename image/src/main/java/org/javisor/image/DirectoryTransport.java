package org.javisor.image;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;

/** A mirror on a file system of this host. */
final class DirectoryTransport implements Transport {

    private final Path root;

    DirectoryTransport(Path root) {
        this.root = root;
    }

    @Override
    public InputStream open(String path) throws IOException {
        Path file = root.resolve(path).normalize();
        if (!file.startsWith(root.normalize())) {
            throw new Refused("path leads out of the mirror: " + Text.printable(path));
        }
        if (!Files.isDirectory(root)) {
            throw new Refused(root + " is not a directory");
        }
        if (!Files.isRegularFile(file)) {
            throw new NoSuchFileOnMirror("no file " + file);
        }
        return Files.newInputStream(file);
    }
}
