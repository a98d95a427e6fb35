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

/**
 * A Debian binary package (deb(5)): an ar archive of {@code debian-binary}, a control archive and
 * {@code data.tar} in one of several compressions. It is read as a stream, from the start to where
 * the reader has what it came for.
 */
final class DebPackage {

    private static final int BUFFER = 1 << 16;

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
        try {
            ArArchiveInputStream ar = new ArArchiveInputStream(deb);
            expectVersion(ar, name);
            for (ArArchiveEntry member; (member = ar.getNextEntry()) != null; ) {
                String memberName = member.getName();
                if (memberName.startsWith("data.tar")) {
                    visitData(Compression.uncompressed(memberName, ar), name, visitor);
                    return;
                }
            }
            throw malformed(name, "it has no data archive", null);
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
