package org.javisor.storage;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * Which host clusters are in use, and by how many: the refcount table and its blocks, of which a
 * bounded number is kept. Not thread-safe: every call is made under the image's metadata lock.
 *
 * <p>Nothing is written here except when the table itself must move; {@link MetadataWriter} takes
 * what changed and writes it in an order that survives a crash.
 */
final class Refcounts {
    private static final long CACHE_BYTES = 8 << 20;
    private static final int MIN_BLOCKS = 4;

    /** Table entries that are written together. */
    private static final int TABLE_UNIT = 64;

    private final HostFile file;
    private final QcowHeader header;
    private final ClusterSet metadata;
    private final Function<String, StorageException> corrupt;
    private final Map<Integer, RefcountBlock> blocks = new LinkedHashMap<>(16, 0.75f, true);
    private final BitSet dirtyTable = new BitSet();
    private final List<Run> abandoned = new ArrayList<>();
    private final int blockBits;
    private final long max;
    private final long maxCluster;

    private long[] table;
    private long tableOffset;
    private long hint;

    /** Clusters from here on have never been written: the file ends before them. */
    private long highWater;

    /**
     * Adjacent host clusters.
     *
     * @param first the first one's number
     * @param count how many
     * @param zero whether they are known to read as zeros
     */
    record Run(long first, int count, boolean zero) {}

    /**
     * @param metadata the clusters that hold tables; those of refcounts are added
     * @param corrupt notes that the image contradicts itself, and makes the exception that says so
     */
    Refcounts(
            HostFile file,
            QcowHeader header,
            ClusterSet metadata,
            Function<String, StorageException> corrupt) {
        this.file = file;
        this.header = header;
        this.metadata = metadata;
        this.corrupt = corrupt;
        this.blockBits = header.refcountBlockBits();
        this.max =
                header.refcountOrder() == 6
                        ? Long.MAX_VALUE
                        : (1L << (1 << header.refcountOrder())) - 1;
        this.maxCluster = QcowHeader.MAX_HOST_OFFSET >> header.clusterBits();
        this.tableOffset = header.refcountTableOffset();
        this.highWater = QcowHeader.ceilShift(file.length(), header.clusterBits());
        loadTable();
    }

    /** For an image that is only read: knows of no cluster. */
    static Refcounts none(HostFile file, QcowHeader header) {
        return new Refcounts(file, header);
    }

    private Refcounts(HostFile file, QcowHeader header) {
        this.file = file;
        this.header = header;
        this.metadata = new ClusterSet();
        this.corrupt = what -> new StorageException(StorageException.Code.READ_ONLY, what);
        this.blockBits = header.refcountBlockBits();
        this.max = 0;
        this.maxCluster = 0;
        this.table = new long[0];
    }

    private void loadTable() {
        int words = header.refcountTableClusters() << (header.clusterBits() - 3);
        table = BigEndian.read(file, tableOffset, words);
        metadata.addAll(tableOffset >> header.clusterBits(), header.refcountTableClusters());
        for (long entry : table) {
            if (entry != 0) {
                metadata.add(entry >>> header.clusterBits());
            }
        }
    }

    /** The greatest refcount that the image's width can hold. */
    long max() {
        return max;
    }

    long get(long cluster) {
        RefcountBlock block = load(blockOf(cluster));
        return block == null ? 0 : block.get(indexOf(cluster));
    }

    private int blockOf(long cluster) {
        return (int) Math.min(Integer.MAX_VALUE, cluster >>> blockBits);
    }

    private int indexOf(long cluster) {
        return (int) (cluster & (1L << blockBits) - 1);
    }

    /** The block, or null if the file has none: all its refcounts are 0 then. */
    private RefcountBlock load(int index) {
        RefcountBlock block = blocks.get(index);
        if (block != null || index >= table.length || table[index] == 0) {
            return block;
        }
        long offset = table[index];
        if ((offset & (header.clusterSize() - 1)) != 0 || offset < 0 || offset >= file.length()) {
            throw corrupt.apply("a refcount block lies at an impossible place");
        }
        byte[] bytes = BigEndian.readBytes(file, offset, (int) header.clusterSize());
        block = new RefcountBlock(bytes, header.refcountOrder(), false);
        blocks.put(index, block);
        evict();
        return block;
    }

    private void evict() {
        long most = Math.max(MIN_BLOCKS, CACHE_BYTES >> header.clusterBits());
        Iterator<RefcountBlock> oldest = blocks.values().iterator();
        for (int i = 0; blocks.size() > most && i < most && oldest.hasNext(); i++) {
            if (oldest.next().isClean()) {
                oldest.remove();
            }
        }
    }

    /** Whether so much has changed that it should be written soon. */
    boolean isCrowded() {
        return blocks.size() > Math.max(MIN_BLOCKS, CACHE_BYTES >> header.clusterBits());
    }

    /**
     * Takes free clusters, adjacent ones, with a refcount of 1.
     *
     * @param wanted at most so many
     * @return at least one
     * @throws StorageException {@code NO_SPACE} when the format can address no more
     */
    Run allocate(int wanted) {
        for (long cluster = hint; cluster < maxCluster; ) {
            RefcountBlock block = loadOrCreate(cluster);
            int index = block.firstFree(indexOf(cluster));
            if (index < 0) {
                cluster = ((cluster >>> blockBits) + 1) << blockBits;
                hint = cluster;
                continue;
            }
            return take(block, (cluster >>> blockBits << blockBits) + index, wanted);
        }
        throw new StorageException(
                StorageException.Code.NO_SPACE, file.path() + " is as large as its format allows");
    }

    private Run take(RefcountBlock block, long first, int wanted) {
        int index = indexOf(first);
        int count = 0;
        while (count < wanted && index + count < block.entries() && block.get(index + count) == 0) {
            if (metadata.contains(first + count)) {
                if (count > 0) {
                    break;
                }
                throw corrupt.apply("a cluster of its tables counts as free");
            }
            block.set(index + count, 1);
            count++;
        }
        boolean zero = first >= highWater;
        highWater = Math.max(highWater, first + count);
        hint = first + count;
        return new Run(first, count, zero);
    }

    private RefcountBlock loadOrCreate(long cluster) {
        while (true) {
            int index = blockOf(cluster);
            RefcountBlock block = load(index);
            if (block != null) {
                return block;
            }
            if (index < table.length) {
                return create(index, cluster);
            }
            growTable(index);
        }
    }

    /** A new block lies in the first free cluster that it describes itself. */
    private RefcountBlock create(int index, long cluster) {
        if (metadata.contains(cluster)) {
            throw corrupt.apply("a cluster of its tables counts as free");
        }
        RefcountBlock block =
                new RefcountBlock(
                        new byte[(int) header.clusterSize()], header.refcountOrder(), true);
        block.set(indexOf(cluster), 1);
        blocks.put(index, block);
        table[index] = cluster << header.clusterBits();
        dirtyTable.set(index / TABLE_UNIT);
        metadata.add(cluster);
        highWater = Math.max(highWater, cluster + 1);
        evict();
        return block;
    }

    /**
     * Moves the table to where there is room for a longer one: behind all that the old one can
     * describe. The header is switched over only when everything it then leads to is on disk.
     */
    private void growTable(int neededIndex) {
        int perCluster = 1 << (header.clusterBits() - 3);
        long start = (long) table.length << blockBits;
        long entries = Math.max((long) table.length * 2, neededIndex + 1L);
        int tableClusters;
        int newBlocks = 1;
        while (true) {
            tableClusters = (int) ((entries + perCluster - 1) / perCluster);
            long used = (long) tableClusters + newBlocks;
            long needed = QcowHeader.ceilShift(used, blockBits);
            if (needed > newBlocks) {
                newBlocks = (int) needed;
            } else if (table.length + newBlocks > entries) {
                entries = table.length + newBlocks;
            } else {
                break;
            }
        }
        if ((long) tableClusters << header.clusterBits() > QcowHeader.MAX_REFCOUNT_TABLE_BYTES) {
            throw new StorageException(
                    StorageException.Code.NO_SPACE,
                    file.path() + " is as large as its clusters allow; use larger clusters");
        }
        long[] grown = java.util.Arrays.copyOf(table, tableClusters * perCluster);
        Map<Integer, RefcountBlock> fresh = freshBlocks(start, newBlocks, tableClusters, grown);
        writeBlocks(blocks, table);
        writeBlocks(fresh, grown);
        long offset = (start + newBlocks) << header.clusterBits();
        BigEndian.write(file, offset, grown, 0, grown.length);
        file.flush();
        switchTable(offset, tableClusters);
        int oldClusters = table.length / perCluster;
        long oldFirst = tableOffset >> header.clusterBits();
        abandoned.add(new Run(oldFirst, oldClusters, false));
        for (int i = 0; i < oldClusters; i++) {
            metadata.remove(oldFirst + i);
        }
        metadata.addAll(start, newBlocks + tableClusters);
        highWater = Math.max(highWater, start + newBlocks + tableClusters);
        blocks.putAll(fresh);
        table = grown;
        tableOffset = offset;
        dirtyTable.clear();
    }

    private Map<Integer, RefcountBlock> freshBlocks(
            long start, int newBlocks, int tableClusters, long[] grown) {
        Map<Integer, RefcountBlock> fresh = new LinkedHashMap<>();
        for (int i = 0; i < newBlocks; i++) {
            int index = table.length + i;
            grown[index] = (start + i) << header.clusterBits();
            fresh.put(
                    index,
                    new RefcountBlock(
                            new byte[(int) header.clusterSize()], header.refcountOrder(), true));
        }
        for (long cluster = start; cluster < start + newBlocks + tableClusters; cluster++) {
            fresh.get(blockOf(cluster)).set(indexOf(cluster), 1);
        }
        return fresh;
    }

    /** They stay dirty: an older state of them may be on its way to the file just now. */
    private void writeBlocks(Map<Integer, RefcountBlock> changed, long[] places) {
        changed.forEach(
                (index, block) -> {
                    if (!block.isClean()) {
                        BigEndian.write(file, places[index], block.contents());
                    }
                });
    }

    private void switchTable(long offset, int clusters) {
        byte[] fields = new byte[12];
        java.nio.ByteBuffer.wrap(fields).putLong(offset).putInt(clusters);
        BigEndian.write(file, QcowHeader.REFCOUNT_TABLE_FIELDS, fields);
        file.flush();
    }

    /**
     * Takes adjacent clusters behind the end of the file, as many as are wanted; the blocks that
     * count them lie before them.
     *
     * @return the first one's number
     */
    long append(int wanted) {
        long start = highWater;
        int missing = 0;
        while (true) {
            long last = start + missing + wanted - 1;
            if (blockOf(last) >= table.length) {
                growTable(blockOf(last));
                start = highWater;
                missing = 0;
                continue;
            }
            int needed = missingBlocks(start, last).size();
            if (needed == missing) {
                break;
            }
            missing = needed;
        }
        List<Integer> created = missingBlocks(start, start + missing + wanted - 1);
        for (int i = 0; i < created.size(); i++) {
            int index = created.get(i);
            blocks.put(
                    index,
                    new RefcountBlock(
                            new byte[(int) header.clusterSize()], header.refcountOrder(), true));
            table[index] = (start + i) << header.clusterBits();
            dirtyTable.set(index / TABLE_UNIT);
            metadata.add(start + i);
        }
        for (long cluster = start; cluster < start + missing + wanted; cluster++) {
            load(blockOf(cluster)).set(indexOf(cluster), 1);
        }
        highWater = start + missing + wanted;
        return start + missing;
    }

    private List<Integer> missingBlocks(long first, long last) {
        List<Integer> missing = new ArrayList<>();
        for (int index = blockOf(first); index <= blockOf(last); index++) {
            if (table[index] == 0) {
                missing.add(index);
            }
        }
        return missing;
    }

    /** One user more. */
    void increment(long cluster) {
        long old = get(cluster);
        if (old == 0 || old == max) {
            throw corrupt.apply("a cluster in use counts as free or as used too often");
        }
        load(blockOf(cluster)).set(indexOf(cluster), old + 1);
    }

    /**
     * One user less.
     *
     * @return whether the cluster is free now
     */
    boolean decrement(long cluster) {
        long old = get(cluster);
        if (old == 0) {
            throw corrupt.apply("a cluster in use counts as free");
        }
        load(blockOf(cluster)).set(indexOf(cluster), old - 1);
        if (old == 1) {
            hint = Math.min(hint, cluster);
        }
        return old == 1;
    }

    /** Places of former tables, to be freed once nothing on disk leads to them. */
    List<Run> takeAbandoned() {
        List<Run> taken = List.copyOf(abandoned);
        abandoned.clear();
        return taken;
    }

    /** Whether {@link #take} would find anything. */
    boolean hasChanges() {
        return !dirtyTable.isEmpty()
                || !abandoned.isEmpty()
                || blocks.values().stream().anyMatch(RefcountBlock::isDirty);
    }

    /** What changed since the last time. */
    Changes take() {
        List<RefcountBlock.Change> changed = new ArrayList<>();
        List<Long> offsets = new ArrayList<>();
        blocks.forEach(
                (index, block) -> {
                    if (block.isDirty()) {
                        changed.add(block.take());
                        offsets.add(table[index]);
                    }
                });
        BitSet units = (BitSet) dirtyTable.clone();
        dirtyTable.clear();
        long[] copy = units.isEmpty() ? new long[0] : table.clone();
        return new Changes(changed, offsets, copy, tableOffset, units);
    }

    /** Gives changes back that could not be written. */
    void failed(Changes changes) {
        changes.blocks().forEach(RefcountBlock.Change::failed);
        dirtyTable.or(changes.units());
    }

    void written(Changes changes) {
        changes.blocks().forEach(RefcountBlock.Change::written);
    }

    /**
     * Changes on their way to the file.
     *
     * @param blocks changed parts of blocks
     * @param offsets where those blocks lie
     * @param table the table as it was then
     * @param tableOffset where it lies
     * @param units which parts of the table changed
     */
    record Changes(
            List<RefcountBlock.Change> blocks,
            List<Long> offsets,
            long[] table,
            long tableOffset,
            BitSet units) {

        boolean isEmpty() {
            return blocks.isEmpty() && units.isEmpty();
        }

        /** The blocks first; the table only when new blocks are on disk. */
        void write(HostFile file) {
            for (int i = 0; i < blocks.size(); i++) {
                RefcountBlock.Change change = blocks.get(i);
                BigEndian.write(file, offsets.get(i) + change.from(), change.bytes());
            }
            if (units.isEmpty()) {
                return;
            }
            file.flush();
            units.stream()
                    .forEach(
                            unit ->
                                    BigEndian.write(
                                            file,
                                            tableOffset + 8L * TABLE_UNIT * unit,
                                            table,
                                            TABLE_UNIT * unit,
                                            TABLE_UNIT));
        }
    }
}
