package org.javisor.filesystem;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.BitSet;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Makes an ext4 file system in a sparse file: content is written as it comes, the tables when
 * {@link #finish} is called. Its features: extents, a journal, metadata checksums, sparse
 * superblock copies, entry types. Not made: hashed directories (the kernel hashes those that grow),
 * 64-bit block numbers, space for the descriptors to grow into, attributes outside of inodes.
 *
 * <p>Paths have slashes and may begin with one. A symbolic link on the way to a file's name is
 * followed, inside of this file system; directories on the way that do not exist are made, root's
 * with mode 0755. A path that is there already is replaced, except that a directory stays and takes
 * the new attributes, and that a directory over a symbolic link to one leaves the link.
 *
 * <p>Not thread-safe. Memory: a few hundred bytes a file.
 */
public final class Ext4Writer implements Closeable {
    private static final int ROOT = 2;
    private static final int JOURNAL = 8;
    private static final int LOST_AND_FOUND_BLOCKS = 4;
    private static final int MAX_LINKS = 65000;
    private static final int MAX_TARGET = 4095;
    private static final int BUFFER = 1 << 18;

    private final FileChannel channel;
    private final Ext4Options options;
    private final byte[] uuid;
    private final Ext4Geometry geometry;
    private final Ext4Blocks blocks;
    private final Ext4Tree tree;
    private final Ext4Inode journal;
    private final BitSet inodes = new BitSet();
    private final ByteBuffer buffer = ByteBuffer.allocate(BUFFER);

    private Ext4Writer(FileChannel channel, Ext4Options options) {
        this.channel = channel;
        this.options = options;
        this.uuid = options.uuidBytes();
        this.geometry = Ext4Geometry.of(options.size());
        this.blocks = new Ext4Blocks(geometry);
        inodes.set(1, Ext4Geometry.FIRST_FREE_INODE);
        Attributes root = Attributes.ofRoot(0755, options.created());
        this.tree = new Ext4Tree(new Ext4Inode(ROOT, Ext4Inode.Kind.DIRECTORY, root));
        this.journal =
                new Ext4Inode(
                        JOURNAL, Ext4Inode.Kind.FILE, Attributes.ofRoot(0600, options.created()));
    }

    /**
     * Creates or replaces the file.
     *
     * @throws IOException when it cannot be written
     * @throws FileSystemException {@code SIZE}
     */
    public static Ext4Writer create(Path file, Ext4Options options) throws IOException {
        FileChannel channel =
                FileChannel.open(
                        file,
                        StandardOpenOption.CREATE,
                        StandardOpenOption.TRUNCATE_EXISTING,
                        StandardOpenOption.WRITE);
        try {
            Ext4Writer writer = new Ext4Writer(channel, options);
            writer.begin();
            return writer;
        } catch (IOException | RuntimeException e) {
            channel.close();
            throw e;
        }
    }

    private void begin() throws IOException {
        // The last byte gives the file its size; what is never written reads as zeros.
        channel.write(ByteBuffer.allocate(1), geometry.blocks() * Ext4Geometry.BLOCK - 1);
        directory("lost+found", Attributes.ofRoot(0700, options.created()));
        long count = options.journal() / Ext4Geometry.BLOCK;
        if (count > 0) {
            journal.links = 1;
            journal.size = count * Ext4Geometry.BLOCK;
            journal.runs = blocks.take(count);
            write(Ext4Superblock.journal(count), journal.runs.getFirst().first());
        }
    }

    /** A directory. */
    public void directory(String path, Attributes attributes) {
        Ext4Tree.Place place = place(path);
        if (place.name().isEmpty()) {
            tree.root().attributes = attributes;
            return;
        }
        Optional<Ext4Inode> there = place.child();
        if (there.isPresent() && tree.leadsToDirectory(place)) {
            if (there.get().isDirectory()) {
                there.get().attributes = attributes;
            }
            return;
        }
        put(place, Ext4Inode.Kind.DIRECTORY, attributes);
    }

    /**
     * A regular file.
     *
     * @param size the content's length; as many bytes are read
     * @throws IOException when reading or writing fails
     * @throws FileSystemException {@code FULL}, {@code PATH}, {@code CONTENT} when the content ends
     *     early
     */
    public void file(String path, Attributes attributes, long size, InputStream content)
            throws IOException {
        Ext4Inode inode = put(place(path), Ext4Inode.Kind.FILE, attributes);
        inode.size = size;
        inode.runs = take(size);
        long left = size;
        for (Ext4Blocks.Run run : inode.runs) {
            left = copy(content, run, left, path);
        }
    }

    /** A regular file with that content. */
    public void file(String path, Attributes attributes, byte[] content) throws IOException {
        file(path, attributes, content.length, new java.io.ByteArrayInputStream(content));
    }

    /** A symbolic link with that target. */
    public void symbolicLink(String path, Attributes attributes, String target) throws IOException {
        byte[] bytes = target.getBytes(StandardCharsets.UTF_8);
        if (bytes.length == 0 || bytes.length > MAX_TARGET || target.indexOf('\0') >= 0) {
            throw new FileSystemException(
                    FileSystemException.Code.PATH, "Not a link's target, for " + path);
        }
        Ext4Tree.Place place = place(path);
        Ext4Inode inode = put(place, Ext4Inode.Kind.SYMBOLIC_LINK, attributes);
        inode.size = bytes.length;
        tree.rememberTarget(inode, target);
        if (bytes.length < Ext4Extents.ROOT_SIZE) {
            inode.inline = bytes;
        } else {
            inode.runs = take(bytes.length);
            write(bytes, inode.runs.getFirst().first());
        }
    }

    /**
     * A second name for a file that was written before.
     *
     * @throws FileSystemException {@code PATH} when there is none, or it is a directory
     */
    public void hardLink(String path, String existing) {
        Ext4Inode target =
                place(existing)
                        .child()
                        .filter(inode -> !inode.isDirectory())
                        .orElseThrow(
                                () ->
                                        new FileSystemException(
                                                FileSystemException.Code.PATH,
                                                "No file to link to at " + existing));
        Ext4Tree.Place place = place(path);
        if (place.child().filter(there -> there == target).isPresent()) {
            return;
        }
        if (target.links >= MAX_LINKS) {
            throw new FileSystemException(
                    FileSystemException.Code.FULL, "Too many names of " + existing);
        }
        remove(place);
        place.directory().children.put(place.name(), target);
        target.links++;
    }

    /** A character device node. */
    public void characterDevice(String path, Attributes attributes, int major, int minor) {
        put(place(path), Ext4Inode.Kind.CHARACTER_DEVICE, attributes).inline =
                deviceNumber(major, minor);
    }

    /** A block device node. */
    public void blockDevice(String path, Attributes attributes, int major, int minor) {
        put(place(path), Ext4Inode.Kind.BLOCK_DEVICE, attributes).inline =
                deviceNumber(major, minor);
    }

    /** A named pipe. */
    public void fifo(String path, Attributes attributes) {
        put(place(path), Ext4Inode.Kind.FIFO, attributes);
    }

    /**
     * Gives a file an extended attribute, such as {@code security.capability}.
     *
     * @param path not followed if it is a symbolic link
     * @throws FileSystemException {@code CONTENT} when it does not fit into the inode (about 70
     *     bytes in all), {@code PATH}
     */
    public void extendedAttribute(String path, String name, byte[] value) {
        Ext4Tree.Place place = place(path);
        Ext4Inode inode =
                place.name().isEmpty()
                        ? tree.root()
                        : place.child()
                                .orElseThrow(
                                        () ->
                                                new FileSystemException(
                                                        FileSystemException.Code.PATH,
                                                        "No file at " + path));
        byte[] before = inode.extendedAttributes.put(name, value.clone());
        if (!Ext4InodeRecord.known(name) || !Ext4InodeRecord.fits(inode.extendedAttributes)) {
            inode.extendedAttributes.remove(name);
            if (before != null) {
                inode.extendedAttributes.put(name, before);
            }
            throw new FileSystemException(
                    FileSystemException.Code.CONTENT,
                    "The attribute " + name + " cannot be kept at " + path);
        }
    }

    /** Whether there is something at that path; a symbolic link at its end is not followed. */
    public boolean exists(String path) {
        Ext4Tree.Place place = place(path);
        return place.name().isEmpty() || place.child().isPresent();
    }

    /** Removes what is at the path, with all below it; nothing happens when there is nothing. */
    public void remove(String path) {
        remove(place(path));
    }

    /** What is still free, in bytes. */
    public long free() {
        return blocks.free() * Ext4Geometry.BLOCK;
    }

    /**
     * Writes the directories and tables and puts all on the disk. Nothing may be added afterwards.
     */
    public void finish() throws IOException {
        BitSet directories = new BitSet();
        Set<Ext4Inode> written = new HashSet<>();
        journal.treeBlocks = treeBlocks(journal);
        writeInode(journal);
        directoryBlocks(tree.root(), tree.root(), directories, written);
        Ext4Groups groups = new Ext4Groups(geometry, blocks, inodes, directories, uuid);
        byte[] descriptors = groups.descriptors();
        int freeInodes = geometry.inodes() - inodes.cardinality();
        for (int group = 0; group < geometry.groups(); group++) {
            if (geometry.hasSuperblock(group)) {
                byte[] superblock =
                        Ext4Superblock.encode(
                                geometry, options, blocks.free(), freeInodes, journal, group);
                long first = geometry.firstBlock(group);
                long at = first * Ext4Geometry.BLOCK + (group == 0 ? Ext4Superblock.SIZE : 0);
                writeAt(superblock, at);
                write(descriptors, first + 1);
            }
            write(blocks.bitmap(group), geometry.blockBitmap(group));
            write(groups.inodeBitmap(group), geometry.inodeBitmap(group));
        }
        channel.force(true);
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }

    private void directoryBlocks(
            Ext4Inode directory, Ext4Inode parent, BitSet directories, Set<Ext4Inode> written)
            throws IOException {
        directories.set(directory.number);
        directory.links = 2;
        for (Ext4Inode child : directory.children.values()) {
            if (child.isDirectory()) {
                directory.links++;
                directoryBlocks(child, directory, directories, written);
            } else if (written.add(child)) {
                child.treeBlocks = treeBlocks(child);
                writeInode(child);
            }
        }
        // dir_nlink: 1 says that there are more than can be counted.
        directory.links = directory.links > MAX_LINKS ? 1 : directory.links;
        boolean lostAndFound = directory.number == Ext4Geometry.FIRST_FREE_INODE;
        byte[] content =
                Ext4Directory.encode(
                        uuid, directory, parent, lostAndFound ? LOST_AND_FOUND_BLOCKS : 1);
        directory.size = content.length;
        directory.runs = take(content.length);
        InputStream in = new java.io.ByteArrayInputStream(content);
        long left = content.length;
        for (Ext4Blocks.Run run : directory.runs) {
            left = copy(in, run, left, "a directory");
        }
        directory.treeBlocks = treeBlocks(directory);
        writeInode(directory);
    }

    private List<Ext4Blocks.Run> treeBlocks(Ext4Inode inode) throws IOException {
        Ext4Extents extents = new Ext4Extents(inode.runs);
        List<Ext4Blocks.Run> taken = blocks.take(extents.leaves());
        List<Long> numbers = Ext4Extents.numbers(taken);
        for (int leaf = 0; leaf < numbers.size(); leaf++) {
            write(extents.leaf(leaf, uuid, inode.number), numbers.get(leaf));
        }
        return taken;
    }

    private void writeInode(Ext4Inode inode) throws IOException {
        if (inode.links > 0) {
            writeAt(Ext4InodeRecord.encode(uuid, inode), geometry.inodePosition(inode.number));
        }
    }

    private Ext4Tree.Place place(String path) {
        return tree.place(path, this::parent);
    }

    private Ext4Inode parent() {
        Attributes attributes = Attributes.ofRoot(0755, options.created());
        return new Ext4Inode(number(), Ext4Inode.Kind.DIRECTORY, attributes);
    }

    private Ext4Inode put(Ext4Tree.Place place, Ext4Inode.Kind kind, Attributes attributes) {
        if (place.name().isEmpty()) {
            throw new FileSystemException(FileSystemException.Code.PATH, "The root is a directory");
        }
        remove(place);
        Ext4Inode inode = new Ext4Inode(number(), kind, attributes);
        inode.links = 1;
        place.directory().children.put(place.name(), inode);
        return inode;
    }

    private int number() {
        int number = inodes.nextClearBit(Ext4Geometry.FIRST_FREE_INODE);
        if (number > geometry.inodes()) {
            throw new FileSystemException(
                    FileSystemException.Code.FULL,
                    "The file system is full: it has " + geometry.inodes() + " inodes");
        }
        inodes.set(number);
        return number;
    }

    private void remove(Ext4Tree.Place place) {
        Ext4Inode removed = place.directory().children.remove(place.name());
        if (removed != null) {
            drop(removed);
        }
    }

    private void drop(Ext4Inode inode) {
        inode.children.values().forEach(this::drop);
        if (--inode.links <= 0) {
            blocks.release(inode.runs);
            inodes.clear(inode.number);
        }
    }

    private List<Ext4Blocks.Run> take(long size) {
        return blocks.take((size + Ext4Geometry.BLOCK - 1) / Ext4Geometry.BLOCK);
    }

    /** Copies into a run. Returns what is left of the size then. */
    private long copy(InputStream content, Ext4Blocks.Run run, long size, String path)
            throws IOException {
        long position = run.first() * Ext4Geometry.BLOCK;
        long here = Math.min(size, (long) run.count() * Ext4Geometry.BLOCK);
        long left = here;
        while (left > 0) {
            int wanted = (int) Math.min(left, BUFFER);
            int length = content.readNBytes(buffer.array(), 0, wanted);
            if (length < wanted) {
                throw new FileSystemException(
                        FileSystemException.Code.CONTENT, "The content ends early of " + path);
            }
            writeAt(buffer.clear().limit(length), position);
            position += length;
            left -= length;
        }
        return size - here;
    }

    private void write(byte[] bytes, long block) throws IOException {
        writeAt(bytes, block * Ext4Geometry.BLOCK);
    }

    private void writeAt(byte[] bytes, long position) throws IOException {
        writeAt(ByteBuffer.wrap(bytes), position);
    }

    private void writeAt(ByteBuffer bytes, long position) throws IOException {
        long at = position;
        while (bytes.hasRemaining()) {
            at += channel.write(bytes, at);
        }
    }

    /** Linux's new encoding where the numbers need it, the old one otherwise (new_encode_dev). */
    private static byte[] deviceNumber(int major, int minor) {
        if (major < 0 || major > 0xfff || minor < 0 || minor > 0xfffff) {
            throw new IllegalArgumentException("Device " + major + ":" + minor);
        }
        ByteBuffer out = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
        if (major < 256 && minor < 256) {
            out.putInt(major << 8 | minor);
        } else {
            out.putInt(4, minor & 0xff | major << 8 | (minor & ~0xff) << 12);
        }
        return out.array();
    }
}
