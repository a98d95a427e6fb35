package org.javisor.image;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.util.HexFormat;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.javisor.filesystem.Attributes;
import org.javisor.filesystem.Ext4Writer;
import org.javisor.filesystem.FileSystemException;

/** Unpacks packages into a file system, and tells dpkg's database of them. */
final class DiskUnpacker {
    private final Ext4Writer disk;
    private final Path file;
    private final DpkgDatabase database;

    /**
     * @param file the file that the file system lies in, for messages
     */
    DiskUnpacker(Ext4Writer disk, Path file, DpkgDatabase database) {
        this.disk = disk;
        this.file = file;
        this.database = database;
    }

    /**
     * Unpacks a package.
     *
     * @throws ImageException {@code MALFORMED}, {@code TRUNCATED}, {@code DISK_FULL}, {@code
     *     CACHE}, {@code TOO_SMALL}
     */
    void unpack(Path deb, String name) {
        DpkgDatabase.Entry entry = new DpkgDatabase.Entry();
        try {
            DebPackage.visitAll(deb, name, new Visitor(entry));
            if (!entry.control.containsKey("control")) {
                throw new ImageException(
                        ImageException.Code.MALFORMED,
                        "The package " + name + " is of no use: it does not say what it is");
            }
            database.add(entry);
        } catch (FileSystemException e) {
            throw explain(e, name);
        } catch (IOException e) {
            throw new FileSink.WriteFailure(file, e).explain();
        }
    }

    private static ImageException explain(FileSystemException e, String name) {
        return switch (e.code()) {
            case FULL, SIZE ->
                    new ImageException(
                            ImageException.Code.TOO_SMALL,
                            "The disk is too small for the packages (at "
                                    + name
                                    + "); ask for a larger one with --size",
                            e);
            case PATH, CONTENT ->
                    new ImageException(
                            ImageException.Code.MALFORMED,
                            "The package " + name + " is of no use: " + e.getMessage(),
                            e);
        };
    }

    private final class Visitor implements DebPackage.ContentVisitor {
        private final DpkgDatabase.Entry entry;

        Visitor(DpkgDatabase.Entry entry) {
            this.entry = entry;
        }

        @Override
        public void control(String name, int permissions, byte[] content) {
            entry.control(name, permissions, content);
        }

        @Override
        public void data(String raw, TarArchiveEntry tar, InputStream content) throws IOException {
            String path = raw.endsWith("/") ? raw.substring(0, raw.length() - 1) : raw;
            String listed = path.isEmpty() || path.equals(".") ? "/." : "/" + path;
            entry.paths.add(listed);
            Instant modified = tar.getLastModifiedTime().toInstant();
            Attributes attributes =
                    new Attributes(
                            tar.getMode() & 07777,
                            tar.getLongUserId(),
                            tar.getLongGroupId(),
                            modified);
            if (tar.isDirectory()) {
                disk.directory(path, attributes);
            } else if (tar.isSymbolicLink()) {
                write(() -> disk.symbolicLink(path, attributes, tar.getLinkName()));
            } else if (tar.isLink()) {
                disk.hardLink(path, tar.getLinkName());
            } else if (tar.isCharacterDevice()) {
                disk.characterDevice(path, attributes, tar.getDevMajor(), tar.getDevMinor());
            } else if (tar.isBlockDevice()) {
                disk.blockDevice(path, attributes, tar.getDevMajor(), tar.getDevMinor());
            } else if (tar.isFIFO()) {
                disk.fifo(path, attributes);
            } else {
                regular(path, listed, attributes, tar.getSize(), content);
            }
        }

        private void regular(
                String path, String listed, Attributes attributes, long size, InputStream content)
                throws IOException {
            boolean conffile = entry.conffiles.containsKey(listed);
            MessageDigest digest = md5();
            InputStream in = conffile ? new DigestInputStream(content, digest) : content;
            write(() -> disk.file(path, attributes, size, new Source(in)));
            if (conffile) {
                entry.conffiles.put(listed, HexFormat.of().formatHex(digest.digest()));
            }
        }
    }

    private interface Writing {
        void run() throws IOException;
    }

    /** Tells a failure to write the disk's file from one to read the package. */
    private void write(Writing writing) throws IOException {
        try {
            writing.run();
        } catch (Source.Failure e) {
            throw (IOException) e.getCause();
        } catch (IOException e) {
            throw new FileSink.WriteFailure(file, e);
        }
    }

    /** Marks what fails while the package is read. */
    private static final class Source extends FilterInputStream {
        private static final class Failure extends IOException {
            private static final long serialVersionUID = 1;

            Failure(IOException cause) {
                super(cause);
            }
        }

        Source(InputStream in) {
            super(in);
        }

        @Override
        public int read() throws IOException {
            try {
                return super.read();
            } catch (IOException e) {
                throw new Failure(e);
            }
        }

        @Override
        public int read(byte[] bytes, int offset, int length) throws IOException {
            try {
                return super.read(bytes, offset, length);
            } catch (IOException e) {
                throw new Failure(e);
            }
        }
    }

    private static MessageDigest md5() {
        try {
            return MessageDigest.getInstance("MD5");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("Every Java platform has MD5", e);
        }
    }
}
