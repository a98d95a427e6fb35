package org.javisor.image;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/**
 * The machines that a user keeps by name. Each is a directory with the files of the image it was
 * made from, as hard links where the file system can, so that the image may be replaced or removed
 * meanwhile; beside them the machine's own disk, which holds only what differs from the image's,
 * and its identity.
 */
public final class MachineStore {
    /** The machine's own disk. */
    public static final String DISK = "disk.qcow2";

    private static final String INSTANCE = "instance";
    private static final String TEMPORARY = ".tmp-";
    private static final String NAME = "[A-Za-z0-9][A-Za-z0-9._-]{0,63}";

    private final Path machines;

    private MachineStore(Path machines) {
        this.machines = machines;
    }

    /** The store in that directory, which need not exist yet. */
    public static MachineStore at(Path machines) {
        return new MachineStore(machines);
    }

    /**
     * The user's: below {@code $XDG_DATA_HOME/javisor}, else {@code ~/.local/share/javisor} (XDG
     * Base Directory Specification: a relative XDG_DATA_HOME is ignored).
     */
    public static MachineStore ofUser(Map<String, String> environment) {
        String data = environment.getOrDefault("XDG_DATA_HOME", "");
        Path base =
                !data.isBlank() && Path.of(data).isAbsolute()
                        ? Path.of(data)
                        : Path.of(System.getProperty("user.home"), ".local", "share");
        return at(base.resolve("javisor").resolve("machines"));
    }

    /**
     * A machine that is kept.
     *
     * @param name the user's name for it
     * @param image what it was made from, in the machine's own directory
     * @param instance its identity
     */
    public record Kept(String name, CachedImage image, String instance) {
        /** Its own disk. */
        public Path disk() {
            return image.directory().resolve(DISK);
        }
    }

    /** Makes a machine's disk. */
    @FunctionalInterface
    public interface DiskMaker {
        /**
         * @param disk the qcow2 image to make
         * @param base the disk underneath, in the same directory
         */
        void make(Path disk, Path base);
    }

    /** The machine of that name, if there is one. */
    public Optional<Kept> find(String name) {
        if (!name.matches(NAME)) {
            return Optional.empty();
        }
        Path directory = machines.resolve(name);
        try {
            String instance = Files.readString(directory.resolve(INSTANCE)).strip();
            return ImageStore.read(directory).map(image -> new Kept(name, image, instance));
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    /** The names of all machines, in order. */
    public List<String> names() {
        List<String> names = new ArrayList<>();
        if (!Files.isDirectory(machines)) {
            return names;
        }
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(machines)) {
            for (Path entry : entries) {
                String name = entry.getFileName().toString();
                if (find(name).isPresent()) {
                    names.add(name);
                }
            }
        } catch (IOException | java.nio.file.DirectoryIteratorException e) {
            throw failure("read", e);
        }
        names.sort(Comparator.naturalOrder());
        return names;
    }

    /**
     * Makes a machine; it appears whole or not at all.
     *
     * @param image one that has a disk
     * @throws ImageException {@code CACHE} or {@code DISK_FULL}
     */
    public Kept create(String name, CachedImage image, DiskMaker maker) {
        Path work = machines.resolve(TEMPORARY + UUID.randomUUID());
        try {
            Files.createDirectories(work);
            try (DirectoryStream<Path> files = Files.newDirectoryStream(image.directory())) {
                for (Path file : files) {
                    link(file, work.resolve(file.getFileName()));
                }
            }
            Files.writeString(work.resolve(INSTANCE), name + "-" + UUID.randomUUID() + "\n");
            maker.make(work.resolve(DISK), work.resolve(CachedImage.DISK));
            Files.move(work, machines.resolve(name), StandardCopyOption.ATOMIC_MOVE);
            return find(name).orElseThrow(() -> new IOException("it is not whole"));
        } catch (IOException e) {
            throw failure("write to", e);
        } finally {
            ImageStore.deleteQuietly(work);
        }
    }

    /** The files are never written again, so one copy serves all. */
    private static void link(Path from, Path to) throws IOException {
        try {
            Files.createLink(to, from);
        } catch (UnsupportedOperationException | IOException e) {
            Files.copy(from, to);
        }
    }

    /**
     * Removes a machine with its disk.
     *
     * @return whether it was there
     */
    public boolean remove(String name) {
        Path directory = machines.resolve(name);
        if (!name.matches(NAME) || !Files.isDirectory(directory)) {
            return false;
        }
        try {
            Path aside = machines.resolve(TEMPORARY + UUID.randomUUID());
            Files.move(directory, aside, StandardCopyOption.ATOMIC_MOVE);
            ImageStore.delete(aside);
            return true;
        } catch (IOException e) {
            throw failure("remove from", e);
        }
    }

    private ImageException failure(String what, Exception e) {
        if (e instanceof IOException io) {
            ImageException explained =
                    new FileSink.WriteFailure(machines.resolve("x"), io).explain();
            if (explained.code() == ImageException.Code.DISK_FULL) {
                return explained;
            }
        }
        return new ImageException(
                ImageException.Code.CACHE,
                "Cannot "
                        + what
                        + " the machines in "
                        + machines
                        + ": "
                        + Text.reason(e)
                        + "; check the directory's owner and permissions",
                e);
    }
}
