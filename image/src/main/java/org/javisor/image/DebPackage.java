package org.javisor.image;

import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.apache.commons.compress.archivers.ar.ArArchiveEntry;
import org.apache.commons.compress.archivers.ar.ArArchiveInputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.javisor.filesystem.FileSystemException;

/**
 * A Debian binary package (deb(5)): an ar archive of {@code debian-binary}, a control archive and
 * {@code data.tar} in one of several compressions. It is read as a stream, from the start to where
 * the reader has what it came for.
 */
final class DebPackage {

    private static final int BUFFER = 1 << 16;
    private static final int MAX_CONTROL = 16 << 20;

    private DebPackage() {}

    /** Receives the regular files of a package. */
    @FunctionalInterface
    interface FileVisitor {

        /**
         * A file.
         *
         * @param path relative, with slashes, without a leading {@code ./}, no {@code ..} in it
         * @param size in bytes
         * @param content valid during the call; need not be read
         * @return whether to go on
         */
        boolean file(String path, long size, InputStream content) throws IOException;
    }

    /** Receives all of a package. */
    interface ContentVisitor {

        /**
         * A file of the control archive, such as {@code postinst}; they all come before the data.
         *
         * @param permissions such as 0755
         */
        void control(String name, int permissions, byte[] content) throws IOException;

        /**
         * Anything of the data archive.
         *
         * @param path relative, with slashes, without a leading {@code ./}; empty for the root
         * @param entry its kind, owner and the rest
         * @param content of a regular file; valid during the call
         */
        void data(String path, TarArchiveEntry entry, InputStream content) throws IOException;
    }

    /**
     * Shows all of a package to a visitor.
     *
     * @param name the package's name, for messages
     * @throws ImageException {@code MALFORMED}, {@code TRUNCATED}; what the visitor throws passes
     */
    static void visitAll(Path file, String name, ContentVisitor visitor) {
        try (InputStream in = new BufferedInputStream(Files.newInputStream(file), BUFFER)) {
            read(
                    in,
                    name,
                    ar -> {
                        boolean data = false;
                        for (ArArchiveEntry member; (member = ar.getNextEntry()) != null; ) {
                            String memberName = member.getName();
                            InputStream plain = Compression.uncompressed(memberName, ar);
                            if (memberName.startsWith("control.tar")) {
                                visitControl(plain, name, visitor);
                            } else if (memberName.startsWith("data.tar")) {
                                TarArchiveInputStream tar = new TarArchiveInputStream(plain);
                                for (TarArchiveEntry e; (e = tar.getNextEntry()) != null; ) {
                                    visitor.data(relative(e.getName(), name), e, tar);
                                }
                                data = true;
                            }
                        }
                        return data;
                    });
        } catch (FileSink.WriteFailure e) {
            throw e.explain();
        } catch (IOException e) {
            throw new ImageException(
                    ImageException.Code.CACHE, "Cannot read " + file + ": " + Text.reason(e), e);
        }
    }

    private static void visitControl(InputStream plain, String name, ContentVisitor visitor)
            throws IOException {
        TarArchiveInputStream tar = new TarArchiveInputStream(plain);
        for (TarArchiveEntry entry; (entry = tar.getNextEntry()) != null; ) {
            if (entry.isFile()) {
                byte[] content = tar.readNBytes(MAX_CONTROL + 1);
                if (content.length > MAX_CONTROL) {
                    throw malformed(name, "its control files are larger than any are", null);
                }
                visitor.control(relative(entry.getName(), name), entry.getMode() & 07777, content);
            }
        }
    }

    /**
     * Shows a package's regular files to a visitor, in the package's order.
     *
     * @param name the package's name, for messages
     * @throws ImageException {@code MALFORMED}, {@code TRUNCATED}; what the visitor throws passes
     */
    static void visit(Path file, String name, FileVisitor visitor) {
        try (InputStream in = new BufferedInputStream(Files.newInputStream(file), BUFFER)) {
            visit(in, name, visitor);
        } catch (FileSink.WriteFailure e) {
            throw e.explain();
        } catch (IOException e) {
            throw new ImageException(
                    ImageException.Code.CACHE, "Cannot read " + file + ": " + Text.reason(e), e);
        }
    }

    /** As above, from a stream; an IOException is a write failure of the visitor's. */
    static void visit(InputStream deb, String name, FileVisitor visitor)
            throws FileSink.WriteFailure {
        read(
                deb,
                name,
                ar -> {
                    for (ArArchiveEntry member; (member = ar.getNextEntry()) != null; ) {
                        String memberName = member.getName();
                        if (memberName.startsWith("data.tar")) {
                            visitData(Compression.uncompressed(memberName, ar), name, visitor);
                            return true;
                        }
                    }
                    return false;
                });
    }

    private interface Reading {
        /** Returns whether there was a data archive. */
        boolean of(ArArchiveInputStream members) throws IOException;
    }

    private static void read(InputStream deb, String name, Reading reading)
            throws FileSink.WriteFailure {
        try {
            ArArchiveInputStream ar = new ArArchiveInputStream(deb);
            expectVersion(ar, name);
            if (!reading.of(ar)) {
                throw malformed(name, "it has no data archive", null);
            }
        } catch (FileSink.WriteFailure e) {
            throw e;
        } catch (EOFException e) {
            throw new ImageException(
                    ImageException.Code.TRUNCATED,
                    "The package " + name + " ends too early; pull it again",
                    e);
        } catch (IOException | RuntimeException e) {
            // The parsers below answer damaged input with a variety of unchecked exceptions.
            if (e instanceof ImageException known) {
                throw known;
            }
            if (e instanceof FileSystemException refused) {
                throw refused;
            }
            throw malformed(name, Text.reason(e), e);
        }
    }

    private static void expectVersion(ArArchiveInputStream ar, String name) throws IOException {
        ArArchiveEntry first = ar.getNextEntry();
        if (first == null || !first.getName().equals("debian-binary")) {
            throw malformed(name, "it is not a Debian package", null);
        }
        byte[] version = ar.readNBytes(8);
        if (version.length < 2 || version[0] != '2' || version[1] != '.') {
            throw malformed(name, "it is of an unknown package format", null);
        }
    }

    private static void visitData(InputStream data, String name, FileVisitor visitor)
            throws IOException {
        TarArchiveInputStream tar = new TarArchiveInputStream(data);
        for (TarArchiveEntry entry; (entry = tar.getNextEntry()) != null; ) {
            String path = relative(entry.getName(), name);
            if (entry.isFile() && !entry.isLink() && !entry.isSymbolicLink()) {
                if (!visitor.file(path, entry.getSize(), tar)) {
                    return;
                }
            }
        }
    }

    private static String relative(String raw, String name) {
        String path = raw;
        while (path.startsWith("./")) {
            path = path.substring(2);
        }
        boolean outside =
                path.startsWith("/")
                        || path.indexOf('\0') >= 0
                        || List.of(path.split("/")).contains("..");
        if (outside) {
            throw malformed(name, "it has a file outside: " + Text.printable(raw), null);
        }
        return path;
    }

    private static ImageException malformed(String name, String what, Exception cause) {
        return new ImageException(
                ImageException.Code.MALFORMED,
                "The package " + name + " is of no use: " + what + "; pull it again",
                cause);
    }
}
