package org.javisor.storage;

/**
 * Where the bytes of the disk lie in the file: the L1 table and the cached parts of L2 tables, read
 * without locks.
 */
final class QcowMap {
    private static final int MAX_ENTRIES = 128;

    private final HostFile file;
    private final QcowHeader header;
    private final L1Table l1;
    private final L2Cache l2;
    private final QcowCorruption corruption;
    private final int clusterBits;
    private final int subBits;
    private final int l2Bits;

    /** What stands behind a range of the disk. */
    enum Kind {
        /** Nothing: the image underneath counts. */
        UNALLOCATED,
        ZERO,
        /** Data that may be written in place. */
        DATA,
        /** Data that others use too. */
        SHARED,
        /** One cluster; the host offset is the L2 entry. */
        COMPRESSED
    }

    /** The answer of {@link #find}; one is used again and again. */
    static final class Extent {
        private Kind kind = Kind.UNALLOCATED;
        private long host;
        private long length;

        Kind kind() {
            return kind;
        }

        long host() {
            return host;
        }

        long length() {
            return length;
        }

        /** Adds a piece if it continues what is there. */
        private boolean append(Kind next, long nextHost, long nextLength) {
            if (length == 0) {
                kind = next;
                host = nextHost;
                length = nextLength;
                return true;
            }
            boolean continues =
                    switch (next) {
                        case UNALLOCATED, ZERO -> true;
                        case DATA, SHARED -> host + length == nextHost;
                        case COMPRESSED -> false;
                    };
            if (next != kind || !continues) {
                return false;
            }
            length += nextLength;
            return true;
        }
    }

    QcowMap(HostFile file, QcowHeader header, L1Table l1, L2Cache l2, QcowCorruption corruption) {
        this.file = file;
        this.header = header;
        this.l1 = l1;
        this.l2 = l2;
        this.corruption = corruption;
        this.clusterBits = header.clusterBits();
        this.subBits = Long.numberOfTrailingZeros(header.subclusterSize());
        this.l2Bits = header.l2Bits();
    }

    /**
     * Finds what stands behind the disk from {@code offset} on.
     *
     * @param most bytes that are of interest, at least 1
     * @param found receives the kind, the place and how far it goes
     * @throws StorageException {@code CORRUPT}
     */
    void find(long offset, long most, Extent found) {
        found.length = 0;
        long firstCluster = offset >>> clusterBits;
        long lastCluster = (offset + most - 1) >>> clusterBits;
        int room = (int) Math.min(MAX_ENTRIES, lastCluster - firstCluster + 1);
        long[] words = new long[room << (header.extendedL2() ? 1 : 0)];
        while (found.length < most) {
            long at = offset + found.length;
            long cluster = at >>> clusterBits;
            int l1Index = (int) (cluster >>> l2Bits);
            long table = l1.get(l1Index) & L2Entry.OFFSET;
            if (table == 0) {
                long tableEnd = (long) (l1Index + 1) << (l2Bits + clusterBits);
                // Past 2^63 there is no other table.
                long part = tableEnd <= 0 ? most - found.length : tableEnd - at;
                if (!found.append(Kind.UNALLOCATED, 0, Math.min(most - found.length, part))) {
                    return;
                }
                continue;
            }
            L2Slice slice = l2.slice(l2.number(cluster), checkedTable(table));
            int wanted = (int) Math.min(room, lastCluster - cluster + 1);
            int count = slice.read(l2.index(cluster), words, wanted);
            if (!appendAll(words, count, offset, most, found)) {
                return;
            }
        }
    }

    /** The place of an L2 table, if there can be one. */
    long checkedTable(long table) {
        if ((table & (header.clusterSize() - 1)) != 0 || table >= file.length()) {
            throw corruption.found("an L2 table lies at an impossible place");
        }
        return table;
    }

    private boolean appendAll(long[] words, int count, long offset, long most, Extent found) {
        for (int i = 0; i < count && found.length < most; i++) {
            long at = offset + found.length;
            long within = at & (header.clusterSize() - 1);
            long length = Math.min(header.clusterSize() - within, most - found.length);
            boolean appended =
                    header.extendedL2()
                            ? appendParts(words[2 * i], words[2 * i + 1], within, length, found)
                            : appendCluster(words[i], within, length, found);
            if (!appended) {
                return false;
            }
        }
        return true;
    }

    private boolean appendCluster(long entry, long within, long length, Extent found) {
        if ((entry & L2Entry.COMPRESSED) != 0) {
            return found.append(Kind.COMPRESSED, entry, length);
        }
        long host = checkedHost(entry);
        if ((entry & L2Entry.ZERO) != 0) {
            if (header.version() < 3) {
                throw corruption.found("an L2 entry has a flag that its version does not know");
            }
            return found.append(Kind.ZERO, 0, length);
        }
        if (host == 0) {
            return found.append(Kind.UNALLOCATED, 0, length);
        }
        return found.append(dataKind(entry), host + within, length);
    }

    private boolean appendParts(long entry, long bitmap, long within, long length, Extent found) {
        if ((entry & L2Entry.COMPRESSED) != 0) {
            return found.append(Kind.COMPRESSED, entry, length);
        }
        long host = checkedHost(entry);
        if ((bitmap & bitmap >>> 32 & L2Entry.ALL_ALLOCATED) != 0
                || host == 0 && (bitmap & L2Entry.ALL_ALLOCATED) != 0) {
            throw corruption.found("a subcluster bitmap contradicts itself");
        }
        long end = within + length;
        while (within < end) {
            int part = (int) (within >>> subBits);
            long partEnd = Math.min(end, (long) (part + 1) << subBits);
            boolean appended;
            if ((bitmap & 1L << part) != 0) {
                appended = found.append(dataKind(entry), host + within, partEnd - within);
            } else if ((bitmap & 1L << (32 + part)) != 0) {
                appended = found.append(Kind.ZERO, 0, partEnd - within);
            } else {
                appended = found.append(Kind.UNALLOCATED, 0, partEnd - within);
            }
            if (!appended) {
                return false;
            }
            within = partEnd;
        }
        return true;
    }

    /** The place of a cluster's data, 0 if it has none. */
    long checkedHost(long entry) {
        long host = entry & L2Entry.OFFSET;
        if ((host & (header.clusterSize() - 1)) != 0) {
            throw corruption.found("a cluster lies at an impossible place");
        }
        return host;
    }

    private static Kind dataKind(long entry) {
        return (entry & L2Entry.COPIED) != 0 ? Kind.DATA : Kind.SHARED;
    }
}
