package org.javisor.x86;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/** Numbers in byte arrays as x86 stores them. */
public final class LittleEndian {
    private static final VarHandle LONG = view(long[].class);
    private static final VarHandle INT = view(int[].class);
    private static final VarHandle SHORT = view(short[].class);

    private LittleEndian() {}

    private static VarHandle view(Class<?> array) {
        return MethodHandles.byteArrayViewVarHandle(array, ByteOrder.LITTLE_ENDIAN);
    }

    public static long get64(byte[] from, int offset) {
        return (long) LONG.get(from, offset);
    }

    public static int get32(byte[] from, int offset) {
        return (int) INT.get(from, offset);
    }

    public static int get16(byte[] from, int offset) {
        return (short) SHORT.get(from, offset) & 0xffff;
    }

    public static void put64(byte[] to, int offset, long value) {
        LONG.set(to, offset, value);
    }

    public static void put32(byte[] to, int offset, int value) {
        INT.set(to, offset, value);
    }

    public static void put16(byte[] to, int offset, int value) {
        SHORT.set(to, offset, (short) value);
    }
}
