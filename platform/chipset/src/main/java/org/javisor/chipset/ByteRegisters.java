package org.javisor.chipset;

import org.javisor.device.PioDevice;

/**
 * A chip on the 8-bit ISA data path: the bus splits wider accesses into bytes at consecutive ports.
 */
interface ByteRegisters extends PioDevice {
    int readByte(int offset);

    void writeByte(int offset, int value);

    @Override
    default int readPort(int offset, int size) {
        int value = readByte(offset) & 0xff;
        for (int i = 1; i < size; i++) {
            value |= (readByte(offset + i) & 0xff) << (8 * i);
        }
        return value;
    }

    @Override
    default void writePort(int offset, int size, int value) {
        writeByte(offset, value & 0xff);
        for (int i = 1; i < size; i++) {
            writeByte(offset + i, value >> (8 * i) & 0xff);
        }
    }
}
