package org.javisor.device;

import java.util.List;

/** Memory-mapped registers. Offsets are relative to the range the device was attached at. */
public interface MmioDevice {
    /**
     * @param size 1, 2, 4 or 8 bytes; the offset may be unaligned, the access never leaves the
     *     device's range
     * @return the value in the low {@code size} bytes, zero above
     */
    long readMmio(long offset, int size);

    /**
     * @param value in the low {@code size} bytes; the rest is undefined
     */
    void writeMmio(long offset, int size, long value);

    /** Registers that engines may signal instead of calling this; always the same list. */
    default List<Doorbell> doorbells() {
        return List.of();
    }
}
