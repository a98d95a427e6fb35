package org.javisor.storage;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The disks that a user keeps by name: a directory of qcow2 images. */
public final class DiskLibrary {
    private static final String SUFFIX = ".qcow2";

    private final Path directory;

    private DiskLibrary(Path directory) {
        this.directory = directory;
    }

    /** The library in that directory, which need not exist yet. */
    public static DiskLibrary at(Path directory) {
        return new DiskLibrary(directory);
    }

    /**
     * The user's library: below {@code $XDG_DATA_HOME/javisor}, else {@code ~/.local/share/javisor}
     * (XDG Base Directory Specification: a relative XDG_DATA_HOME is ignored).
     */
    public static DiskLibrary ofUser(Map<String, String> environment) {
        String data = environment.getOrDefault("XDG_DATA_HOME", "");
        Path base =
                !data.isBlank() && Path.of(data).isAbsolute()
                        ? Path.of(data)
                        : Path.of(System.getProperty("user.home"), ".local", "share");
        return at(base.resolve("javisor").resolve("disks"));
    }

    /**
     * Where a disk of this name lies or would lie.
     *
     * @throws StorageException {@code BAD_ARGUMENT} if that is no name
     */
    public Path file(String name) {
        if (!name.matches("[A-Za-z0-9][A-Za-z0-9._-]{0,63}")) {
            throw DiskSpec.wrong(
                    "'" + name + "' is not a name: letters, digits, '.', '_' and '-', at most 64");
        }
        return directory.resolve(name + SUFFIX);
    }

    /** The disk of this name, if there is one. */
    public Optional<Path> find(String name) {
        boolean named = name.matches("[A-Za-z0-9][A-Za-z0-9._-]{0,63}");
        return named ? Optional.of(file(name)).filter(Files::isRegularFile) : Optional.empty();
    }

    /** The same disk, with its file found here if it is named like one and there is none. */
    public DiskSpec resolve(DiskSpec spec) {
        return Files.exists(spec.file())
                ? spec
                : find(spec.file().toString()).map(spec::withFile).orElse(spec);
    }

    /** The names of all disks, in order. */
    public List<String> names() {
        List<String> names = new ArrayList<>();
        if (!Files.isDirectory(directory)) {
            return names;
        }
        try (DirectoryStream<Path> files = Files.newDirectoryStream(directory, "*" + SUFFIX)) {
            for (Path file : files) {
                String name = file.getFileName().toString();
                if (!name.startsWith(".")) {
                    names.add(name.substring(0, name.length() - SUFFIX.length()));
                }
            }
        } catch (IOException e) {
            throw HostErrors.of("Cannot list", directory, e);
        }
        names.sort(Comparator.naturalOrder());
        return names;
    }

    /**
     * Copies a disk into the library, whole, with all that lies under it.
     *
     * @return where it is now
     * @throws StorageException with one line for the user; the library is as it was then
     */
    public Path add(String name, DiskSpec source, boolean overwrite, Progress progress) {
        Path file = file(name);
        try {
            Files.createDirectories(directory);
        } catch (IOException e) {
            throw HostErrors.of("Cannot make", directory, e);
        }
        QcowOptions options = QcowOptions.of(512);
        DiskImages.convert(
                source, new ConvertTarget(file, Optional.of(options), false, overwrite), progress);
        return file;
    }
}
