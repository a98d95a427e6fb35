package org.javisor.device;

/**
 * Registers in the I/O port space. Offsets are relative to the range the device was attached at.
 */
public interface PioDevice {
    /**
     * @param offset of the first port in the device's range
     * @param size 1, 2 or 4 bytes
     * @return the value in the low {@code size} bytes, zero above
     */
    int readPort(int offset, int size);

    /**
     * @param value in the low {@code size} bytes; the rest is undefined
     */
    void writePort(int offset, int size, int value);
}
