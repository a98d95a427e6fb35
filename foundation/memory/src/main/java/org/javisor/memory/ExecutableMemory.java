package org.javisor.memory;

import java.util.Optional;

/**
 * Host memory for code made at run time. It is mapped twice, once to be written and once to be
 * executed, so that no mapping is ever both; the latter in the lowest 2 GiB of the address space
 * while there is room. x86-64 Linux only.
 */
public final class ExecutableMemory implements AutoCloseable {
    private final long writable;
    private final long executable;
    private final long size;
    private boolean closed;

    private ExecutableMemory(long writable, long executable, long size) {
        this.writable = writable;
        this.executable = executable;
        this.size = size;
    }

    /**
     * Reserves {@code size} bytes, a multiple of 4096; what is not written costs nothing.
     *
     * @return empty if this host does not let code be made
     */
    public static Optional<ExecutableMemory> allocate(long size) {
        return LinuxMmap.available() ? of(LinuxMmap.mapTwice(size), size) : Optional.empty();
    }

    /**
     * Reserves memory that belongs to no file, not even one without a name. There perf looks for
     * the names of code in the list that a process has written, elsewhere in the file.
     */
    public static Optional<ExecutableMemory> allocateAnonymous(long size) {
        return LinuxMmap.available()
                ? of(LinuxMmap.mapAnonymousTwice(size), size)
                : Optional.empty();
    }

    private static Optional<ExecutableMemory> of(long[] mapped, long size) {
        return mapped.length == 0
                ? Optional.empty()
                : Optional.of(new ExecutableMemory(mapped[0], mapped[1], size));
    }

    /** Where the first byte is executed. */
    public long address() {
        return executable;
    }

    public long size() {
        return size;
    }

    /** Puts code in place. Nobody may be executing there, or be about to. */
    public void write(long offset, byte[] code, int length) {
        check(offset, length);
        RawMemory.copyFromArray(code, 0, writable + offset, length);
    }

    /**
     * Replaces four bytes in one store; at a multiple of 4 processors executing there see the old
     * or the new.
     */
    public void patch(long offset, int value) {
        check(offset, 4);
        RawMemory.putInt(writable + offset, value);
    }

    private void check(long offset, long length) {
        if (offset < 0 || length < 0 || offset > size - length) {
            throw new IndexOutOfBoundsException(offset + ", " + length + " of " + size);
        }
    }

    /** Gives the memory back. Nobody may execute there any more. */
    @Override
    public synchronized void close() {
        if (!closed) {
            closed = true;
            LinuxMmap.release(writable, size);
            LinuxMmap.release(executable, size);
        }
    }
}
