package org.javisor.kvm;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;

/** Members of C structures by name: for what is not done often. */
final class Fields {
    private Fields() {}

    static int getByte(MemorySegment at, StructLayout layout, String member) {
        return at.get(ValueLayout.JAVA_BYTE, Layouts.offset(layout, member)) & 0xff;
    }

    static int getShort(MemorySegment at, StructLayout layout, String member) {
        return at.get(ValueLayout.JAVA_SHORT, Layouts.offset(layout, member)) & 0xffff;
    }

    static int getInt(MemorySegment at, StructLayout layout, String member) {
        return at.get(ValueLayout.JAVA_INT, Layouts.offset(layout, member));
    }

    static long getLong(MemorySegment at, StructLayout layout, String member) {
        return at.get(ValueLayout.JAVA_LONG, Layouts.offset(layout, member));
    }

    static void putByte(MemorySegment at, StructLayout layout, String member, int value) {
        at.set(ValueLayout.JAVA_BYTE, Layouts.offset(layout, member), (byte) value);
    }

    static void putShort(MemorySegment at, StructLayout layout, String member, int value) {
        at.set(ValueLayout.JAVA_SHORT, Layouts.offset(layout, member), (short) value);
    }

    static void putInt(MemorySegment at, StructLayout layout, String member, int value) {
        at.set(ValueLayout.JAVA_INT, Layouts.offset(layout, member), value);
    }

    static void putLong(MemorySegment at, StructLayout layout, String member, long value) {
        at.set(ValueLayout.JAVA_LONG, Layouts.offset(layout, member), value);
    }
}
