package org.javisor.device;

/**
 * What every device with state can do besides its registers.
 *
 * @param <S> its snapshot record, versioned by its own type
 */
public interface Device<S extends DeviceState> {
    /**
     * Returns to the state after power-on, as the chip's reset pin does; drives its interrupt lines
     * low.
     */
    void reset();

    /** The complete state; taken while the machine is paused. */
    S save();

    /**
     * Takes over a state made by {@link #save()}, of this or an earlier version; re-arms alarms and
     * lines.
     */
    void restore(S state);
}
