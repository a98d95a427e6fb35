package org.javisor.virtio;

import java.util.Arrays;
import java.util.List;
import java.util.OptionalLong;
import java.util.stream.IntStream;
import org.javisor.device.Device;
import org.javisor.device.DeviceState;
import org.javisor.device.Doorbell;
import org.javisor.device.MmioDevice;
import org.javisor.memory.GuestMemory;
import org.javisor.pci.Bar;
import org.javisor.pci.PciFunction;
import org.javisor.pci.PciIdentity;

/**
 * The PCI transport, without the legacy interface (virtio 1.2, section 4.1): all structures in one
 * BAR, a page each, and an MSI-X vector for each queue and one for configuration changes; INTx for
 * guests without MSI-X.
 *
 * <p>The device touches guest memory only while the function's bus master bit is on. A driver that
 * turns it off while the device is in use has to reset the device.
 *
 * <p>Plug {@link #function} into a bus. The function and this are two parts of one device's state:
 * both are reset by the function's reset, and each has its own snapshot record.
 */
public final class VirtioPci implements Device<VirtioPci.State> {
    private static final int VENDOR = 0x1af4;
    private static final int FIRST_DEVICE = 0x1040;

    private static final int REGISTERS_BAR = 0;
    private static final int MSIX_BAR = 1;

    /** Where the structures lie in their BAR. */
    private static final int COMMON = 0;

    private static final int ISR = 0x1000;
    static final int DEVICE = 0x2000;
    private static final int NOTIFY = 0x3000;
    private static final int BAR_SIZE = 0x4000;
    private static final int COMMON_SIZE = 0x38;
    private static final int NOTIFY_MULTIPLIER = 4;

    private static final int NO_VECTOR = 0xffff;
    private static final int USED_BUFFERS = 1;
    private static final int CONFIGURATION_CHANGED = 2;

    private final VirtioDevice device;
    private final CommonConfiguration common;
    private final CommonRegisters registers;
    private final PciFunction function;
    private final int vectorCount;

    /** By queue, then of the configuration. Elements are replaced singly, and read without lock. */
    private final int[] vectors;

    private final Object interruptLock = new Object();
    private int interruptStatus;

    /**
     * @param name for statistics, such as {@code virtio-blk0}
     * @param packed whether the driver may choose the packed layout of queues
     */
    public VirtioPci(String name, VirtioDevice device, GuestMemory memory, boolean packed) {
        this.device = device;
        common = new CommonConfiguration(device, memory, new Interrupts(), packed);
        registers = new CommonRegisters(common, this::vector, this::setVector);
        int queues = common.queueCount();
        vectorCount = queues + 1;
        vectors = new int[queues + 1];
        Arrays.fill(vectors, NO_VECTOR);
        MmioDevice space = new Space();
        VirtioCapability structures = new VirtioCapability(REGISTERS_BAR, space, BAR_SIZE);
        int id = device.deviceId();
        function =
                PciFunction.builder(
                                name,
                                PciIdentity.of(VENDOR, FIRST_DEVICE + id, classCode(id))
                                        .withRevision(1)
                                        .withSubsystem(VENDOR, FIRST_DEVICE + id))
                        .bar(REGISTERS_BAR, Bar.memory32(BAR_SIZE, space))
                        .capability(structures.common(COMMON, COMMON_SIZE))
                        .capability(
                                structures.notifications(
                                        NOTIFY, NOTIFY_MULTIPLIER * queues, NOTIFY_MULTIPLIER))
                        .capability(structures.isr(ISR))
                        .capability(structures.device(DEVICE, Math.max(4, device.configSize())))
                        .capability(structures.window())
                        .msix(MSIX_BAR, vectorCount)
                        .interruptPin(1)
                        .pciExpress()
                        .onReset(this::reset)
                        .onBusMaster(common::allowAccess)
                        .build();
        common.allowAccess(false);
    }

    /** PCI Code and ID Assignment Specification 1.11, section 1. */
    private static int classCode(int deviceId) {
        return switch (deviceId) {
            case 1 -> 0x020000; // Ethernet controller
            case 2 -> 0x010000; // SCSI controller, the subclass that guests look for
            case 3 -> 0x078000; // other communication controller
            case 9 -> 0x000200; // no class
            case 19 -> 0x028000; // other network controller
            default -> 0x00ff00; // no class
        };
    }

    /** What to plug into the bus. */
    public PciFunction function() {
        return function;
    }

    private final class Interrupts implements CommonConfiguration.Interrupts {
        @Override
        public void ofQueue(int index) {
            raise(vectors[index], USED_BUFFERS);
        }

        @Override
        public void ofConfiguration() {
            raise(vectors[vectorCount - 1], CONFIGURATION_CHANGED);
        }
    }

    private void raise(int vector, int cause) {
        if (function.msix().enabled()) {
            if (vector < vectorCount) {
                function.msix().signal(vector);
            }
            return;
        }
        synchronized (interruptLock) {
            interruptStatus |= cause;
            function.intx().drive(true);
        }
    }

    /** Reading the interrupt status takes the interrupt back (4.1.4.5). */
    private int takeInterruptStatus() {
        synchronized (interruptLock) {
            int status = interruptStatus;
            interruptStatus = 0;
            function.intx().drive(false);
            return status;
        }
    }

    private int vector(int index) {
        return index < vectorCount ? vectors[index] : NO_VECTOR;
    }

    private void setVector(int index, int vector) {
        if (index < vectorCount) {
            vectors[index] = vector < vectorCount ? vector : NO_VECTOR;
        }
    }

    /** What the BAR leads to. */
    private final class Space implements MmioDevice {
        /** Which queue it is the address tells; drivers write 16 bits (4.1.5.2). */
        private final List<Doorbell> doorbells =
                IntStream.range(0, common.queueCount())
                        .mapToObj(
                                queue ->
                                        new Doorbell(
                                                NOTIFY + (long) NOTIFY_MULTIPLIER * queue,
                                                0,
                                                OptionalLong.empty(),
                                                () -> common.notified(queue)))
                        .toList();

        @Override
        public List<Doorbell> doorbells() {
            return doorbells;
        }

        @Override
        public long readMmio(long offset, int size) {
            int at = (int) offset;
            if (at >= NOTIFY) {
                return 0;
            }
            if (at >= DEVICE) {
                int within = at - DEVICE;
                return within + size <= device.configSize() ? device.readConfig(within, size) : 0;
            }
            if (at >= ISR) {
                return at == ISR ? takeInterruptStatus() : 0;
            }
            return registers.read(at, size);
        }

        @Override
        public void writeMmio(long offset, int size, long value) {
            int at = (int) offset;
            if (at >= NOTIFY) {
                common.notified((at - NOTIFY) / NOTIFY_MULTIPLIER);
            } else if (at >= DEVICE) {
                int within = at - DEVICE;
                if (within + size <= device.configSize()) {
                    device.writeConfig(within, size, value);
                }
            } else if (at < ISR) {
                registers.write(at, size, value);
                if (at == CommonRegisters.STATUS && (value & 0xff) == 0) {
                    forgetInterrupts();
                }
            }
        }
    }

    private void forgetInterrupts() {
        Arrays.fill(vectors, NO_VECTOR);
        int ignored = takeInterruptStatus();
    }

    @Override
    public void reset() {
        common.reset();
        common.allowAccess(function.busMaster());
        forgetInterrupts();
    }

    /**
     * @param interruptStatus what the driver has not read yet
     * @param vectors by queue, then of the configuration
     */
    public record State(int interruptStatus, int[] vectors, VirtioState common)
            implements DeviceState {
        @Override
        public int version() {
            return 1;
        }
    }

    @Override
    public State save() {
        VirtioState saved = common.save();
        synchronized (interruptLock) {
            return new State(interruptStatus, vectors.clone(), saved);
        }
    }

    @Override
    public void restore(State state) {
        System.arraycopy(state.vectors(), 0, vectors, 0, vectorCount);
        synchronized (interruptLock) {
            interruptStatus = state.interruptStatus();
            function.intx().drive(interruptStatus != 0);
        }
        common.restore(state.common());
    }
}
