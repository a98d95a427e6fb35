package org.javisor.image;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.Set;

/**
 * Writes an initial RAM file system: a cpio archive in the "newc" format (Linux
 * Documentation/driver-api/early-userspace/buffer-format). Device nodes are only described, so
 * nobody needs to be root. Everything belongs to root, modification times are zero, inode numbers
 * count up: the same content gives the same bytes.
 *
 * <p>Parent directories that were not written before are written on the way, with mode 0755. The
 * archive's length is a multiple of 512, so archives can be put one after the other; the kernel
 * unpacks later ones over earlier ones.
 */
public final class Initramfs {

    private static final int TYPE_DIRECTORY = 0040000;
    private static final int TYPE_CHARACTER_DEVICE = 0020000;
    private static final int TYPE_FILE = 0100000;
    private static final int TYPE_SYMBOLIC_LINK = 0120000;
    private static final int BLOCK = 512;

    private final OutputStream out;
    private final Set<String> directories = new HashSet<>();
    private long written;
    private int inode = 1;

    /** An archive written to a stream, which the caller closes. */
    public Initramfs(OutputStream out) {
        this.out = out;
    }

    /**
     * A directory; nothing happens when it was written before.
     *
     * @param path relative or absolute, with slashes
     * @param permissions such as 0755
     */
    public void directory(String path, int permissions) throws IOException {
        String name = normal(path);
        if (!name.isEmpty() && directories.add(name)) {
            parents(name);
            entry(name, TYPE_DIRECTORY | permissions, 2, 0, 0, new byte[0]);
        }
    }

    /** A regular file. */
    public void file(String path, int permissions, byte[] content) throws IOException {
        String name = normal(path);
        parents(name);
        entry(name, TYPE_FILE | permissions, 1, 0, 0, content);
    }

    /** A symbolic link with that target. */
    public void symbolicLink(String path, String target) throws IOException {
        String name = normal(path);
        parents(name);
        byte[] content = target.getBytes(StandardCharsets.UTF_8);
        entry(name, TYPE_SYMBOLIC_LINK | 0777, 1, 0, 0, content);
    }

    /** A character device node with its major and minor number. */
    public void characterDevice(String path, int permissions, int major, int minor)
            throws IOException {
        String name = normal(path);
        parents(name);
        entry(name, TYPE_CHARACTER_DEVICE | permissions, 1, major, minor, new byte[0]);
    }

    /** Writes the archive's end. Nothing may follow. */
    public void finish() throws IOException {
        inode = 0;
        entry("TRAILER!!!", 0, 1, 0, 0, new byte[0]);
        pad(BLOCK);
    }

    private void parents(String name) throws IOException {
        int slash = name.lastIndexOf('/');
        if (slash > 0) {
            directory(name.substring(0, slash), 0755);
        }
    }

    private static String normal(String path) {
        String name = path.startsWith("/") ? path.substring(1) : path;
        for (String part : name.split("/")) {
            if (part.equals("..") || part.equals(".") || part.indexOf('\0') >= 0) {
                throw new IllegalArgumentException("Not a path for an archive: " + path);
            }
        }
        return name.endsWith("/") ? name.substring(0, name.length() - 1) : name;
    }

    private void entry(String name, int mode, int links, int major, int minor, byte[] content)
            throws IOException {
        byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
        StringBuilder header = new StringBuilder(110).append("070701");
        int[] fields = {
            inode, mode, 0, 0, links, 0, content.length, 0, 0, major, minor, bytes.length + 1, 0
        };
        for (int field : fields) {
            hex(header, field);
        }
        inode++;
        write(header.toString().getBytes(StandardCharsets.US_ASCII));
        write(bytes);
        write(new byte[1]);
        pad(4);
        write(content);
        pad(4);
    }

    private static void hex(StringBuilder to, int value) {
        for (int shift = 28; shift >= 0; shift -= 4) {
            to.append(Character.forDigit(value >>> shift & 15, 16));
        }
    }

    private void pad(int alignment) throws IOException {
        write(new byte[(int) (-written & (alignment - 1))]);
    }

    private void write(byte[] bytes) throws IOException {
        out.write(bytes);
        written += bytes.length;
    }
}
