package org.javisor.image;

import io.airlift.compress.v3.zstd.ZstdOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.zip.GZIPOutputStream;
import org.apache.commons.compress.archivers.ar.ArArchiveEntry;
import org.apache.commons.compress.archivers.ar.ArArchiveOutputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.tukaani.xz.LZMA2Options;
import org.tukaani.xz.XZOutputStream;

/** Makes Debian packages of a few files. */
final class DebFixture {

    private DebFixture() {}

    /**
     * A package.
     *
     * @param suffix the compression of its data: {@code .xz}, {@code .zst}, {@code .gz} or nothing
     * @param files in their order, by the name that stands in the tar archive
     */
    static byte[] deb(String suffix, Map<String, byte[]> files) {
        try {
            return ar(
                    Map.entry("debian-binary", "2.0\n".getBytes(StandardCharsets.US_ASCII)),
                    Map.entry("control.tar" + suffix, compressed(suffix, tar(Map.of()))),
                    Map.entry("data.tar" + suffix, compressed(suffix, tar(files))));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A package with files in its control archive. */
    static byte[] deb(Map<String, byte[]> control, Map<String, byte[]> files) {
        try {
            return ar(
                    Map.entry("debian-binary", "2.0\n".getBytes(StandardCharsets.US_ASCII)),
                    Map.entry("control.tar.xz", compressed(".xz", tar(control))),
                    Map.entry("data.tar.xz", compressed(".xz", tar(files))));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @SafeVarargs
    static byte[] ar(Map.Entry<String, byte[]>... members) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ArArchiveOutputStream ar = new ArArchiveOutputStream(bytes)) {
            for (Map.Entry<String, byte[]> member : members) {
                ar.putArchiveEntry(new ArArchiveEntry(member.getKey(), member.getValue().length));
                ar.write(member.getValue());
                ar.closeArchiveEntry();
            }
        }
        return bytes.toByteArray();
    }

    static byte[] tar(Map<String, byte[]> files) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (TarArchiveOutputStream tar = new TarArchiveOutputStream(bytes)) {
            tar.setLongFileMode(TarArchiveOutputStream.LONGFILE_GNU);
            tar.putArchiveEntry(new TarArchiveEntry("./"));
            tar.closeArchiveEntry();
            for (Map.Entry<String, byte[]> file : files.entrySet()) {
                TarArchiveEntry entry = new TarArchiveEntry(file.getKey(), true);
                entry.setSize(file.getValue().length);
                tar.putArchiveEntry(entry);
                tar.write(file.getValue());
                tar.closeArchiveEntry();
            }
        }
        return bytes.toByteArray();
    }

    static byte[] compressed(String suffix, byte[] plain) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (OutputStream out =
                switch (suffix) {
                    case ".xz" -> new XZOutputStream(bytes, new LZMA2Options(0));
                    case ".zst" -> new ZstdOutputStream(bytes);
                    case ".gz" -> new GZIPOutputStream(bytes);
                    default -> bytes;
                }) {
            out.write(plain);
        }
        return bytes.toByteArray();
    }
}
