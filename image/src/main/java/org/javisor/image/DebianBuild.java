package org.javisor.image;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.URI;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;

/** Makes a {@link DebianRecipe} into the files of a cached image. */
final class DebianBuild {
    private static final Set<String> PRIORITIES = Set.of("required", "important");

    private static final String KERNEL = "linux-image-amd64";

    /** Besides what its priority puts into every Debian. */
    private static final List<String> USUAL =
            List.of(
                    KERNEL,
                    "systemd-sysv",
                    "udev",
                    "dbus",
                    "libpam-systemd",
                    "systemd-resolved",
                    "ca-certificates",
                    "openssh-server",
                    "sudo");

    /** The network is systemd-networkd's; a second that configures it would be one too many. */
    private static final Set<String> EXCLUDED =
            Set.of("ifupdown", "dhcpcd-base", "isc-dhcp-client", "isc-dhcp-common");

    private final DebianRecipe recipe;
    private final PullSettings settings;
    private final GuestLauncher launcher;
    private final ProgressListener listener;
    private final FileSink sink;
    private final Path images;

    DebianBuild(
            DebianRecipe recipe,
            PullSettings settings,
            GuestLauncher launcher,
            ProgressListener listener,
            FileSink sink,
            Path images) {
        this.recipe = recipe;
        this.settings = settings;
        this.launcher = launcher;
        this.listener = listener;
        this.sink = sink;
        this.images = images;
    }

    /**
     * Makes the image's files.
     *
     * @param image an empty directory for them
     * @param scratch a directory for what is not kept
     * @throws ImageException when that fails
     */
    void make(Path image, Path scratch) throws IOException {
        Mirror mirror = Mirror.find(settings.mirror(), settings.environment(), settings.apt());
        ArchiveKeyring keyring = ArchiveKeyring.find(settings.keyring(), settings.environment());
        Download download = download(mirror, listener);
        DebianArchive archive = new DebianArchive(download, keyring, settings.clock(), listener);
        DebianArchive.SignedRelease signed = archive.release(recipe.suite());
        PackageUniverse universe =
                universe(archive.index(recipe.suite(), signed.release(), scratch));
        listener.on(new ProgressEvent.Step("Choosing packages"));
        List<DebianPackage> chosen = Resolution.of(universe, wanted(universe), EXCLUDED);
        List<PackageRecord> records =
                new ArrayList<>(chosen.stream().map(DebianPackage::record).toList());
        PackageRecord busybox = busybox(universe);
        List<PackageRecord> fetched = new ArrayList<>(new LinkedHashSet<>(records));
        fetched.add(busybox);
        PackageCache cache =
                new PackageCache(
                        images.resolve(ImageStore.PACKAGES),
                        download(mirror, ProgressListener.silent()),
                        listener);
        cache.fetch(fetched);

        TinyBuilder boot = new TinyBuilder(image, sink);
        listener.on(new ProgressEvent.Step("Unpacking the kernel"));
        PackageRecord kernel = kernel(records);
        boot.takeKernel(cache.file(kernel), kernel.name());
        boot.takeBusybox(cache.file(busybox), busybox.name());
        boot.finish();
        UUID root = UUID.randomUUID();
        Instant now = settings.clock().instant().truncatedTo(ChronoUnit.SECONDS);
        Path disk = image.resolve(CachedImage.DISK);
        List<DebianDisk.Unpackable> packages =
                records.stream()
                        .map(r -> new DebianDisk.Unpackable(r.name(), cache.file(r)))
                        .toList();
        long used =
                new DebianDisk(disk, recipe, root, now).write(packages, sources(mirror), listener);
        CachedImage made = new CachedImage(image, manifest(mirror, signed, now, records));
        Path log = images.resolve(ImageStore.BUILD_LOG);
        new SecondStage(launcher, log, listener, records.size())
                .run(made.bootKernel(), made.initramfs(), disk, root);
        try (FileChannel channel = FileChannel.open(disk, StandardOpenOption.WRITE)) {
            channel.force(true);
        }
        write(image.resolve(DiskFacts.FILE_NAME), new DiskFacts(recipe, root, used).text());
        write(image.resolve(Manifest.FILE_NAME), made.manifest().text());
    }

    private Download download(Mirror mirror, ProgressListener hears) {
        return new Download(
                Transport.of(mirror, settings.environment()),
                mirror.base().toString(),
                sink,
                hears,
                settings.retryPause());
    }

    private PackageUniverse universe(Path index) throws IOException {
        listener.on(new ProgressEvent.Step("Reading the package list"));
        try (InputStream file = Files.newInputStream(index);
                InputStream in = Compression.uncompressed(index.getFileName().toString(), file)) {
            return PackageUniverse.read(in);
        }
    }

    private Set<String> wanted(PackageUniverse universe) {
        Set<String> wanted = new LinkedHashSet<>();
        universe.all().stream()
                .filter(p -> p.essential() || PRIORITIES.contains(p.priority()))
                .map(DebianPackage::name)
                .filter(name -> !EXCLUDED.contains(name))
                .sorted()
                .forEach(wanted::add);
        wanted.addAll(USUAL);
        wanted.addAll(recipe.packages());
        return wanted;
    }

    private PackageRecord busybox(PackageUniverse universe) {
        return universe.named(ImageDefinition.BUSYBOX_PACKAGE)
                .map(DebianPackage::record)
                .orElseThrow(() -> missing(ImageDefinition.BUSYBOX_PACKAGE));
    }

    /** The metapackage's name says nothing of the version; the kernel's own begins with a digit. */
    private PackageRecord kernel(List<PackageRecord> records) {
        return records.stream()
                .filter(record -> record.name().matches("linux-image-[0-9].*"))
                .findFirst()
                .orElseThrow(() -> missing("linux-image"));
    }

    private ImageException missing(String name) {
        return new ImageException(
                ImageException.Code.PACKAGE_MISSING,
                "Debian " + recipe.suite() + " has no package " + name + "; use another mirror");
    }

    /** The guest cannot reach a directory of this host, but perhaps what the host's apt uses. */
    private DebianDisk.Sources sources(Mirror mirror) {
        Optional<URI> archive =
                mirror.isDirectory()
                        ? AptSources.debianMirror(settings.apt())
                                .filter(uri -> uri.getScheme().startsWith("http"))
                        : Optional.of(mirror.base());
        Optional<URI> security =
                AptSources.sources(settings.apt()).stream()
                        .filter(AptSources.Source::isDebianSecurity)
                        .map(AptSources.Source::uri)
                        .findFirst();
        return new DebianDisk.Sources(archive, security);
    }

    private Manifest manifest(
            Mirror mirror,
            DebianArchive.SignedRelease signed,
            Instant now,
            List<PackageRecord> records) {
        return new Manifest(
                recipe.name(),
                recipe.suite(),
                mirror.base().toString(),
                signed.release().date(),
                signed.signer(),
                now,
                records);
    }

    private void write(Path file, String text) throws IOException {
        try (OutputStream out = sink.create(file)) {
            out.write(text.getBytes(StandardCharsets.UTF_8));
        } catch (FileSink.WriteFailure e) {
            throw e.explain();
        }
    }
}
