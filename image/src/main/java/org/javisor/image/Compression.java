package org.javisor.image;

import io.airlift.compress.v3.zstd.ZstdInputStream;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.zip.GZIPInputStream;
import org.tukaani.xz.XZInputStream;

/** The compressions that Debian uses, by the suffix of a file's name. */
final class Compression {

    /** In KiB: xz's strongest setting needs 65 MB. */
    private static final int XZ_MEMORY_LIMIT = 192 << 10;

    private static final int BUFFER = 1 << 16;

    private Compression() {}

    /**
     * The uncompressed bytes of a stream.
     *
     * @param name a file name that ends in {@code .xz}, {@code .zst}, {@code .gz} or none of these
     * @throws IOException when the stream is damaged
     */
    static InputStream uncompressed(String name, InputStream in) throws IOException {
        if (name.endsWith(".xz")) {
            return new XZInputStream(new BufferedInputStream(in, BUFFER), XZ_MEMORY_LIMIT);
        }
        if (name.endsWith(".zst")) {
            return new ZstdInputStream(in);
        }
        if (name.endsWith(".gz")) {
            return new GZIPInputStream(in, BUFFER);
        }
        return in;
    }
}
