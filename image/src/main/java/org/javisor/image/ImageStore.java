package org.javisor.image;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/**
 * The user's cache of guest images. Each image is a directory that appears whole or not at all: it
 * is built under a temporary name, put on the disk and renamed. One pull runs at a time; others
 * wait and then find its result. What an interrupted pull left behind is removed by the next.
 */
public final class ImageStore {

    private static final String TEMPORARY = ".tmp-";
    private static final String LOCK = ".lock";
    private static final String NAME = "[a-z0-9][a-z0-9._:-]*";

    /** Fetched packages of builds, beside the images. */
    static final String PACKAGES = ".packages";

    /** What the guest said in the last build that failed. */
    static final String BUILD_LOG = ".build.log";

    private final Path images;
    private final FileSink sink;

    ImageStore(Path root, FileSink sink) {
        this.images = root.resolve("images");
        this.sink = sink;
    }

    /** The store below that directory, which need not exist yet. */
    public static ImageStore at(Path root) {
        return new ImageStore(root, FileSink.disk());
    }

    /**
     * The user's store: {@code $XDG_CACHE_HOME/javisor}, else {@code ~/.cache/javisor} (XDG Base
     * Directory Specification: a relative XDG_CACHE_HOME is ignored).
     */
    public static ImageStore ofUser(Map<String, String> environment) {
        String cache = environment.getOrDefault("XDG_CACHE_HOME", "");
        Path base =
                !cache.isBlank() && Path.of(cache).isAbsolute()
                        ? Path.of(cache)
                        : Path.of(System.getProperty("user.home"), ".cache");
        return at(base.resolve("javisor"));
    }

    /** Where the images are. */
    public Path directory() {
        return images;
    }

    /** The images in the cache, by name. */
    public List<CachedImage> list() {
        if (!Files.isDirectory(images)) {
            return List.of();
        }
        List<CachedImage> found = new ArrayList<>();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(images)) {
            for (Path entry : entries) {
                if (!entry.getFileName().toString().startsWith(".")) {
                    read(entry).ifPresent(found::add);
                }
            }
        } catch (IOException | java.nio.file.DirectoryIteratorException e) {
            throw cacheFailure("read", e);
        }
        found.sort(Comparator.comparing(CachedImage::name));
        return found;
    }

    /** The image from the cache, if it is there. */
    public Optional<CachedImage> find(ImageDefinition definition) {
        return read(images.resolve(definition.directoryName()));
    }

    /** The image of that name from the cache, if it is there, whatever it is. */
    public Optional<CachedImage> find(String name) {
        return name.matches(NAME) ? read(images.resolve(name.replace(':', '@'))) : Optional.empty();
    }

    /**
     * Builds a Debian system, also when one of that name is in the cache, which it then replaces.
     *
     * @param launcher runs the guest in which the packages are configured
     * @throws ImageException when it cannot be built; the images are then as they were before, and
     *     the packages that were fetched are kept for the next attempt
     */
    public CachedImage build(
            DebianRecipe recipe,
            PullSettings settings,
            GuestLauncher launcher,
            ProgressListener listener) {
        return build(recipe, settings, launcher, listener, true);
    }

    /**
     * As {@link #build}, unless an image of that name is there, or is when another process's build
     * has been waited for.
     */
    public CachedImage obtain(
            DebianRecipe recipe,
            PullSettings settings,
            GuestLauncher launcher,
            ProgressListener listener) {
        return build(recipe, settings, launcher, listener, false);
    }

    private CachedImage build(
            DebianRecipe recipe,
            PullSettings settings,
            GuestLauncher launcher,
            ProgressListener listener,
            boolean again) {
        try {
            Files.createDirectories(images);
        } catch (IOException e) {
            throw cacheFailure("create", e);
        }
        try (StoreLock lock = StoreLock.take(images.resolve(LOCK), listener)) {
            removeStale();
            Optional<CachedImage> there = find(recipe.name());
            if (!again && there.flatMap(CachedImage::disk).isPresent()) {
                return there.get();
            }
            Path work = temporary();
            try {
                Files.createDirectory(work);
                Path image = Files.createDirectory(work.resolve("image"));
                new DebianBuild(recipe, settings, launcher, listener, sink, images)
                        .make(image, work);
                return publish(recipe.directoryName(), image);
            } catch (IOException e) {
                throw cacheFailure("write to", e);
            } finally {
                deleteQuietly(work);
            }
        }
    }

    /**
     * The image, from the cache if it is there, else pulled.
     *
     * @throws ImageException when it is not in the cache and cannot be pulled
     */
    public CachedImage obtain(
            ImageDefinition definition, PullSettings settings, ProgressListener listener) {
        Optional<CachedImage> cached = find(definition);
        return cached.isPresent() ? cached.get() : pull(definition, settings, listener, false);
    }

    /**
     * Pulls the image, also when it is in the cache; an image that is still what the mirror offers
     * is left as it is.
     *
     * @throws ImageException when it cannot be pulled; the cache is then as it was before
     */
    public CachedImage pull(
            ImageDefinition definition, PullSettings settings, ProgressListener listener) {
        return pull(definition, settings, listener, true);
    }

    /**
     * Removes the image from the cache, waiting for a pull to end.
     *
     * @return whether it was there
     */
    public boolean remove(ImageDefinition definition, ProgressListener listener) {
        return remove(definition.name(), listener);
    }

    /** As {@link #remove(ImageDefinition, ProgressListener)}, whatever the image is. */
    public boolean remove(String name, ProgressListener listener) {
        Path directory = images.resolve(name.replace(':', '@'));
        if (!name.matches(NAME) || !Files.isDirectory(directory)) {
            return false;
        }
        try (StoreLock lock = StoreLock.take(images.resolve(LOCK), listener)) {
            removeStale();
            Path aside = temporary();
            Files.move(directory, aside, StandardCopyOption.ATOMIC_MOVE);
            delete(aside);
            return true;
        } catch (java.nio.file.NoSuchFileException e) {
            return false;
        } catch (IOException e) {
            throw cacheFailure("remove from", e);
        }
    }

    private CachedImage pull(
            ImageDefinition definition,
            PullSettings settings,
            ProgressListener listener,
            boolean refresh) {
        try {
            Files.createDirectories(images);
        } catch (IOException e) {
            throw cacheFailure("create", e);
        }
        try (StoreLock lock = StoreLock.take(images.resolve(LOCK), listener)) {
            removeStale();
            Optional<CachedImage> cached = find(definition);
            if (cached.isPresent() && !refresh) {
                return cached.get();
            }
            Path work = temporary();
            try {
                Files.createDirectory(work);
                return make(definition, settings, listener, work, cached);
            } catch (IOException e) {
                throw cacheFailure("write to", e);
            } finally {
                deleteQuietly(work);
            }
        }
    }

    private CachedImage make(
            ImageDefinition definition,
            PullSettings settings,
            ProgressListener listener,
            Path work,
            Optional<CachedImage> cached)
            throws IOException {
        Mirror mirror = Mirror.find(settings.mirror(), settings.environment(), settings.apt());
        ArchiveKeyring keyring = ArchiveKeyring.find(settings.keyring(), settings.environment());
        Download download =
                new Download(
                        Transport.of(mirror, settings.environment()),
                        mirror.base().toString(),
                        sink,
                        listener,
                        settings.retryPause());
        DebianArchive archive = new DebianArchive(download, keyring, settings.clock(), listener);
        DebianArchive.SignedRelease signed = archive.release(definition.suite());
        List<PackageRecord> packages = archive.resolve(definition, signed.release(), work);
        if (cached.isPresent() && cached.get().manifest().madeOf(packages)) {
            listener.on(new ProgressEvent.Step(definition.name() + " is up to date"));
            return cached.get();
        }
        Path image = Files.createDirectory(work.resolve("image"));
        TinyBuilder builder = new TinyBuilder(image, sink);
        for (PackageRecord record : packages) {
            Path deb = archive.fetch(record, work);
            listener.on(new ProgressEvent.Step("Unpacking " + record.name()));
            if (record.name().equals(ImageDefinition.BUSYBOX_PACKAGE)) {
                builder.takeBusybox(deb, record.name());
            } else {
                builder.takeKernel(deb, record.name());
            }
            Files.delete(deb);
        }
        builder.finish();
        Manifest manifest =
                new Manifest(
                        definition.name(),
                        definition.suite(),
                        mirror.base().toString(),
                        signed.release().date(),
                        signed.signer(),
                        settings.clock().instant().truncatedTo(ChronoUnit.SECONDS),
                        packages);
        try (OutputStream out = sink.create(image.resolve(Manifest.FILE_NAME))) {
            out.write(manifest.text().getBytes(StandardCharsets.UTF_8));
        } catch (FileSink.WriteFailure e) {
            throw e.explain();
        }
        return publish(definition.directoryName(), image);
    }

    private CachedImage publish(String name, Path image) throws IOException {
        sync(image);
        Path target = images.resolve(name);
        if (Files.exists(target)) {
            Path aside = temporary();
            Files.move(target, aside, StandardCopyOption.ATOMIC_MOVE);
            deleteQuietly(aside);
        }
        Files.move(image, target, StandardCopyOption.ATOMIC_MOVE);
        sync(images);
        // As it will be read: what is not recorded must not show today only.
        return read(target)
                .orElseThrow(() -> new IOException("the image just written is not whole"));
    }

    /** The image in a directory, if a whole one is there. */
    static Optional<CachedImage> read(Path directory) {
        Path file = directory.resolve(Manifest.FILE_NAME);
        try {
            CachedImage image =
                    new CachedImage(
                            directory,
                            Manifest.parse(Files.readString(file, StandardCharsets.UTF_8)));
            boolean complete =
                    Files.isRegularFile(image.kernel()) && Files.isRegularFile(image.initramfs());
            return complete ? Optional.of(image) : Optional.empty();
        } catch (IOException | IllegalArgumentException e) {
            // Not an image, or one of a format that this version does not know: pulled anew.
            return Optional.empty();
        }
    }

    /** Temporary directories belong to the holder of the lock, so any that exist now are stale. */
    private void removeStale() {
        try (DirectoryStream<Path> stale = Files.newDirectoryStream(images, TEMPORARY + "*")) {
            stale.forEach(ImageStore::deleteQuietly);
        } catch (IOException | java.nio.file.DirectoryIteratorException e) {
            throw cacheFailure("clean", e);
        }
    }

    private Path temporary() {
        return images.resolve(TEMPORARY + UUID.randomUUID());
    }

    private static void sync(Path directory) {
        try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
            channel.force(true);
        } catch (IOException e) {
            // Not every system lets a directory be opened; the rename is then as safe as it gets.
        }
    }

    static void deleteQuietly(Path directory) {
        try {
            delete(directory);
        } catch (IOException e) {
            // What remains has a temporary name, and the next pull tries again.
        }
    }

    static void delete(Path directory) throws IOException {
        if (!Files.exists(directory)) {
            return;
        }
        Files.walkFileTree(
                directory,
                new SimpleFileVisitor<>() {
                    @Override
                    public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
                            throws IOException {
                        Files.delete(file);
                        return FileVisitResult.CONTINUE;
                    }

                    @Override
                    public FileVisitResult postVisitDirectory(Path visited, IOException failure)
                            throws IOException {
                        Files.delete(visited);
                        return FileVisitResult.CONTINUE;
                    }
                });
    }

    private ImageException cacheFailure(String what, Exception e) {
        if (e instanceof IOException io) {
            ImageException explained = new FileSink.WriteFailure(images.resolve("x"), io).explain();
            if (explained.code() == ImageException.Code.DISK_FULL) {
                return explained;
            }
        }
        return new ImageException(
                ImageException.Code.CACHE,
                "Cannot "
                        + what
                        + " the image cache "
                        + images
                        + ": "
                        + Text.reason(e)
                        + "; check the directory's owner and permissions",
                e);
    }
}
