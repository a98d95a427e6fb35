package org.javisor.machine;

import org.javisor.device.Clock;
import org.javisor.memory.GuestMemory;
import org.javisor.pci.PciFunction;

/** A device that is plugged into a machine's PCI bus, and what it has outside of the machine. */
public interface PciDevice extends AutoCloseable {
    /** Makes a device while its machine is made. */
    @FunctionalInterface
    interface Factory {
        /**
         * @throws MachineException if the device cannot be made; so does the machine's creation
         */
        PciDevice create(Surroundings surroundings);
    }

    /**
     * What a device is built from besides its own options.
     *
     * @param machine its name, for threads and messages
     * @param cpus how many processors it has
     */
    record Surroundings(
            String machine, int cpus, GuestMemory memory, Clock clock, GuestRequests requests) {}

    /** A device that is its function and nothing else. */
    static PciDevice of(PciFunction function) {
        return () -> function;
    }

    /**
     * What to plug in, always the same. Its {@code onReset} resets the device when the machine is
     * reset.
     */
    PciFunction function();

    /**
     * Ends threads, files and whatever else the device has outside of the machine. The processors
     * no longer run; guest memory is still there.
     */
    @Override
    default void close() {}
}
