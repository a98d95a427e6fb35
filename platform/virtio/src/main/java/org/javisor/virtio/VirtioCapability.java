package org.javisor.virtio;

import org.javisor.device.MmioDevice;
import org.javisor.pci.ConfigurationRegisters;
import org.javisor.pci.PciCapability;

/**
 * The vendor-specific PCI capabilities that say where in a BAR the structures lie, and the one
 * through which a guest reaches them without mapping the BAR (virtio 1.2, sections 4.1.4 and
 * 4.1.4.9).
 */
final class VirtioCapability {
    private static final int COMMON = 1;
    private static final int NOTIFICATIONS = 2;
    private static final int ISR = 3;
    private static final int DEVICE = 4;
    private static final int WINDOW = 5;

    /** Bytes of the structure, and where its fields are. */
    private static final int LENGTH = 16;

    private static final int OF_LENGTH = 2;
    private static final int OF_TYPE = 3;
    private static final int OF_BAR = 4;
    private static final int OF_OFFSET = 8;
    private static final int OF_SIZE = 12;
    private static final int OF_MULTIPLIER = 16;
    private static final int OF_DATA = 16;

    private final int bar;
    private final MmioDevice space;
    private final int spaceSize;

    VirtioCapability(int bar, MmioDevice space, int spaceSize) {
        this.bar = bar;
        this.space = space;
        this.spaceSize = spaceSize;
    }

    private ConfigurationRegisters.Builder structure(int type, int length, int offset, int size) {
        return ConfigurationRegisters.builder(length)
                .value(OF_LENGTH, 1, length)
                .value(OF_TYPE, 1, type)
                .value(OF_BAR, 1, bar)
                .value(OF_OFFSET, 4, offset)
                .value(OF_SIZE, 4, size);
    }

    private static PciCapability capability(ConfigurationRegisters registers) {
        return new PciCapability(PciCapability.VENDOR_SPECIFIC, registers);
    }

    PciCapability common(int offset, int size) {
        return capability(structure(COMMON, LENGTH, offset, size).build());
    }

    PciCapability isr(int offset) {
        return capability(structure(ISR, LENGTH, offset, 1).build());
    }

    PciCapability device(int offset, int size) {
        return capability(structure(DEVICE, LENGTH, offset, size).build());
    }

    PciCapability notifications(int offset, int size, int multiplier) {
        return capability(
                structure(NOTIFICATIONS, LENGTH + 4, offset, size)
                        .value(OF_MULTIPLIER, 4, multiplier)
                        .build());
    }

    /** The guest writes BAR, offset and length, and then accesses the data field. */
    PciCapability window() {
        return capability(
                structure(WINDOW, LENGTH + 4, 0, 0)
                        .value(OF_BAR, 1, 0)
                        .writable(OF_BAR, 1, 0xff)
                        .writable(OF_OFFSET, 4, -1)
                        .writable(OF_SIZE, 4, -1)
                        .writable(OF_DATA, 4, -1)
                        .build(new Window()));
    }

    private final class Window implements ConfigurationRegisters.Behaviour {
        @Override
        public void beforeRead(ConfigurationRegisters.View view, int offset, int size) {
            if (offset >= OF_DATA && usable(view)) {
                int length = view.get(OF_SIZE, 4);
                view.set(OF_DATA, 4, (int) space.readMmio(view.get(OF_OFFSET, 4), length));
            }
        }

        @Override
        public void afterWrite(ConfigurationRegisters.View view, int offset, int size) {
            if (offset >= OF_DATA && usable(view)) {
                int length = view.get(OF_SIZE, 4);
                long value = view.get(OF_DATA, 4) & 0xffffffffL >>> 32 - 8 * length;
                space.writeMmio(view.get(OF_OFFSET, 4), length, value);
            }
        }

        private boolean usable(ConfigurationRegisters.View view) {
            int offset = view.get(OF_OFFSET, 4);
            int length = view.get(OF_SIZE, 4);
            return view.get(OF_BAR, 1) == bar
                    && (length == 1 || length == 2 || length == 4)
                    && offset >= 0
                    && offset <= spaceSize - length
                    && offset % length == 0;
        }
    }
}
