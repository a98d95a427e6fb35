package org.javisor.memory;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;

/**
 * Access to absolute host addresses, unchecked. One of the few places where raw addresses are
 * dereferenced.
 *
 * <p>Safe only for addresses inside a live {@link HostMapping}: callers take them from {@link
 * GuestMemory#hostAddress} or a {@code HostMapping} they own, and must not use them after it is
 * closed. A constant all-covering segment is as fast as a raw load, because HotSpot folds its
 * bounds and liveness checks.
 *
 * <p>Multi-byte values are little-endian on the only hosts that matter here; plain accesses may be
 * unaligned, atomic ones must be naturally aligned.
 */
public final class RawMemory {
    private static final MemorySegment ALL =
            MemorySegment.NULL.reinterpret(Long.MAX_VALUE); // user-space addresses are below 2^63

    private static final VarHandle INT = ValueLayout.JAVA_INT.varHandle();
    private static final VarHandle LONG = ValueLayout.JAVA_LONG.varHandle();

    private RawMemory() {}

    public static byte getByte(long address) {
        return ALL.get(ValueLayout.JAVA_BYTE, address);
    }

    public static short getShort(long address) {
        return ALL.get(ValueLayout.JAVA_SHORT_UNALIGNED, address);
    }

    public static int getInt(long address) {
        return ALL.get(ValueLayout.JAVA_INT_UNALIGNED, address);
    }

    public static long getLong(long address) {
        return ALL.get(ValueLayout.JAVA_LONG_UNALIGNED, address);
    }

    public static void putByte(long address, byte value) {
        ALL.set(ValueLayout.JAVA_BYTE, address, value);
    }

    public static void putShort(long address, short value) {
        ALL.set(ValueLayout.JAVA_SHORT_UNALIGNED, address, value);
    }

    public static void putInt(long address, int value) {
        ALL.set(ValueLayout.JAVA_INT_UNALIGNED, address, value);
    }

    public static void putLong(long address, long value) {
        ALL.set(ValueLayout.JAVA_LONG_UNALIGNED, address, value);
    }

    /**
     * Atomically replaces the aligned 32-bit word; returns the value found there, which is {@code
     * expected} on success.
     */
    public static int compareAndExchangeInt(long address, int expected, int value) {
        return (int) INT.compareAndExchange(ALL, address, expected, value);
    }

    /**
     * Atomically replaces the aligned 64-bit word; returns the value found there, which is {@code
     * expected} on success.
     */
    public static long compareAndExchangeLong(long address, long expected, long value) {
        return (long) LONG.compareAndExchange(ALL, address, expected, value);
    }

    public static int getIntVolatile(long address) {
        return (int) INT.getVolatile(ALL, address);
    }

    public static long getLongVolatile(long address) {
        return (long) LONG.getVolatile(ALL, address);
    }

    /**
     * Copies {@code length} bytes; the ranges may overlap, the result is as if through a temporary.
     */
    public static void copy(long from, long to, long length) {
        MemorySegment.copy(ALL, from, ALL, to, length);
    }

    public static void copyFromArray(byte[] source, int offset, long to, int length) {
        MemorySegment.copy(source, offset, ALL, ValueLayout.JAVA_BYTE, to, length);
    }

    public static void copyToArray(long from, byte[] target, int offset, int length) {
        MemorySegment.copy(ALL, ValueLayout.JAVA_BYTE, from, target, offset, length);
    }

    /** The bytes from {@code address} on; valid as long as the mapping that it lies in. */
    public static MemorySegment segment(long address, long length) {
        return ALL.asSlice(address, length);
    }

    /** Copies to a segment, whose bounds are checked. */
    public static void copyOut(long from, MemorySegment target, long offset, long length) {
        MemorySegment.copy(ALL, from, target, offset, length);
    }

    /** Copies from a segment, whose bounds are checked. */
    public static void copyIn(MemorySegment source, long offset, long to, long length) {
        MemorySegment.copy(source, offset, ALL, to, length);
    }

    /** The offset of the first byte in which two ranges differ, or -1. */
    public static long mismatch(long first, long second, long length) {
        return MemorySegment.mismatch(ALL, first, first + length, ALL, second, second + length);
    }

    public static void fill(long address, long length, byte value) {
        ALL.asSlice(address, length).fill(value);
    }
}
