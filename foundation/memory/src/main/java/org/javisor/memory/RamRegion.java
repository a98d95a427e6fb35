package org.javisor.memory;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * A contiguous range of guest-physical RAM and what is tracked of each of its 4 KiB pages.
 *
 * <p>Two facts are kept per page. {@link #CODE}: an engine holds decoded or translated code of the
 * page, so a write must reach the engine's {@link WriteObserver}. {@link #CLEAN}: dirty logging is
 * on and the page has not been written since the last harvest, so the next write must be recorded.
 * A page with neither may be written without notice.
 */
public final class RamRegion {
    /** An engine holds code of this page. */
    public static final int CODE = 1;

    /** The dirty log waits for the first write to this page. */
    public static final int CLEAN = 2;

    private static final VarHandle FLAGS = MethodHandles.arrayElementVarHandle(byte[].class);

    private final long base;
    private final long size;
    private final long hostAddress;
    private final byte[] flags;

    /**
     * @param base guest-physical address, a multiple of 4096
     * @param size bytes, a multiple of 4096
     * @param hostAddress where the region lies in the host's address space
     */
    RamRegion(long base, long size, long hostAddress) {
        if (((base | size) & 0xfff) != 0 || size <= 0) {
            throw new IllegalArgumentException("Region is not page-aligned");
        }
        this.base = base;
        this.size = size;
        this.hostAddress = hostAddress;
        this.flags = new byte[Math.toIntExact(size >>> 12)];
    }

    public long base() {
        return base;
    }

    public long size() {
        return size;
    }

    /** Exclusive. */
    public long end() {
        return base + size;
    }

    public long hostAddress() {
        return hostAddress;
    }

    public boolean contains(long gpa) {
        return Long.compareUnsigned(gpa - base, size) < 0;
    }

    /** The tracking flags of the page that holds {@code gpa}; read with volatile semantics. */
    int flags(long gpa) {
        return (byte) FLAGS.getVolatile(flags, (int) ((gpa - base) >>> 12));
    }

    void setFlags(long gpa, int bits) {
        byte ignored =
                (byte) FLAGS.getAndBitwiseOr(flags, (int) ((gpa - base) >>> 12), (byte) bits);
    }

    /** Returns the flags before the change. */
    int clearFlags(long gpa, int bits) {
        return (byte) FLAGS.getAndBitwiseAnd(flags, (int) ((gpa - base) >>> 12), (byte) ~bits);
    }
}
