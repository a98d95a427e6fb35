package org.javisor.storage;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/**
 * A file in memory that can lose power: what was written since the last flush then survives in any
 * part, sector by sector. It can also fill up.
 */
final class FaultyFile implements HostFile {
    private static final int SECTOR = 512;
    private static final int MOST = 64 << 20;

    /** What the "disk" holds for certain. */
    private byte[] durable;

    private byte[] current;
    private final List<Change> unflushed = new ArrayList<>();
    private int writesUntilFull = Integer.MAX_VALUE;

    private record Change(long offset, byte[] bytes) {}

    private final boolean remembers;

    FaultyFile(byte[] contents) {
        this(contents, true);
    }

    private FaultyFile(byte[] contents, boolean remembers) {
        this.remembers = remembers;
        durable = remembers ? contents.clone() : contents;
        current = contents.clone();
    }

    /** One that never loses power, and so need not remember what was flushed. */
    static FaultyFile lasting(byte[] contents) {
        return new FaultyFile(contents, false);
    }

    /** After so many more writes the disk is full. */
    synchronized void fillUpAfter(int writes) {
        writesUntilFull = writes;
    }

    /** The file after power was lost just now: a random part of what was not flushed is there. */
    synchronized FaultyFile afterPowerLoss(Random random) {
        byte[] left = durable.clone();
        int odds = random.nextInt(5);
        for (Change change : unflushed) {
            for (int at = 0; at < change.bytes.length; ) {
                int sector = SECTOR - (int) ((change.offset + at) % SECTOR);
                int length = Math.min(sector, change.bytes.length - at);
                if (random.nextInt(4) < odds) {
                    int end = (int) change.offset + at + length;
                    if (left.length < end) {
                        left = Arrays.copyOf(left, end);
                    }
                    System.arraycopy(change.bytes, at, left, (int) change.offset + at, length);
                }
                at += length;
            }
        }
        return new FaultyFile(left);
    }

    @Override
    public Path path() {
        return Path.of("faulty");
    }

    @Override
    public synchronized long length() {
        return current.length;
    }

    @Override
    public int alignment() {
        return 1;
    }

    @Override
    public synchronized void read(long offset, MemorySegment... targets) {
        assertThat(offset).isNotNegative();
        for (MemorySegment target : targets) {
            target.fill((byte) 0);
            int length = (int) Math.clamp(current.length - offset, 0, target.byteSize());
            if (length > 0) {
                MemorySegment.copy(current, (int) offset, target, ValueLayout.JAVA_BYTE, 0, length);
            }
            offset += target.byteSize();
        }
    }

    @Override
    public synchronized void write(long offset, MemorySegment... sources) {
        for (MemorySegment source : sources) {
            assertThat(offset).isNotNegative();
            if (writesUntilFull-- <= 0 || offset + source.byteSize() > MOST) {
                throw new StorageException(StorageException.Code.NO_SPACE, "Full");
            }
            byte[] bytes = source.toArray(ValueLayout.JAVA_BYTE);
            put(offset, bytes);
            offset += bytes.length;
        }
    }

    private void put(long offset, byte[] bytes) {
        if (current.length < offset + bytes.length) {
            current = Arrays.copyOf(current, (int) offset + bytes.length);
        }
        System.arraycopy(bytes, 0, current, (int) offset, bytes.length);
        if (remembers) {
            unflushed.add(new Change(offset, bytes));
        }
    }

    @Override
    public synchronized void flush() {
        if (remembers) {
            durable = current.clone();
            unflushed.clear();
        }
    }

    @Override
    public synchronized boolean punchHole(long offset, long length) {
        assertThat(offset).isNotNegative();
        int end = (int) Math.min(current.length, offset + length);
        if (end > offset) {
            put(offset, new byte[end - (int) offset]);
        }
        return true;
    }

    @Override
    public boolean zeroRange(long offset, long length) {
        return false;
    }

    @Override
    public boolean reserve(long offset, long length) {
        return false;
    }

    @Override
    public synchronized void setLength(long length) {
        current = Arrays.copyOf(current, (int) length);
        flush();
    }

    @Override
    public long nextData(long offset) {
        return offset;
    }

    @Override
    public long nextHole(long offset) {
        return length();
    }

    @Override
    public void close() {}
}
