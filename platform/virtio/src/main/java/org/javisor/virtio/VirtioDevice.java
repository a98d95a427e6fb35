package org.javisor.virtio;

import org.javisor.device.DeviceState;

/**
 * A virtio device, whatever bus it hangs on: its features, its configuration space, and what it
 * does with the buffers in its queues (virtio 1.2, chapters 2 and 5).
 *
 * <p>Life: {@link #connect} once; then any number of times {@link #activate}, any number of {@link
 * #notified}, {@link #reset}; {@link #close} at the end. Between a reset and the next activation
 * the device has no queues and touches no guest memory.
 *
 * <p>Threads: every method may be called from any processor's thread, {@link #notified} also while
 * another method runs. None may wait for anything slow, except {@link #reset}, {@link #save} and
 * {@link #close}, which wait until the device has let go of guest memory. A device does what can be
 * slow on threads of its own.
 */
public interface VirtioDevice extends AutoCloseable {
    /** What kind of device (chapter 5): 1 network, 2 block, 3 console, 4 entropy and so on. */
    int deviceId();

    /**
     * The feature bits of this kind of device that are offered, bits 0 to 23 and 50 to 63; the bits
     * that concern queues and transports (section 6) are added by others.
     */
    long features();

    /**
     * Whether a driver may choose these among the features offered; for features that need others.
     */
    default boolean accepts(long chosen) {
        return true;
    }

    /** How many queues the device has, and the largest size of each: powers of two up to 1024. */
    int[] queueSizes();

    /** Bytes of the configuration space. */
    int configSize();

    /**
     * Reads the configuration space.
     *
     * @param offset with {@code size} within {@link #configSize}
     * @param size 1, 2, 4 or 8
     */
    long readConfig(int offset, int size);

    /** Writes it; what is read-only ignores that. */
    default void writeConfig(int offset, int size, long value) {}

    /** Gives the device its way to the driver; before everything else. */
    void connect(VirtioSignals signals);

    /** The driver is ready: the queues may be used from now on. */
    void activate(DriverSetup setup);

    /**
     * The driver has put something into a queue, perhaps. Comes only between activation and reset,
     * but may overlap with a reset.
     *
     * @param queue below the number of queues
     */
    void notified(int queue);

    /**
     * Returns to the state before {@link #activate}. When it returns, nothing is under way: no
     * thread of the device touches guest memory until the next activation.
     */
    void reset();

    /**
     * What the device itself has to remember, in a record of its own; queues are saved by others.
     * Called while the processors stand still. The device first completes what it has taken from
     * its queues, or puts it back.
     */
    DeviceState save();

    /**
     * Takes over what {@link #save} returned. If the driver was ready, {@link #activate} follows,
     * and {@link #notified} for each queue.
     */
    void restore(DeviceState state);

    /** Resets and gives back what the device holds of the host. */
    @Override
    void close();
}
