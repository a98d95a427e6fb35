package org.javisor.storage;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Reads compressed clusters, and keeps the last few: a guest that reads one in small pieces should
 * not have it decompressed for each. Thread-safe.
 */
final class CompressedClusters {
    private static final int CACHE_BYTES = 4 << 20;

    private final HostFile file;
    private final QcowHeader header;
    private final Map<Long, byte[]> recent;

    CompressedClusters(HostFile file, QcowHeader header) {
        this.file = file;
        this.header = header;
        int most = Math.max(2, CACHE_BYTES >> header.clusterBits());
        this.recent =
                new LinkedHashMap<>(16, 0.75f, true) {
                    private static final long serialVersionUID = 1L;

                    @Override
                    protected boolean removeEldestEntry(Map.Entry<Long, byte[]> eldest) {
                        return size() > most;
                    }
                };
    }

    /**
     * The cluster that an L2 entry describes; not to be changed.
     *
     * @throws StorageException {@code CORRUPT}
     */
    byte[] read(long entry) {
        synchronized (recent) {
            byte[] cluster = recent.get(entry);
            if (cluster != null) {
                return cluster;
            }
        }
        byte[] cluster = decompress(entry);
        synchronized (recent) {
            recent.put(entry, cluster);
        }
        return cluster;
    }

    private byte[] decompress(long entry) {
        int bits = header.clusterBits();
        long offset = L2Entry.compressedOffset(entry, bits);
        if (offset >= file.length()) {
            throw broken();
        }
        int length = L2Entry.compressedLength(entry, bits);
        byte[] source = BigEndian.readBytes(file, offset, length);
        byte[] cluster = new byte[1 << bits];
        if (!ClusterCodec.decompress(header.compression(), source, length, cluster)) {
            throw broken();
        }
        return cluster;
    }

    private StorageException broken() {
        return new StorageException(
                StorageException.Code.CORRUPT,
                "A compressed cluster of " + file.path() + " cannot be decompressed");
    }

    /** To be called when the place of the compressed data may soon hold something else. */
    void forget(long entry) {
        synchronized (recent) {
            recent.remove(entry);
        }
    }
}
