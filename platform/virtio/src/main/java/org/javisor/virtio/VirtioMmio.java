package org.javisor.virtio;

import java.util.List;
import java.util.OptionalLong;
import java.util.stream.IntStream;
import org.javisor.device.Device;
import org.javisor.device.DeviceState;
import org.javisor.device.Doorbell;
import org.javisor.device.InterruptLine;
import org.javisor.device.MmioDevice;
import org.javisor.memory.GuestMemory;

/**
 * The memory-mapped transport: 4 KiB of registers and one interrupt line (virtio 1.2, section 4.2,
 * version 2 of the layout). Registers are read and written as aligned 32-bit words; other accesses
 * read zero and change nothing. The configuration space may be accessed in any size.
 *
 * <p>Not here: shared memory regions, and the legacy layout.
 */
public final class VirtioMmio implements MmioDevice, Device<VirtioMmio.State> {
    /** Bytes of the register range. */
    public static final long SIZE = 0x1000;

    private static final int CONFIGURATION = 0x100;
    private static final int MAGIC = 0x74726976; // "virt"
    private static final int VERSION = 2;
    private static final int VENDOR = 0x5649564a; // "JVIV"; not a registered number, none is needed

    private static final int USED_BUFFERS = 1;
    private static final int CONFIGURATION_CHANGED = 2;

    private static final int NOTIFY = 0x50;

    private final CommonConfiguration common;
    private final VirtioDevice device;
    private final List<Doorbell> doorbells;
    private final InterruptLine line;
    private final Object interruptLock = new Object();
    private int interruptStatus;

    /**
     * @param line level-triggered, active high
     * @param packed whether the driver may choose the packed layout of queues
     */
    public VirtioMmio(VirtioDevice device, GuestMemory memory, InterruptLine line, boolean packed) {
        this.device = device;
        this.line = line;
        common = new CommonConfiguration(device, memory, new Lines(), packed);
        doorbells =
                IntStream.range(0, common.queueCount())
                        .mapToObj(
                                queue ->
                                        new Doorbell(
                                                NOTIFY,
                                                4,
                                                OptionalLong.of(queue),
                                                () -> common.notified(queue)))
                        .toList();
    }

    @Override
    public List<Doorbell> doorbells() {
        return doorbells;
    }

    private final class Lines implements CommonConfiguration.Interrupts {
        @Override
        public void ofQueue(int index) {
            raise(USED_BUFFERS);
        }

        @Override
        public void ofConfiguration() {
            raise(CONFIGURATION_CHANGED);
        }
    }

    private void raise(int cause) {
        synchronized (interruptLock) {
            interruptStatus |= cause;
            line.drive(true);
        }
    }

    private void acknowledge(int causes) {
        synchronized (interruptLock) {
            interruptStatus &= ~causes;
            line.drive(interruptStatus != 0);
        }
    }

    private int interruptStatus() {
        synchronized (interruptLock) {
            return interruptStatus;
        }
    }

    @Override
    public long readMmio(long offset, int size) {
        int at = (int) offset;
        if (at >= CONFIGURATION) {
            int within = at - CONFIGURATION;
            return within + size <= device.configSize() ? device.readConfig(within, size) : 0;
        }
        return size == 4 ? readRegister(at) & 0xffffffffL : 0;
    }

    private int readRegister(int at) {
        return switch (at) {
            case 0x00 -> MAGIC;
            case 0x04 -> VERSION;
            case 0x08 -> device.deviceId();
            case 0x0c -> VENDOR;
            case 0x10 -> common.deviceFeatures();
            case 0x34 -> common.maximumQueueSize();
            case 0x44 -> common.queue().ready() ? 1 : 0;
            case 0x60 -> interruptStatus();
            case 0x70 -> common.status();
            // No shared memory region: length and base are all ones (4.2.2).
            case 0xb0, 0xb4, 0xb8, 0xbc -> -1;
            case 0xfc -> common.generation();
            default -> 0;
        };
    }

    @Override
    public void writeMmio(long offset, int size, long value) {
        int at = (int) offset;
        if (at >= CONFIGURATION) {
            int within = at - CONFIGURATION;
            if (within + size <= device.configSize()) {
                device.writeConfig(within, size, value);
            }
        } else if (size == 4) {
            writeRegister(at, (int) value);
        }
    }

    private void writeRegister(int at, int value) {
        switch (at) {
            case 0x14 -> common.selectDeviceFeatures(value);
            case 0x20 -> common.setDriverFeatures(value);
            case 0x24 -> common.selectDriverFeatures(value);
            case 0x30 -> common.selectQueue(value);
            case NOTIFY -> common.notified(value);
            case 0x64 -> acknowledge(value);
            case 0x70 -> setStatus(value);
            case 0x38, 0x44, 0x80, 0x84, 0x90, 0x94, 0xa0, 0xa4 -> setUpQueue(at, value);
            default -> {}
        }
    }

    private void setUpQueue(int at, int value) {
        QueueSetup queue = common.queue();
        common.setQueue(
                switch (at) {
                    case 0x38 -> queue.withSize(value);
                    case 0x44 -> queue.withReady((value & 1) != 0);
                    case 0x80 -> queue.withDescriptors(QueueSetup.low(queue.descriptors(), value));
                    case 0x84 -> queue.withDescriptors(QueueSetup.high(queue.descriptors(), value));
                    case 0x90 -> queue.withDriverArea(QueueSetup.low(queue.driverArea(), value));
                    case 0x94 -> queue.withDriverArea(QueueSetup.high(queue.driverArea(), value));
                    case 0xa0 -> queue.withDeviceArea(QueueSetup.low(queue.deviceArea(), value));
                    case 0xa4 -> queue.withDeviceArea(QueueSetup.high(queue.deviceArea(), value));
                    default -> queue;
                });
    }

    private void setStatus(int value) {
        common.setStatus(value);
        if ((value & 0xff) == 0) {
            acknowledge(-1);
        }
    }

    @Override
    public void reset() {
        common.reset();
        acknowledge(-1);
    }

    /**
     * @param interruptStatus what the driver has not acknowledged yet
     */
    public record State(int interruptStatus, VirtioState common) implements DeviceState {
        @Override
        public int version() {
            return 1;
        }
    }

    @Override
    public State save() {
        VirtioState saved = common.save();
        return new State(interruptStatus(), saved);
    }

    @Override
    public void restore(State state) {
        acknowledge(-1);
        common.restore(state.common());
        if (state.interruptStatus() != 0) {
            raise(state.interruptStatus());
        }
    }
}
