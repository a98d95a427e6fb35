package org.javisor.virtio;

import java.util.function.IntUnaryOperator;

/**
 * The common configuration structure of the PCI transport (virtio 1.2, section 4.1.4.3). Fields are
 * accessed in their own width, those of 64 bits in halves (4.1.3.1); other accesses read zero and
 * change nothing.
 */
final class CommonRegisters {
    static final int STATUS = 0x14;

    /** Stores the vector of a queue, or of the configuration: the index after the last queue. */
    @FunctionalInterface
    interface VectorTable {
        void set(int index, int vector);
    }

    private final CommonConfiguration common;
    private final IntUnaryOperator vectors;
    private final VectorTable setVector;

    CommonRegisters(CommonConfiguration common, IntUnaryOperator vectors, VectorTable setVector) {
        this.common = common;
        this.vectors = vectors;
        this.setVector = setVector;
    }

    private static int width(int at) {
        return switch (at) {
            case 0x00, 0x04, 0x08, 0x0c, 0x20, 0x24, 0x28, 0x2c, 0x30, 0x34 -> 4;
            case 0x10, 0x12, 0x16, 0x18, 0x1a, 0x1c, 0x1e -> 2;
            case STATUS, 0x15 -> 1;
            default -> 0;
        };
    }

    long read(int at, int size) {
        if (size != width(at)) {
            // Whole addresses at once, which some drivers read although they are not to.
            return size == 8 && width(at) == 4 && at >= 0x20
                    ? read(at, 4) | read(at + 4, 4) << 32
                    : 0;
        }
        return switch (at) {
                    case 0x00 -> common.deviceFeatureWord();
                    case 0x04 -> common.deviceFeatures();
                    case 0x08 -> common.driverFeatureWord();
                    case 0x0c -> common.driverFeatures();
                    case 0x10 -> vectors.applyAsInt(common.queueCount());
                    case 0x12 -> common.queueCount();
                    case STATUS -> common.status();
                    case 0x15 -> common.generation();
                    case 0x16 -> common.selectedQueue();
                    case 0x18 -> common.queue().size();
                    case 0x1a -> vectors.applyAsInt(queueIndex());
                    case 0x1c -> common.queue().ready() ? 1 : 0;
                    case 0x1e -> common.selectedQueue();
                    case 0x20 -> (int) common.queue().descriptors();
                    case 0x24 -> (int) (common.queue().descriptors() >>> 32);
                    case 0x28 -> (int) common.queue().driverArea();
                    case 0x2c -> (int) (common.queue().driverArea() >>> 32);
                    case 0x30 -> (int) common.queue().deviceArea();
                    case 0x34 -> (int) (common.queue().deviceArea() >>> 32);
                    default -> 0;
                }
                & 0xffffffffL >>> 32 - 8 * size;
    }

    /** The selected queue's index in the table of vectors; past its end if there is no such. */
    private int queueIndex() {
        int selected = common.selectedQueue();
        return selected < common.queueCount() ? selected : Integer.MAX_VALUE;
    }

    void write(int at, int size, long wide) {
        if (size == 8 && width(at) == 4 && at >= 0x20) {
            write(at, 4, wide);
            write(at + 4, 4, wide >>> 32);
            return;
        }
        if (size != width(at)) {
            return;
        }
        int value = (int) (wide & 0xffffffffL >>> 32 - 8 * size);
        switch (at) {
            case 0x00 -> common.selectDeviceFeatures(value);
            case 0x08 -> common.selectDriverFeatures(value);
            case 0x0c -> common.setDriverFeatures(value);
            case 0x10 -> setVector.set(common.queueCount(), value);
            case STATUS -> common.setStatus(value);
            case 0x16 -> common.selectQueue(value);
            case 0x1a -> setVector.set(queueIndex(), value);
            default -> common.setQueue(setUp(common.queue(), at, value));
        }
    }

    private static QueueSetup setUp(QueueSetup queue, int at, int value) {
        return switch (at) {
            case 0x18 -> queue.withSize(value);
            // A queue is disabled by a reset only (4.1.4.3.2).
            case 0x1c -> value == 1 ? queue.withReady(true) : queue;
            case 0x20 -> queue.withDescriptors(QueueSetup.low(queue.descriptors(), value));
            case 0x24 -> queue.withDescriptors(QueueSetup.high(queue.descriptors(), value));
            case 0x28 -> queue.withDriverArea(QueueSetup.low(queue.driverArea(), value));
            case 0x2c -> queue.withDriverArea(QueueSetup.high(queue.driverArea(), value));
            case 0x30 -> queue.withDeviceArea(QueueSetup.low(queue.deviceArea(), value));
            case 0x34 -> queue.withDeviceArea(QueueSetup.high(queue.deviceArea(), value));
            default -> queue;
        };
    }
}
