package org.javisor.storage;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;
import org.javisor.storage.QcowHeader.Bitmaps;
import org.javisor.storage.QcowHeader.Compression;

/** Reads and checks a {@link QcowHeader}: everything in it may be wrong on purpose. */
final class QcowHeaderReader {
    private static final int V2_LENGTH = 72;
    private static final int V3_LENGTH = 104;
    private static final int COMPRESSION_FIELD = 104;

    private static final int END = 0;
    private static final int BACKING_FORMAT = 0xe2792aca;
    private static final int FEATURE_NAMES = 0x6803f857;
    private static final int BITMAPS = 0x23852875;

    private static final int MAX_BACKING_NAME = 1023;
    private static final int MAX_EXTENSIONS = 1024;

    private final Path file;
    private final ByteBuffer bytes;
    private Optional<String> backingFormat = Optional.empty();
    private Optional<Bitmaps> bitmaps = Optional.empty();
    private Optional<ByteBuffer> featureNames = Optional.empty();

    private QcowHeaderReader(Path file, ByteBuffer bytes) {
        this.file = file;
        this.bytes = bytes;
    }

    /**
     * Reads the header.
     *
     * @throws StorageException {@code BAD_FORMAT} or {@code UNSUPPORTED}
     */
    static QcowHeader read(HostFile file) {
        long length = file.length();
        if (length < V2_LENGTH) {
            throw QcowHeader.malformed(file.path(), "is cut off: it has no whole header");
        }
        int clusterBits = ByteBuffer.wrap(BigEndian.readBytes(file, 0, 512)).getInt(20);
        long cluster =
                1L
                        << Math.clamp(
                                clusterBits,
                                QcowHeader.MIN_CLUSTER_BITS,
                                QcowHeader.MAX_CLUSTER_BITS);
        byte[] bytes = BigEndian.readBytes(file, 0, (int) Math.min(length, cluster));
        return parse(file.path(), ByteBuffer.wrap(bytes));
    }

    /** Parses a header and the rest of its cluster. */
    static QcowHeader parse(Path file, ByteBuffer bytes) {
        return new QcowHeaderReader(file, bytes).parse();
    }

    private QcowHeader parse() {
        if (bytes.limit() < V2_LENGTH || bytes.getInt(0) != QcowHeader.MAGIC) {
            throw QcowHeader.malformed(file, "does not begin as one");
        }
        int version = bytes.getInt(4);
        if (version != 2 && version != 3) {
            throw unsupported("has version " + Integer.toUnsignedString(version));
        }
        int clusterBits = bytes.getInt(20);
        if (clusterBits < QcowHeader.MIN_CLUSTER_BITS
                || clusterBits > QcowHeader.MAX_CLUSTER_BITS) {
            throw QcowHeader.malformed(
                    file, "has clusters of 2^" + Integer.toUnsignedString(clusterBits) + " bytes");
        }
        int headerLength = headerLength(version, clusterBits);
        readExtensions(headerLength, clusterBits);
        refuseUnsupported(version);
        QcowHeader header =
                new QcowHeader(
                        version,
                        clusterBits,
                        bytes.getLong(24),
                        bytes.getInt(36),
                        bytes.getLong(40),
                        bytes.getLong(48),
                        bytes.getInt(56),
                        bytes.getInt(60),
                        bytes.getLong(64),
                        version == 2 ? 0 : bytes.getLong(72),
                        version == 2 ? 0 : bytes.getLong(80),
                        version == 2 ? 0 : bytes.getLong(88),
                        version == 2 ? 4 : bytes.getInt(96),
                        headerLength,
                        compression(version, headerLength),
                        backingFile(clusterBits),
                        backingFormat,
                        bitmaps);
        check(header);
        return header;
    }

    private int headerLength(int version, int clusterBits) {
        if (version == 2) {
            return V2_LENGTH;
        }
        if (bytes.limit() < V3_LENGTH) {
            throw QcowHeader.malformed(file, "is cut off: it has no whole header");
        }
        int length = bytes.getInt(100);
        if (length < V3_LENGTH
                || length % 8 != 0
                || length > 1 << clusterBits
                || length > bytes.limit()) {
            throw QcowHeader.malformed(
                    file, "has a header of " + Integer.toUnsignedString(length) + " bytes");
        }
        return length;
    }

    private Compression compression(int version, int headerLength) {
        int type =
                version > 2 && headerLength > COMPRESSION_FIELD ? bytes.get(COMPRESSION_FIELD) : 0;
        boolean flagged = version > 2 && (bytes.getLong(72) & QcowHeader.COMPRESSION_TYPE) != 0;
        if (flagged != (type != 0)) {
            throw QcowHeader.malformed(file, "contradicts itself about its compression");
        }
        return switch (type) {
            case 0 -> Compression.ZLIB;
            case 1 -> Compression.ZSTD;
            default -> throw unsupported("is compressed with method " + (type & 0xff));
        };
    }

    private void readExtensions(int headerLength, int clusterBits) {
        long limit = Math.min(bytes.limit(), 1L << clusterBits);
        long nameOffset = bytes.getLong(8);
        if (nameOffset > 0 && nameOffset < limit) {
            limit = nameOffset;
        }
        int at = headerLength;
        for (int i = 0; i < MAX_EXTENSIONS && at + 8 <= limit; i++) {
            int type = bytes.getInt(at);
            long length = Integer.toUnsignedLong(bytes.getInt(at + 4));
            if (type == END) {
                return;
            }
            if (length > limit - at - 8) {
                throw QcowHeader.malformed(file, "has a header extension that is too long");
            }
            readExtension(type, at + 8, (int) length);
            at += 8 + (int) ((length + 7) & -8);
        }
    }

    private void readExtension(int type, int at, int length) {
        switch (type) {
            case BACKING_FORMAT -> backingFormat = Optional.of(text(at, length));
            case FEATURE_NAMES -> featureNames = Optional.of(bytes.slice(at, length));
            case BITMAPS -> {
                if (length < 24) {
                    throw QcowHeader.malformed(file, "has a bitmaps extension that is cut off");
                }
                bitmaps =
                        Optional.of(
                                new Bitmaps(
                                        bytes.getInt(at),
                                        bytes.getLong(at + 16),
                                        bytes.getLong(at + 8)));
            }
            default -> {}
        }
    }

    private Optional<String> backingFile(int clusterBits) {
        long offset = bytes.getLong(8);
        if (offset == 0) {
            return Optional.empty();
        }
        int length = bytes.getInt(16);
        if (length == 0) {
            return Optional.empty();
        }
        long end = Math.min(bytes.limit(), 1L << clusterBits);
        if (length < 0 || length > MAX_BACKING_NAME || offset < 0 || offset > end - length) {
            throw QcowHeader.malformed(file, "names its backing file outside its header");
        }
        return Optional.of(text((int) offset, length));
    }

    private String text(int at, int length) {
        byte[] text = new byte[length];
        bytes.get(at, text);
        int end = 0;
        while (end < length && text[end] != 0) {
            end++;
        }
        return new String(text, 0, end, StandardCharsets.UTF_8);
    }

    private void refuseUnsupported(int version) {
        int crypt = bytes.getInt(32);
        if (crypt != 0) {
            String method = crypt == 1 ? "AES" : crypt == 2 ? "LUKS" : "method " + crypt;
            throw unsupported(
                    "is encrypted (" + method + "); decrypt it with 'qemu-img convert' first");
        }
        if (version == 2) {
            return;
        }
        long features = bytes.getLong(72);
        if ((features & QcowHeader.EXTERNAL_DATA) != 0) {
            throw unsupported(
                    "keeps its data in another file; make one file of it with 'qemu-img convert'"
                            + " first");
        }
        long known =
                QcowHeader.DIRTY
                        | QcowHeader.CORRUPT
                        | QcowHeader.COMPRESSION_TYPE
                        | QcowHeader.EXTENDED_L2;
        long unknown = features & ~known;
        if (unknown != 0) {
            int bit = Long.numberOfTrailingZeros(unknown);
            throw unsupported("needs the feature '" + featureName(bit) + "'");
        }
    }

    private String featureName(int bit) {
        ByteBuffer names = featureNames.orElse(ByteBuffer.allocate(0));
        for (int at = 0; at + 48 <= names.limit(); at += 48) {
            if (names.get(at) == 0 && names.get(at + 1) == bit) {
                byte[] name = new byte[46];
                names.get(at + 2, name);
                return new String(name, StandardCharsets.US_ASCII)
                        .replaceAll("[^ -~]", " ")
                        .strip();
            }
        }
        return "incompatible bit " + bit;
    }

    private void check(QcowHeader header) {
        if (header.refcountOrder() < 0 || header.refcountOrder() > 6) {
            throw QcowHeader.malformed(
                    file,
                    "has refcounts of 2^"
                            + Integer.toUnsignedString(header.refcountOrder())
                            + " bits");
        }
        if (header.extendedL2() && header.clusterBits() < QcowHeader.MIN_EXTENDED_CLUSTER_BITS) {
            throw QcowHeader.malformed(file, "has clusters too small for extended L2 entries");
        }
        if (header.size() < 0) {
            throw QcowHeader.malformed(
                    file, "has a size of " + Long.toUnsignedString(header.size()) + " bytes");
        }
        long l1Bytes = Integer.toUnsignedLong(header.l1Size()) * 8;
        checkTable(header, "L1 table", header.l1Offset(), l1Bytes, QcowHeader.MAX_L1_BYTES);
        if (header.neededL1Entries() > header.l1Size()) {
            throw QcowHeader.malformed(file, "has an L1 table too short for its size");
        }
        long refcountBytes =
                Integer.toUnsignedLong(header.refcountTableClusters()) << header.clusterBits();
        checkTable(
                header,
                "refcount table",
                header.refcountTableOffset(),
                refcountBytes,
                Math.max(QcowHeader.MAX_REFCOUNT_TABLE_BYTES, header.clusterSize()));
        if (header.refcountTableClusters() == 0 || header.refcountTableOffset() == 0) {
            throw QcowHeader.malformed(file, "has no refcount table");
        }
        long snapshots = Integer.toUnsignedLong(header.snapshotCount());
        checkTable(
                header,
                "snapshot table",
                header.snapshotsOffset(),
                snapshots,
                QcowHeader.MAX_SNAPSHOTS);
    }

    private void checkTable(QcowHeader header, String name, long offset, long length, long most) {
        if (length > most) {
            throw QcowHeader.malformed(file, "has a " + name + " of impossible length");
        }
        boolean unaligned = (offset & (header.clusterSize() - 1)) != 0;
        if (length > 0 && (unaligned || offset < 0 || offset > QcowHeader.MAX_HOST_OFFSET)) {
            throw QcowHeader.malformed(file, "has its " + name + " at an impossible place");
        }
    }

    private StorageException unsupported(String what) {
        return new StorageException(
                StorageException.Code.UNSUPPORTED,
                "The qcow2 image " + file + " " + what + ", which is not supported");
    }
}
