package org.javisor.gdb;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.javisor.hypervisor.VcpuState;

/**
 * A register of the target description.
 *
 * @param size in bytes
 * @param type a type that the description's feature knows
 * @param group what {@code info registers} lists it under, or empty
 */
record Register(String name, int size, String type, String group, Place place) {
    /** Where a register's value is kept. */
    sealed interface Place permits Number, Area {}

    /** A value of up to 64 bits. */
    non-sealed interface Number extends Place {
        long get(VcpuState state);

        /**
         * @param value zero-extended from the register's size
         * @return whether the register takes it
         */
        boolean set(VcpuState state, long value);
    }

    /** A stretch of {@link VcpuState#xsave}. */
    record Area(int offset) implements Place {}

    /** Appends the value, little-endian. */
    void read(VcpuState state, ByteBuffer target) {
        switch (place) {
            case Number number -> {
                long value = number.get(state);
                for (int n = 0; n < size; n++) {
                    target.put((byte) (value >> 8 * n));
                }
            }
            case Area area -> target.put(state.xsave, area.offset(), size);
        }
    }

    /**
     * Takes the value from a buffer's next bytes.
     *
     * @return whether the register takes it
     */
    boolean write(VcpuState state, ByteBuffer source) {
        return switch (place) {
            case Number number -> {
                long value = 0;
                for (int n = 0; n < size; n++) {
                    value |= (source.get() & 0xffL) << 8 * n;
                }
                yield number.set(state, value);
            }
            case Area area -> {
                source.get(state.xsave, area.offset(), size);
                yield true;
            }
        };
    }

    byte[] value(VcpuState state) {
        ByteBuffer buffer = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
        read(state, buffer);
        return buffer.array();
    }
}
