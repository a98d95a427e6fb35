package org.javisor.storage;

import io.airlift.compress.v3.zstd.ZstdJavaCompressor;
import io.airlift.compress.v3.zstd.ZstdJavaDecompressor;
import java.util.zip.DataFormatException;
import java.util.zip.Deflater;
import java.util.zip.Inflater;
import org.javisor.storage.QcowHeader.Compression;

/** Compresses and decompresses single clusters. Stateless, so thread-safe. */
final class ClusterCodec {
    private static final int ZSTD_MAGIC = 0xfd2fb528;

    private ClusterCodec() {}

    /**
     * Fills {@code target} from the beginning of {@code source}; what follows the compressed data
     * there is ignored.
     *
     * @return false if the data does not give exactly that many bytes
     */
    static boolean decompress(Compression method, byte[] source, int length, byte[] target) {
        return switch (method) {
            case ZLIB -> inflate(source, length, target);
            case ZSTD -> unzstd(source, length, target);
        };
    }

    /**
     * Compresses a cluster.
     *
     * @return the compressed bytes, or an empty array if they would not be fewer
     */
    static byte[] compress(Compression method, byte[] source) {
        return switch (method) {
            case ZLIB -> deflate(source);
            case ZSTD -> zstd(source);
        };
    }

    private static boolean inflate(byte[] source, int length, byte[] target) {
        Inflater inflater = new Inflater(true);
        try {
            inflater.setInput(source, 0, length);
            int done = 0;
            while (done < target.length) {
                int count = inflater.inflate(target, done, target.length - done);
                if (count == 0) {
                    return false;
                }
                done += count;
            }
            return true;
        } catch (DataFormatException e) {
            return false;
        } finally {
            inflater.end();
        }
    }

    private static byte[] deflate(byte[] source) {
        Deflater deflater = new Deflater(Deflater.DEFAULT_COMPRESSION, true);
        try {
            deflater.setInput(source);
            deflater.finish();
            byte[] target = new byte[source.length];
            int length = deflater.deflate(target);
            return deflater.finished() && length < source.length
                    ? java.util.Arrays.copyOf(target, length)
                    : new byte[0];
        } finally {
            deflater.end();
        }
    }

    private static byte[] zstd(byte[] source) {
        ZstdJavaCompressor compressor = new ZstdJavaCompressor();
        byte[] target = new byte[compressor.maxCompressedLength(source.length)];
        int length = compressor.compress(source, 0, source.length, target, 0, target.length);
        return length < source.length ? java.util.Arrays.copyOf(target, length) : new byte[0];
    }

    private static boolean unzstd(byte[] source, int length, byte[] target) {
        int frame = zstdFrameLength(source, length);
        if (frame < 0) {
            return false;
        }
        try {
            return new ZstdJavaDecompressor().decompress(source, 0, frame, target, 0, target.length)
                    == target.length;
        } catch (RuntimeException e) {
            // The decompressor says in several ways that its input is not valid.
            return false;
        }
    }

    /**
     * The length of the first frame: qcow2 does not store it, and the decompressor takes what
     * follows for another frame. Source: RFC 8878, section 3.1.1.
     *
     * @return -1 if there is no whole frame
     */
    private static int zstdFrameLength(byte[] source, int length) {
        if (length < 6 || little(source, 0, 4) != ZSTD_MAGIC) {
            return -1;
        }
        int descriptor = source[4];
        boolean single = (descriptor & 0x20) != 0;
        boolean checksum = (descriptor & 4) != 0;
        int dictionary = new int[] {0, 1, 2, 4}[descriptor & 3];
        int size = new int[] {single ? 1 : 0, 2, 4, 8}[descriptor >> 6 & 3];
        long at = 5 + (single ? 0 : 1) + dictionary + size;
        while (at + 3 <= length) {
            int block = little(source, (int) at, 3);
            int type = block >> 1 & 3;
            at += 3 + (type == 1 ? 1 : block >> 3);
            if ((block & 1) != 0) {
                at += checksum ? 4 : 0;
                return at <= length ? (int) at : -1;
            }
        }
        return -1;
    }

    private static int little(byte[] source, int at, int count) {
        int value = 0;
        for (int i = 0; i < count; i++) {
            value |= (source[at + i] & 0xff) << (8 * i);
        }
        return value;
    }
}
