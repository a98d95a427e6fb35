package org.javisor.virtio.blk;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import org.javisor.storage.BlockBackend;
import org.javisor.storage.MemoryDisk;
import org.javisor.storage.StorageException;

/** A disk in memory whose requests can be held up, failed and looked at. */
final class ScriptedDisk implements BlockBackend {
    final List<String> calls = new CopyOnWriteArrayList<>();
    final AtomicInteger running = new AtomicInteger();
    volatile Semaphore gate;
    volatile StorageException failure;
    volatile CountDownLatch closed = new CountDownLatch(1);
    private final MemoryDisk disk;

    ScriptedDisk(long size, boolean readOnly) {
        disk = new MemoryDisk(size, readOnly);
    }

    private void pass(String call) {
        Semaphore held = gate;
        running.incrementAndGet();
        if (held != null) {
            held.acquireUninterruptibly();
        }
        running.decrementAndGet();
        calls.add(call);
        if (failure != null) {
            throw failure;
        }
    }

    @Override
    public long size() {
        return disk.size();
    }

    @Override
    public int logicalBlockSize() {
        return disk.logicalBlockSize();
    }

    @Override
    public int discardGranularity() {
        return disk.discardGranularity();
    }

    @Override
    public boolean readOnly() {
        return disk.readOnly();
    }

    @Override
    public void read(long offset, MemorySegment... targets) {
        pass("read " + offset);
        disk.read(offset, targets);
    }

    @Override
    public void write(long offset, MemorySegment... sources) {
        pass("write " + offset);
        disk.write(offset, sources);
    }

    @Override
    public void flush() {
        pass("flush");
    }

    @Override
    public void discard(long offset, long length) {
        pass("discard " + offset + "+" + length);
        disk.discard(offset, length);
    }

    @Override
    public void writeZeroes(long offset, long length, boolean mayUnmap) {
        pass("zero " + offset + "+" + length + (mayUnmap ? " unmap" : ""));
        disk.writeZeroes(offset, length, mayUnmap);
    }

    @Override
    public void close() {
        disk.close();
        closed.countDown();
    }
}
