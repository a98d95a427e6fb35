package org.javisor.image;

import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * Makes the cached part of {@code tiny} from its packages: the kernel's files, and an initramfs
 * with busybox, its applets as links, device nodes and the kernel modules that a guest may need.
 */
final class TinyBuilder {

    private static final int MAX_FILE = 64 << 20;

    private final Path directory;
    private final FileSink sink;
    private final KernelModules modules = new KernelModules();
    private byte[] busybox = new byte[0];

    TinyBuilder(Path directory, FileSink sink) {
        this.directory = directory;
        this.sink = sink;
    }

    /**
     * Takes what is needed from the kernel's package.
     *
     * @throws ImageException {@code PACKAGE_MISSING} when it has no kernel
     */
    void takeKernel(Path deb, String name) {
        Map<String, String> boot =
                Map.of(
                        "boot/vmlinuz-", CachedImage.KERNEL,
                        "boot/System.map-", CachedImage.SYSTEM_MAP,
                        "boot/config-", CachedImage.CONFIG);
        List<String> taken = new ArrayList<>();
        DebPackage.visit(
                deb,
                name,
                (path, size, content) -> {
                    for (Map.Entry<String, String> wanted : boot.entrySet()) {
                        if (path.startsWith(wanted.getKey())) {
                            byte[] file = bytes(path, size, content, name);
                            write(wanted.getValue(), file);
                            taken.add(wanted.getValue());
                            if (wanted.getValue().equals(CachedImage.KERNEL)) {
                                unpackKernel(file);
                            }
                        }
                    }
                    if (KernelModules.mayNeed(path)) {
                        modules.take(path, module(path, size, content, name));
                    }
                    return true;
                });
        if (!taken.contains(CachedImage.KERNEL)) {
            throw missing(name, "kernel");
        }
    }

    private void unpackKernel(byte[] kernel) throws FileSink.WriteFailure {
        Optional<byte[]> unpacked = UnpackedKernel.of(kernel);
        if (unpacked.isPresent()) {
            write(CachedImage.UNPACKED_KERNEL, unpacked.get());
        }
    }

    /**
     * Takes busybox from its package.
     *
     * @throws ImageException {@code PACKAGE_MISSING} when it has none
     */
    void takeBusybox(Path deb, String name) {
        DebPackage.visit(
                deb,
                name,
                (path, size, content) -> {
                    if (path.equals("bin/busybox") || path.equals("usr/bin/busybox")) {
                        busybox = bytes(path, size, content, name);
                    }
                    return busybox.length == 0;
                });
        if (busybox.length == 0) {
            throw missing(name, "busybox");
        }
    }

    /** Writes the initramfs. */
    void finish() {
        try {
            write(CachedImage.INITRAMFS, initramfs());
        } catch (FileSink.WriteFailure e) {
            throw e.explain();
        } catch (IOException e) {
            throw new UncheckedIOException("An array refused bytes", e);
        }
    }

    private byte[] initramfs() throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(busybox.length + (1 << 18));
        Initramfs initramfs = new Initramfs(bytes);
        for (String path : List.of("bin", "dev", "etc", "mnt", "proc", "run", "sys", "usr")) {
            initramfs.directory(path, 0755);
        }
        initramfs.directory("root", 0700);
        initramfs.directory("tmp", 01777);
        initramfs.symbolicLink("sbin", "bin");
        initramfs.symbolicLink("usr/bin", "../bin");
        initramfs.symbolicLink("usr/sbin", "../bin");
        // Linux admin-guide/devices.txt. The rest comes from devtmpfs, but these are needed before.
        initramfs.characterDevice("dev/console", 0600, 5, 1);
        initramfs.characterDevice("dev/null", 0666, 1, 3);
        initramfs.file("bin/busybox", 0755, busybox);
        // Without a shell there would be no init to ask busybox for the others.
        Set<String> applets = new TreeSet<>(BusyboxApplets.of(busybox));
        applets.add("sh");
        for (String applet : applets) {
            initramfs.symbolicLink("bin/" + applet, "busybox");
        }
        for (Map.Entry<String, byte[]> module : modules.files().entrySet()) {
            initramfs.file(module.getKey(), 0644, module.getValue());
        }
        initramfs.finish();
        return bytes.toByteArray();
    }

    private static byte[] module(String path, long size, InputStream content, String name)
            throws IOException {
        return path.endsWith(".ko")
                ? bytes(path, size, content, name)
                : bytes(path, Compression.uncompressed(path, content), name);
    }

    private static byte[] bytes(String path, long size, InputStream content, String name)
            throws IOException {
        byte[] bytes = bytes(path, content, name);
        if (bytes.length != size) {
            throw new EOFException("ended in " + path);
        }
        return bytes;
    }

    private static byte[] bytes(String path, InputStream content, String name) throws IOException {
        byte[] bytes = content.readNBytes(MAX_FILE + 1);
        if (bytes.length > MAX_FILE) {
            throw new ImageException(
                    ImageException.Code.MALFORMED,
                    "The package "
                            + name
                            + " is of no use: "
                            + Text.printable(path)
                            + " is larger than any such file is");
        }
        return bytes;
    }

    private void write(String file, byte[] content) throws FileSink.WriteFailure {
        Path target = directory.resolve(file);
        try (OutputStream out = sink.create(target)) {
            out.write(content);
        } catch (FileSink.WriteFailure e) {
            throw e;
        } catch (IOException e) {
            throw new FileSink.WriteFailure(target, e);
        }
    }

    private static ImageException missing(String name, String what) {
        return new ImageException(
                ImageException.Code.PACKAGE_MISSING,
                "The package " + name + " holds no " + what + "; use another mirror");
    }
}
