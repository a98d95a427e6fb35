package org.javisor.image;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.javisor.filesystem.Attributes;
import org.javisor.filesystem.Ext4Options;
import org.javisor.filesystem.Ext4Writer;
import org.javisor.filesystem.FileSystemException;

/**
 * The root file system of a Debian guest as it is before its packages are configured: what dpkg
 * would have unpacked, its database, and the few files that make it a guest of this hypervisor.
 */
final class DebianDisk {
    /** Relative, in the new file system: gone once the packages are configured. */
    private static final String WORK = ".javisor/";

    /** Links that every Debian since bookworm has; packages may still come with the old paths. */
    private static final List<String> MERGED = List.of("bin", "sbin", "lib", "lib64");

    private final Path file;
    private final DebianRecipe recipe;
    private final UUID id;
    private final Instant time;

    /**
     * @param id the file system's name, by which the guest finds its root
     */
    DebianDisk(Path file, DebianRecipe recipe, UUID id, Instant time) {
        this.file = file;
        this.recipe = recipe;
        this.id = id;
        this.time = time;
    }

    /**
     * Where the guest's own apt takes packages from.
     *
     * @param archive Debian's archive; none when only this host can reach it
     * @param security its archive of security updates
     */
    record Sources(Optional<URI> archive, Optional<URI> security) {}

    /** A package and its file. */
    record Unpackable(String name, Path deb) {}

    /**
     * Writes the file system.
     *
     * @return the bytes that are used
     * @throws ImageException {@code TOO_SMALL}, {@code MALFORMED}, {@code DISK_FULL}, {@code CACHE}
     */
    long write(List<Unpackable> packages, Sources sources, ProgressListener listener) {
        Ext4Options options = Ext4Options.of(recipe.size(), "root", id, time);
        try (Ext4Writer disk = Ext4Writer.create(file, options)) {
            begin(disk);
            DpkgDatabase database = new DpkgDatabase(disk, time);
            DiskUnpacker unpacker = new DiskUnpacker(disk, file, database);
            int count = 0;
            for (Unpackable each : packages) {
                count++;
                listener.on(
                        new ProgressEvent.Step(
                                "Unpacking %d of %d: %s"
                                        .formatted(count, packages.size(), each.name())));
                unpacker.unpack(each.deb(), each.name());
            }
            database.finish(WORK + "order");
            own(disk, sources);
            long used = recipe.size() - disk.free();
            disk.finish();
            return used;
        } catch (FileSystemException e) {
            throw new ImageException(
                    ImageException.Code.TOO_SMALL,
                    "The disk cannot be made: " + e.getMessage() + "; choose another --size",
                    e);
        } catch (IOException e) {
            throw new FileSink.WriteFailure(file, e).explain();
        }
    }

    private void begin(Ext4Writer disk) throws IOException {
        for (String name : MERGED) {
            disk.directory("usr/" + name, root(0755));
            disk.symbolicLink(name, root(0777), "usr/" + name);
        }
        for (String name : List.of("dev", "proc", "sys", "run", "mnt", "etc")) {
            disk.directory(name, root(0755));
        }
        // Linux admin-guide/devices.txt. devtmpfs has the rest, but these are needed without it.
        disk.characterDevice("dev/console", root(0600), 5, 1);
        disk.characterDevice("dev/null", root(0666), 1, 3);
    }

    private void own(Ext4Writer disk, Sources sources) throws IOException {
        text(disk, "etc/hostname", "debian\n");
        text(disk, "etc/hosts", "127.0.0.1\tlocalhost\n127.0.1.1\tdebian\n::1\t\tlocalhost\n");
        text(disk, "etc/fstab", "UUID=" + id + " / ext4 errors=remount-ro 0 1\n");
        text(disk, "etc/default/locale", "LANG=C.UTF-8\n");
        text(disk, "etc/apt/sources.list.d/debian.sources", aptSources(sources));
        copy(disk, "etc/systemd/network/80-ethernet.network", "ethernet.network", 0644);
        copy(disk, "etc/profile.d/javisor-console.sh", "console.sh", 0644);
        copy(disk, "etc/modprobe.d/no-wifi.conf", "no-wifi.conf", 0644);
        copy(
                disk,
                "etc/systemd/system/serial-getty@ttyS0.service.d/autologin.conf",
                "autologin.conf",
                0644);
        copy(disk, WORK + "second-stage", "second-stage", 0755);
    }

    /** deb822 style, sources.list(5). */
    String aptSources(Sources sources) {
        StringBuilder text = new StringBuilder();
        sources.archive()
                .ifPresent(
                        uri ->
                                stanza(
                                        text,
                                        uri,
                                        recipe.suite() + " " + recipe.suite() + "-updates"));
        sources.security().ifPresent(uri -> stanza(text, uri, recipe.suite() + "-security"));
        return text.isEmpty()
                ? "# The image was built from a directory of its host's: name an archive here.\n"
                : text.toString();
    }

    private static void stanza(StringBuilder text, URI uri, String suites) {
        text.append(text.isEmpty() ? "" : "\n")
                .append("Types: deb\nURIs: ")
                .append(uri)
                .append("\nSuites: ")
                .append(suites)
                .append("\nComponents: main\n")
                .append("Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg\n");
    }

    private Attributes root(int permissions) {
        return Attributes.ofRoot(permissions, time);
    }

    private void text(Ext4Writer disk, String path, String content) throws IOException {
        disk.file(path, root(0644), content.getBytes(StandardCharsets.UTF_8));
    }

    private void copy(Ext4Writer disk, String path, String resource, int permissions)
            throws IOException {
        disk.file(path, root(permissions), resource(resource));
    }

    /** One of this program's own files for Debian guests. */
    static byte[] resource(String name) {
        try (InputStream in = DebianDisk.class.getResourceAsStream("debian/" + name)) {
            return in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException("Cannot read this program's own file " + name, e);
        }
    }
}
