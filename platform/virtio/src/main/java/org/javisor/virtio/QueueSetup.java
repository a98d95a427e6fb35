package org.javisor.virtio;

/**
 * What a driver tells of a queue before it uses it (virtio 1.2, 4.1.4.3 and 4.2.2).
 *
 * @param size entries
 * @param descriptors guest-physical address of the descriptor table or ring
 * @param driverArea of the available ring, or of the driver's event suppression structure
 * @param deviceArea of the used ring, or of the device's event suppression structure
 * @param ready whether the driver enabled it
 */
record QueueSetup(int size, long descriptors, long driverArea, long deviceArea, boolean ready) {
    static QueueSetup initial(int size) {
        return new QueueSetup(size, 0, 0, 0, false);
    }

    /** Whether a queue of the layout can be used: alignment as in 2.7 and 2.8.10. */
    boolean valid(boolean packed, int maximumSize) {
        boolean sized = size > 0 && size <= maximumSize && (packed || Integer.bitCount(size) == 1);
        boolean aligned =
                (descriptors & 15) == 0
                        && (driverArea & (packed ? 3 : 1)) == 0
                        && (deviceArea & 3) == 0;
        return sized && aligned;
    }

    QueueSetup withSize(int newSize) {
        return new QueueSetup(newSize, descriptors, driverArea, deviceArea, ready);
    }

    QueueSetup withDescriptors(long address) {
        return new QueueSetup(size, address, driverArea, deviceArea, ready);
    }

    QueueSetup withDriverArea(long address) {
        return new QueueSetup(size, descriptors, address, deviceArea, ready);
    }

    QueueSetup withDeviceArea(long address) {
        return new QueueSetup(size, descriptors, driverArea, address, ready);
    }

    QueueSetup withReady(boolean newReady) {
        return new QueueSetup(size, descriptors, driverArea, deviceArea, newReady);
    }

    /** An address with its lower half replaced. */
    static long low(long address, int value) {
        return address & -1L << 32 | value & 0xffffffffL;
    }

    /** An address with its upper half replaced. */
    static long high(long address, int value) {
        return address & 0xffffffffL | (long) value << 32;
    }
}
