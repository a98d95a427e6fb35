package org.javisor.gdb;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
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

    /** A stretch of {@link VcpuState#xsave}; of its later part only if the engine has it. */
    record Area(int offset) implements Place {
        private boolean isExtended() {
            return offset >= RegisterPlaces.YMM0_HIGH;
        }

        private boolean isInUse(VcpuState state) {
            return !isExtended()
                    || (state.xsave[RegisterPlaces.XSTATE_BV] & RegisterPlaces.AVX) != 0;
        }

        private void read(VcpuState state, ByteBuffer target, int size) {
            boolean there = offset + size <= state.xsave.length && isInUse(state);
            target.put(
                    there
                            ? Arrays.copyOfRange(state.xsave, offset, offset + size)
                            : new byte[size]);
        }

        /** A component that was in its initial configuration, all zero, is in use from here on. */
        private boolean write(VcpuState state, ByteBuffer source, int size) {
            byte[] value = new byte[size];
            source.get(value);
            if (offset + size > state.xsave.length) {
                return false;
            }
            if (!isInUse(state)) {
                if (Arrays.equals(value, new byte[size])) {
                    return true;
                }
                Arrays.fill(
                        state.xsave,
                        RegisterPlaces.YMM0_HIGH,
                        RegisterPlaces.YMM0_HIGH + 16 * 16,
                        (byte) 0);
                state.xsave[RegisterPlaces.XSTATE_BV] |= RegisterPlaces.AVX;
            }
            System.arraycopy(value, 0, state.xsave, offset, size);
            return true;
        }
    }

    /** Appends the value, little-endian. */
    void read(VcpuState state, ByteBuffer target) {
        switch (place) {
            case Number number -> {
                long value = number.get(state);
                for (int n = 0; n < size; n++) {
                    target.put((byte) (value >> 8 * n));
                }
            }
            case Area area -> area.read(state, target, size);
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
            case Area area -> area.write(state, source, size);
        };
    }

    byte[] value(VcpuState state) {
        ByteBuffer buffer = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
        read(state, buffer);
        return buffer.array();
    }
}
